// One server on several loops: shared ports, shared limits.
#include "child.hpp"
#include "echo.hpp"
#include "network.hpp"
#include "on_each_driver.hpp"
#include "raw_socket.hpp"
#include "tcp_pair.hpp"

#include <atomic>
#include <mutex>
#include <set>
#include <soquete/run.hpp>
#include <soquete/scope.hpp>
#include <soquete/serve.hpp>
#include <thread>
#include <vector>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class serving_on_loops : public with_driver {};
ON_EACH_DRIVER(serving_on_loops);

TEST_P(serving_on_loops, loops_share_a_port_that_the_system_chose) {
  std::mutex mutex;
  std::set<std::uint16_t> ports;
  std::set<std::thread::id> servers;
  int announced = 0;
  tcp::serve_watch watch;
  std::atomic<std::uint16_t> door = 0;
  watch.listening = [&](const endpoint& at) {
    std::lock_guard lock(mutex);
    ports.insert(at.port());
    ++announced;
    door = at.port();
  };
  auto note_and_echo = [&](tcp::stream peer) -> task<result<void>> {
    {
      std::lock_guard lock(mutex);
      servers.insert(std::this_thread::get_id());
    }
    co_return co_await echo(std::move(peer));
  };
  std::atomic<int> loops = 0;
  std::atomic<bool> done = false;
  auto client = [&]() -> task<result<void>> {
    co_await ok(wait_until([&] { return door != 0; }));
    const endpoint at(address::loopback_v4(), door);
    for (int i = 0; i != 300; ++i) {
      tcp::stream s = co_await ok(tcp::connect(at));
      co_await ok(expect_echo(s, "x"));
      std::lock_guard lock(mutex);
      if (servers.size() == 2) break;
    }
    done = true;
    co_return {};
  };
  auto program = [&]() -> task<result<void>> {
    const bool is_first = loops++ == 0;
    auto end = [&]() -> task<result<void>> { co_return co_await wait_until([&] { return done.load(); }); };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(tcp::serve("127.0.0.1:0", tcp::client_handler(note_and_echo), {.watch = &watch}));
      if (is_first) s.spawn(client());
      co_await ok(end());
      s.cancel();
      co_return {};
    };
    co_return co_await with_scope(body);
  };
  EXPECT_TRUE(succeeds(run({.threads = 2, .driver = GetParam()}, program)));
  EXPECT_EQ(announced, 1);
  EXPECT_EQ(ports.size(), 1U);
  EXPECT_EQ(servers.size(), 2U) << "300 connections, and the kernel gave all to one loop";
}

TEST_P(serving_on_loops, an_address_in_use_is_noticed_though_loops_share_theirs) {
  auto listen_and_share = [](std::string where) -> task<result<void>> {
    co_return co_await tcp::serve(where, echo<tcp::stream>);
  };
  const raw_socket taken = raw_socket::listening(1);
  const std::string where = "127.0.0.1:" + std::to_string(taken.port());
  auto second = [&] { return listen_and_share(where); };
  EXPECT_TRUE(fails_with(run({.threads = 2, .driver = GetParam()}, second), std::errc::address_in_use));
}

TEST_P(serving_on_loops, a_second_server_on_the_same_address_is_noticed) {
  std::atomic<std::uint16_t> door = 0;
  tcp::serve_watch watch;
  watch.listening = [&](const endpoint& at) { door = at.port(); };
  std::atomic<bool> done = false;
  auto first = [&]() -> task<result<void>> {
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(tcp::serve("127.0.0.1:0", echo<tcp::stream>, {.watch = &watch}));
      co_await ok(wait_until([&] { return done.load(); }));
      s.cancel();
      co_return {};
    };
    co_return co_await with_scope(body);
  };
  std::thread other([&] { EXPECT_TRUE(succeeds(run({.threads = 2, .driver = GetParam()}, first))); });
  while (door == 0) std::this_thread::yield();
  const std::string where = "127.0.0.1:" + std::to_string(door);
  auto second = [&] { return tcp::serve(where, echo<tcp::stream>); };
  EXPECT_TRUE(fails_with(run({.threads = 2, .driver = GetParam()}, second), std::errc::address_in_use));
  done = true;
  other.join();
}

