// Many connections, few descriptors, and peers that cost nothing.
//
// Goal: nothing is lost at 9,000 connections at once, a server that runs out of descriptors neither crashes
// nor spins and serves all in the end. Method: the server is a process of its own with limits of its own;
// it tells how often it failed to accept and how much processor time it took.
#include "child.hpp"
#include "echo.hpp"
#include "on_each_driver.hpp"
#include "raw_socket.hpp"
#include "tcp_pair.hpp"

#include <sys/resource.h>
#include <unistd.h>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <soquete/event.hpp>
#include <soquete/run.hpp>
#include <soquete/scope.hpp>
#include <soquete/serve.hpp>
#include <vector>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class load : public on_each_driver {};
ON_EACH_DRIVER(load);

void limit_descriptors(rlim_t most) {
  rlimit now{};
  ::getrlimit(RLIMIT_NOFILE, &now);
  now.rlim_cur = most;
  now.rlim_max = std::max(now.rlim_max, most);
  if (::setrlimit(RLIMIT_NOFILE, &now) != 0) std::perror("setrlimit");
}

struct server_report {
  int exit_code = -1;
  unsigned failed_accepts = 0;
  double cpu_seconds = 0;
  std::string output;
};

// Runs an echo server in a child with that many descriptors, and `clients` here.
server_report serve_in_a_child(driver_choice which, rlim_t descriptors,
                               const std::function<void(endpoint)>& clients) {
  const raw_socket door = raw_socket::listening(4096);
  const auto server = [&] {
    // The first look at a class under UBSan needs a pipe, which is then not to be had.
    EXPECT_NE(to_string(error(std::errc::too_many_files_open)), "");
    EXPECT_FALSE(error(std::errc::too_many_files_open) == std::errc::bad_message);
    limit_descriptors(descriptors);
    unsigned failed = 0;
    tcp::serve_watch watch;
    watch.accept_paused = [&](const error&) { ++failed; };
    const std::string where = "fd:" + std::to_string(::dup(door.number()));
    auto program = [&] { return tcp::serve(where, echo<tcp::stream>, {.drain = 1s, .watch = &watch}); };
    const auto before = processor_time();
    const int code = run_main({.driver = which}, program);
    std::printf("%u %f\n", failed, std::chrono::duration<double>(processor_time() - before).count());
    return code;
  };
  const child_ending how = in_a_child(server, [&](int child) {
    clients(endpoint(address::loopback_v4(), door.port()));
    ::kill(child, SIGTERM);
  });
  server_report told{how.exit_code, 0, 0, how.output};
  if (std::sscanf(how.output.c_str(), "%u %lf", &told.failed_accepts, &told.cpu_seconds) != 2)
    told.exit_code = -1;
  return told;
}

