// Servers of local connections that keep the bounds of records.  unix(7)
#include "local_name.hpp"
#include "on_each_driver.hpp"
#include "tcp_pair.hpp"

#include <unistd.h>
#include <atomic>
#include <mutex>
#include <set>
#include <soquete/event.hpp>
#include <soquete/local_serve.hpp>
#include <soquete/run.hpp>
#include <soquete/scope.hpp>
#include <thread>

namespace soquete::test {
namespace {

class local_serve_seqpacket : public on_each_driver {};
ON_EVERY_DRIVER(local_serve_seqpacket);
class local_serve_seqpacket_loops : public with_driver {};
ON_EACH_DRIVER(local_serve_seqpacket_loops);

task<result<void>> echo_records(local::seqpacket peer) {
  for (;;) {
    local::message record = co_await ok(peer.receive());
    if (record.is_end) co_return {};
    co_await ok(peer.send(record.payload.bytes()));
  }
}

TEST_P(local_serve_seqpacket, records_are_served_each_by_itself_and_the_path_goes_with_the_server) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    const std::string name = folder.at("s");
    event listens;
    local::serve_watch watch;
    bool is_open = false;
    watch.listening = [&](const endpoint& at) {
      EXPECT_EQ(to_string(at), name);
      is_open = true;
      listens.notify_all();
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(local::serve_seqpacket(name, echo_records, {.watch = &watch}));
      while (!is_open) co_await ok(listens.wait());
      auto client = co_await ok(local::connect_seqpacket(name));
      co_await ok(client.send("one"));
      co_await ok(client.send("three"));
      for (const char* const expected : {"one", "three"}) {
        local::message answer = co_await ok(client.receive());
        EXPECT_EQ(answer.payload.text(), expected);
      }
      co_await ok(client.finish());
      local::message last = co_await ok(client.receive());
      EXPECT_TRUE(last.is_end);
      s.cancel();
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_FALSE(co_await ok(is_there(name)));
    co_return {};
  });
}

TEST_P(local_serve_seqpacket, a_client_is_admitted_or_not_by_who_it_is) {
  play([this]() -> task<result<void>> {
    const credentials us = here().net().us();
    const own_folder folder;
    const std::string name = folder.at("s");
    event listens;
    local::serve_watch watch;
    bool is_open = false;
    bool is_welcome = false;
    watch.listening = [&](const endpoint&) {
      is_open = true;
      listens.notify_all();
    };
    watch.admit = [&](const credentials& client) {
      EXPECT_EQ(client, us);
      return is_welcome;
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(local::serve_seqpacket(name, echo_records, {.watch = &watch}));
      while (!is_open) co_await ok(listens.wait());
      auto turned_away = co_await ok(local::connect_seqpacket(name));
      local::message end = co_await ok(turned_away.receive());
      EXPECT_TRUE(end.is_end);
      is_welcome = true;
      auto welcome = co_await ok(local::connect_seqpacket(name));
      co_await ok(welcome.send("x"));
      local::message answer = co_await ok(welcome.receive());
      EXPECT_EQ(answer.payload.text(), "x");
      s.cancel();
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

// There is one socket to a name; the loop that has it gives each connection to the one that has the fewest.
TEST_P(local_serve_seqpacket_loops, connections_of_records_are_handed_to_all_loops) {
  const own_folder folder;
  const std::string name = folder.at("s");
  std::mutex mutex;
  std::set<std::thread::id> servers;
  std::atomic<bool> is_open = false;
  std::atomic<bool> done = false;
  std::atomic<int> loops = 0;
  local::serve_watch watch;
  watch.listening = [&](const endpoint&) { is_open = true; };
  auto note_and_echo = [&](local::seqpacket peer) -> task<result<void>> {
    {
      const std::lock_guard lock(mutex);
      servers.insert(std::this_thread::get_id());
    }
    co_return co_await echo_records(std::move(peer));
  };
  // The second loop may come later than the first clients.
  auto client = [&]() -> task<result<void>> {
    co_await ok(wait_until([&] { return is_open.load(); }));
    const auto is_shared = [&] {
      const std::lock_guard lock(mutex);
      return servers.size() == 2;
    };
    std::vector<local::seqpacket> kept;
    while (!is_shared()) {
      if (kept.size() > 50) kept.clear();
      kept.push_back(co_await ok(local::connect_seqpacket(name)));
      co_await ok(kept.back().send("x"));
      local::message answer = co_await ok(kept.back().receive());
      EXPECT_EQ(answer.payload.text(), "x");
    }
    done = true;
    co_return {};
  };
  auto program = [&]() -> task<result<void>> {
    const bool is_first = loops++ == 0;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(local::serve_seqpacket(name, local::seqpacket_handler(note_and_echo), {.watch = &watch}));
      if (is_first) s.spawn(client());
      co_await ok(wait_until([&] { return done.load(); }));
      s.cancel();
      co_return {};
    };
    co_return co_await with_scope(body);
  };
  EXPECT_TRUE(succeeds(run({.threads = 2, .driver = GetParam()}, program)));
  EXPECT_EQ(servers.size(), 2U);
}

}  // namespace
}  // namespace soquete::test