// The address is tried without SO_REUSEPORT first; connections of the server before linger in TIME_WAIT.
TEST_P(serving_on_loops, a_restart_gets_its_address_while_connections_linger) {
  const child_ending how = in_a_child([] {
    if (!enter_own_network()) return lacks_permission;
    for (int i = 0; i != 20; ++i) {
      std::atomic<bool> is_up = false, done = false;
      std::atomic<int> loops = 0;
      tcp::serve_watch watch;
      watch.ready = [&](std::span<const endpoint>) { is_up = true; };
      auto greet = [](tcp::stream peer) -> task<result<void>> {
        co_await ok(peer.send("hello"));
        co_await ok(peer.finish());
        co_await ok(receive_all(peer));
        co_return {};
      };
      auto client = [&]() -> task<result<void>> {
        co_await ok(wait_until([&] { return is_up.load(); }));
        for (int n = 0; n != 10; ++n) {
          tcp::stream s = co_await ok(tcp::connect("127.0.0.1:8080"));
          EXPECT_EQ(co_await ok(receive_all(s)), "hello");
        }
        done = true;
        co_return {};
      };
      auto program = [&]() -> task<result<void>> {
        const bool is_first = loops++ == 0;
        auto body = [&](scope& s) -> task<result<void>> {
          s.spawn(tcp::serve("127.0.0.1:8080", greet, {.watch = &watch}));
          if (is_first) s.spawn(client());
          co_await ok(wait_until([&] { return done.load(); }));
          s.cancel();
          co_return {};
        };
        co_return co_await with_scope(body);
      };
      EXPECT_TRUE(succeeds(run({.threads = 2, .driver = GetParam()}, program)));
    }
    return 0;
  });
  if (how.exit_code == lacks_permission) GTEST_SKIP() << "no permission for a network of one's own";
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

TEST_P(serving_on_loops, caps_count_for_all_loops_together) {
  std::atomic<int> now = 0, most = 0;
  std::atomic<std::uint16_t> door = 0;
  std::atomic<int> loops = 0;
  std::atomic<bool> done = false;
  tcp::serve_watch watch;
  watch.listening = [&](const endpoint& at) { door = at.port(); };
  auto counted = [&](tcp::stream peer) -> task<result<void>> {
    const int count = ++now;
    for (int seen = most; seen < count && !most.compare_exchange_weak(seen, count);) {}
    auto how = co_await echo(std::move(peer));
    --now;
    co_return how;
  };
  auto client = [&]() -> task<result<void>> {
    co_await ok(wait_until([&] { return door != 0; }));
    std::vector<tcp::stream> clients;
    for (int i = 0; i != 40; ++i) {
      clients.push_back(co_await ok(tcp::connect(endpoint(address::loopback_v4(), door))));
      co_await ok(clients.back().send("x"));
    }
    // Nobody leaves, so that the server fills up to the cap and no further.
    co_await ok(wait_until([&] { return now == 4; }));
    // All are served in the end: each that leaves makes room, on whichever loop.
    std::size_t served = 0;
    while (served != clients.size()) {
      for (tcp::stream& c : clients) {
        if (!c.is_open()) continue;
        auto got = co_await within(1ms, c.receive());
        if (!got && got.error() == std::errc::timed_out) continue;
        EXPECT_TRUE(got && got->text() == "x");
        ++served;
        c.close();
      }
    }
    done = true;
    co_return {};
  };
  auto program = [&]() -> task<result<void>> {
    const bool is_first = loops++ == 0;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(
          tcp::serve("127.0.0.1:0", tcp::client_handler(counted), {.max_connections = 4, .watch = &watch}));
      if (is_first) s.spawn(client());
      co_await ok(wait_until([&] { return done.load(); }));
      s.cancel();
      co_return {};
    };
    co_return co_await with_scope(body);
  };
  EXPECT_TRUE(succeeds(run({.threads = 2, .driver = GetParam()}, program)));
  EXPECT_EQ(most, 4);
}

}  // namespace
}  // namespace soquete::test