TEST_P(load, nine_thousand_connections_at_once_echo_and_none_is_lost) {
  constexpr std::size_t connections = 9'000;
  std::size_t echoed = 0;
  auto clients = [&](endpoint door) {
    play([&]() -> task<result<void>> {
      std::vector<tcp::stream> all;
      for (std::size_t i = 0; i != connections; ++i) all.push_back(co_await ok(tcp::connect(door)));
      for (std::size_t i = 0; i != connections; ++i) co_await ok(all[i].send("number " + std::to_string(i)));
      for (std::size_t i = 0; i != connections; ++i) {
        const std::string wanted = "number " + std::to_string(i);
        const std::string got = co_await ok(receive_some(all[i], wanted.size()));
        EXPECT_EQ(got, wanted);
        echoed += got == wanted ? 1 : 0;
      }
      // Without TIME_WAIT, which would cost the next test its ports.
      for (tcp::stream& one : all) one.abort();
      co_return {};
    });
  };
  const server_report server = serve_in_a_child(GetParam(), 10'000, clients);
  EXPECT_EQ(echoed, connections);
  EXPECT_EQ(server.exit_code, 0) << server.output;
  EXPECT_EQ(server.failed_accepts, 0U);
}

TEST_P(load, thirty_thousand_clients_of_a_server_with_256_descriptors_are_all_served) {
  constexpr int clients_at_once = 600, clients_in_all = 30'000;
  int served = 0;
  auto clients = [&](endpoint door) {
    play([&]() -> task<result<void>> {
      int left = clients_in_all;
      auto one_after_the_other = [&]() -> task<result<void>> {
        while (left-- > 0) {
          tcp::stream s = co_await ok(tcp::connect(door));
          co_await ok(s.send("x"));
          lease got = co_await ok(s.receive());
          served += got.text() == "x" ? 1 : 0;
          s.abort();
        }
        co_return {};
      };
      auto body = [&](scope& s) -> task<result<void>> {
        for (int i = 0; i != clients_at_once; ++i) s.spawn(one_after_the_other());
        co_return {};
      };
      co_return co_await with_scope(body);
    });
  };
  const server_report server = serve_in_a_child(GetParam(), 256, clients);
  EXPECT_EQ(served, clients_in_all);
  EXPECT_EQ(server.exit_code, 0) << server.output;
  // It did run out, and did not try each time that one left.
  EXPECT_GE(server.failed_accepts, 1U);
  EXPECT_LE(server.failed_accepts, clients_in_all / 10U);
  std::printf("%u failed accepts, %.2f s of processor time\n", server.failed_accepts, server.cpu_seconds);
}

// Nothing comes free: the server waits, and does not spin.
TEST_P(load, a_server_without_descriptors_sleeps_until_there_are_some) {
  std::chrono::nanoseconds waited{};
  int served = 0;
  auto clients = [&](endpoint door) {
    play([&]() -> task<result<void>> {
      std::vector<tcp::stream> all;
      for (int i = 0; i != 100; ++i) {
        all.push_back(co_await ok(tcp::connect(door)));
        co_await ok(all.back().send("x"));
      }
      const time_point begun = here().net().now();
      co_await ok(sleep(1s));
      waited = here().net().now() - begun;
      for (tcp::stream& s : all) {
        lease got = co_await ok(s.receive());
        served += got.text() == "x" ? 1 : 0;
        s.abort();
      }
      co_return {};
    });
  };
  const server_report server = serve_in_a_child(GetParam(), 64, clients);
  EXPECT_EQ(served, 100);
  EXPECT_EQ(server.exit_code, 0) << server.output;
  EXPECT_GE(server.failed_accepts, 1U);
  // faults.md: at most 20 a second; io_uring may have some for each of its rounds.
  const double seconds = std::chrono::duration<double>(waited).count();
  EXPECT_LE(server.failed_accepts, static_cast<unsigned>(25 * seconds) + 60);
  EXPECT_LT(server.cpu_seconds, 0.5 * seconds);
}

TEST_P(load, silent_clients_cost_no_wake_ups) {
  play([this]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    std::vector<tcp_pair> all;
    for (int i = 0; i != 100; ++i) all.push_back(co_await ok(connect_to(l)));
    auto wait_for_bytes = [](tcp::stream& s) -> task<result<void>> {
      lease none = co_await ok(s.receive());
      EXPECT_TRUE(none.empty());
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      for (tcp_pair& one : all) s.spawn(wait_for_bytes(one.server));
      // The sleep itself is a turn. A busy kernel may still be at their beginning in the first spans.
      std::uint64_t calls = 3;
      for (int span = 0; span != 20 && calls > 2; ++span) {
        const auto before = counts().kernel_calls;
        co_await ok(sleep(100ms));
        calls = counts().kernel_calls - before;
      }
      EXPECT_LE(calls, 2U);
      EXPECT_EQ(counts().leases, 0U);
      for (tcp_pair& one : all) one.client.close();
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

TEST_P(load, a_client_that_only_sends_costs_an_echo_server_bounded_memory) {
  play([this]() -> task<result<void>> {
    auto both = co_await ok(connect_pair({.receive_buffer = 16'384, .send_buffer = 16'384},
                                         {.receive_buffer = 16'384, .send_buffer = 16'384}));
    const std::string much(64 * 1024, 'x');
    std::size_t sent = 0, most_buffered = 0, most_leases = 0;
    auto press = [&]() -> task<result<void>> {
      for (;;) sent += co_await ok(both.client.send_some(as_bytes(much)));
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(press());
      s.spawn(echo(std::move(both.server)));
      std::size_t before = 1;
      for (int still = 0; still != 50; still = sent == before ? still + 1 : 0) {
        before = sent;
        co_await ok(sleep(1ms));
        most_buffered = std::max(most_buffered, counts().buffer_bytes);
        most_leases = std::max(most_leases, counts().leases);
      }
      s.cancel();
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_GT(sent, 0U);
    EXPECT_LE(most_leases, 8U);
    EXPECT_LE(most_buffered, 2'000'000U);
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
