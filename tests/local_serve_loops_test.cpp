// One server of local connections on several loops: one name, connections handed to all, shared limits.
#include "echo.hpp"
#include "local_name.hpp"
#include "on_each_driver.hpp"
#include "tcp_pair.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <soquete/local_serve.hpp>
#include <soquete/run.hpp>
#include <soquete/scope.hpp>
#include <thread>
#include <vector>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class local_serving_on_loops : public with_driver {};
ON_EACH_DRIVER(local_serving_on_loops);

// A run on three loops: each serves, the first is the client as well. Its end is the servers' end.
class three_loops {
 public:
  static constexpr unsigned threads = 3;

  three_loops() {
    watch.listening = [this](const endpoint&) {
      ++announced;
      is_open_ = true;
    };
  }

  void run_on(driver_choice which, const std::string& where, const local::client_handler& handler,
              local::serve_options options, const std::function<task<result<void>>()>& client) {
    options.watch = &watch;
    auto program = [&]() -> task<result<void>> {
      const bool is_first = begun_++ == 0;
      auto body = [&](scope& s) -> task<result<void>> {
        s.spawn(local::serve(where, handler, options));
        if (is_first) {
          co_await ok(wait_until([&] { return is_open_ && begun_ == static_cast<int>(threads); }));
          result<void> how = co_await client();
          EXPECT_TRUE(succeeds(how));
          done_ = true;
        }
        co_await ok(wait_until([&] { return done_.load(); }));
        s.cancel();
        co_return {};
      };
      co_return co_await with_scope(body);
    };
    EXPECT_TRUE(succeeds(run({.threads = threads, .driver = which}, program)));
  }

  local::serve_watch watch;
  std::atomic<int> announced = 0;

 private:
  std::atomic<int> begun_ = 0;
  std::atomic<bool> is_open_ = false, done_ = false;
};

TEST_P(local_serving_on_loops, each_loop_gets_its_share_of_the_connections_to_one_path) {
  const own_folder folder;
  three_loops loops;
  std::mutex mutex;
  std::map<std::thread::id, int> of_thread;
  auto note_and_echo = [&](local::stream peer) -> task<result<void>> {
    {
      std::lock_guard lock(mutex);
      ++of_thread[std::this_thread::get_id()];
    }
    co_return co_await echo(std::move(peer));
  };
  auto client = [&]() -> task<result<void>> {
    std::vector<local::stream> all;
    // A loop may come a little late; then it has the fewest, and gets what comes until it has caught up.
    std::size_t enough = 60;
    for (bool all_take_part = false; all.size() != enough;) {
      all.push_back(co_await ok(local::connect(folder.at("s"))));
      co_await ok(expect_echo(all.back(), "x"));
      std::lock_guard lock(mutex);
      if (!all_take_part) enough = std::max<std::size_t>(60, 3 * all.size());
      all_take_part = of_thread.size() == three_loops::threads;
    }
    for (local::stream& one : all) co_await ok(expect_echo(one, "still"));
    co_return {};
  };
  loops.run_on(GetParam(), folder.at("s"), note_and_echo, {}, client);
  EXPECT_EQ(loops.announced, 1);
  EXPECT_EQ(of_thread.size(), three_loops::threads);
  // To the one that has the fewest, and nobody leaves here: they are even but for the head start of the
  // first.
  const auto by_count = [](const auto& a, const auto& b) { return a.second < b.second; };
  const auto [fewest, most] = std::minmax_element(of_thread.begin(), of_thread.end(), by_count);
  EXPECT_LE(most->second - fewest->second, 2);
  EXPECT_FALSE(folder.has("s"));
}

TEST_P(local_serving_on_loops, caps_count_for_all_loops_together) {
  const own_folder folder;
  three_loops loops;
  std::atomic<int> now = 0, most = 0;
  auto counted = [&](local::stream peer) -> task<result<void>> {
    const int count = ++now;
    for (int seen = most; seen < count && !most.compare_exchange_weak(seen, count);) {}
    auto how = co_await echo(std::move(peer));
    --now;
    co_return how;
  };
  auto client = [&]() -> task<result<void>> {
    std::vector<local::stream> all;
    for (int i = 0; i != 40; ++i) {
      all.push_back(co_await ok(local::connect(folder.at("s"))));
      co_await ok(all.back().send("x"));
    }
    // Nobody leaves, so that the server fills up to the cap and no further.
    co_await ok(wait_until([&] { return now == 4; }));
    // All are served in the end: each that leaves makes room, on whichever loop.
    std::size_t served = 0;
    while (served != all.size()) {
      for (local::stream& one : all) {
        if (!one.is_open()) continue;
        auto got = co_await within(1ms, one.receive());
        if (!got && got.error() == std::errc::timed_out) continue;
        EXPECT_TRUE(got && got->text() == "x");
        ++served;
        one.close();
      }
    }
    co_return {};
  };
  loops.run_on(GetParam(), folder.at("s"), counted, {.max_connections = 4}, client);
  EXPECT_EQ(most, 4);
}

TEST_P(local_serving_on_loops, of_one_user_no_more_than_allowed_are_served_on_all_loops_together) {
  const own_folder folder;
  three_loops loops;
  auto client = [&]() -> task<result<void>> {
    std::vector<local::stream> all;
    for (int i = 0; i != 5; ++i) {
      all.push_back(co_await ok(local::connect(folder.at("s"))));
      co_await ok(expect_echo(all.back(), "x"));
    }
    local::stream sixth = co_await ok(local::connect(folder.at("s")));
    auto end = co_await sixth.receive();
    EXPECT_TRUE(end && end->empty());
    co_return {};
  };
  loops.run_on(GetParam(), folder.at("s"), echo<local::stream>, {.max_per_user = 5}, client);
}

TEST_P(local_serving_on_loops, at_the_end_the_clients_of_each_loop_get_the_drain_time_and_are_cut) {
  const own_folder folder;
  three_loops loops;
  std::atomic<int> cut = 0;
  std::mutex mutex;
  std::size_t to_drain = 0;
  loops.watch.draining = [&](std::size_t clients) {
    std::lock_guard lock(mutex);
    to_drain += clients;
  };
  auto stay = [&](local::stream peer) -> task<result<void>> {
    auto how = co_await echo(std::move(peer));
    if (fails_with(how, std::errc::operation_canceled)) ++cut;
    co_return how;
  };
  std::vector<owned_descriptor> kept;
  auto client = [&]() -> task<result<void>> {
    for (int i = 0; i != 9; ++i) {
      local::stream one = co_await ok(local::connect(folder.at("s")));
      co_await ok(expect_echo(one, "x"));
      kept.push_back(one.release());
    }
    co_return {};
  };
  loops.run_on(GetParam(), folder.at("s"), stay, {.drain = 5ms}, client);
  EXPECT_EQ(cut, 9);
  EXPECT_EQ(to_drain, 9U);
}

}  // namespace
}  // namespace soquete::test
