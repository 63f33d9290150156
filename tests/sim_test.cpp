// The simulated network: hosts, time, determinism, and what is told when something goes wrong.
// docs/simulation.md
#include <gtest/gtest.h>

#include <signal.h>
#include <array>
#include <cstdlib>
#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>
#include <vector>

#include "echo.hpp"

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

TEST(sim_world, two_hosts_talk_and_time_passes_at_once) {
  sim::world w(1);
  sim::host& server = w.host("server");
  sim::host& client = w.host("client");
  w.link(server, client, {.delay = {1h, 1h}});
  std::string got;
  server.spawn([] { return tcp::serve("[::]:7", echo<tcp::stream>); });
  client.spawn([&]() -> task<result<void>> {
    got = co_await ok(ask(tcp::connect("server:7"), "hello"));
    co_return {};
  });
  w.run_for(24h);
  EXPECT_EQ(w.failure(), "");
  EXPECT_EQ(got, "hello");
  EXPECT_GE(w.now(), 4h);
  EXPECT_LT(w.now(), 24h);
}

// What the world says of a scenario that goes wrong.
std::string failure_of(const sim::scenario& what, std::uint64_t seed = 1) {
  sim::world w(seed);
  what(w);
  return w.failure();
}

task<result<void>> wait_for_word(std::string_view where) {
  tcp::stream peer = co_await ok(tcp::connect(where));
  static_cast<void>(co_await ok(peer.receive()));
  co_return {};
}

// Never says a word.
task<result<void>> be_silent(tcp::stream peer) {
  for (;;) {
    lease data = co_await ok(peer.receive());
    if (data.empty()) co_return {};
  }
}

TEST(sim_world, a_deadlock_names_every_await_with_its_line) {
  const std::string told = failure_of([](sim::world& w) {
    w.host("server").spawn([] { return tcp::serve(":7", be_silent); });
    w.host("client").spawn([] { return wait_for_word("server:7"); });
    w.run_for(1h);
  });
  EXPECT_NE(told.find("deadlock: nothing can happen any more, and 2 programs wait\n"), std::string::npos)
      << told;
  EXPECT_NE(told.find("host server\n"), std::string::npos) << told;
  EXPECT_NE(told.find("for receive on descriptor 1000000004 ([fd00::2]:"), std::string::npos) << told;
  EXPECT_NE(told.find("host client\n"), std::string::npos) << told;
  EXPECT_NE(told.find("sim_test.cpp:"), std::string::npos) << told;
  EXPECT_NE(told.find("for receive on descriptor 1000000003 ([fd00::1]:7)"), std::string::npos) << told;
}

TEST(sim_world, a_server_that_waits_for_anybody_is_no_deadlock) {
  EXPECT_EQ(failure_of([](sim::world& w) {
              w.host("server").spawn([] { return tcp::serve(":7", echo<tcp::stream>); });
              w.run_for(1h);
            }),
            "");
}

TEST(sim_world, a_server_of_datagrams_that_waits_for_anybody_is_no_deadlock) {
  EXPECT_EQ(failure_of([](sim::world& w) {
              w.host("server").spawn(
                  [] { return udp::serve(":7", [](udp::session&) -> task<result<void>> { co_return {}; }); });
              w.run_for(1h);
            }),
            "");
}

TEST(sim_world, a_livelock_is_told) {
  const std::string told = failure_of([](sim::world& w) {
    w.host("busy").spawn([]() -> task<result<void>> {
      for (;;) co_await ok(sleep(0s));
    });
    w.run_for(1h);
  });
  EXPECT_NE(told.find("livelock: host busy runs and runs, and no time passes"), std::string::npos) << told;
}

TEST(sim_world, a_socket_that_is_left_open_is_told) {
  std::optional<tcp::listener> kept;
  const std::string told = [&] {
    sim::world w(1);
    w.host("server").spawn([&]() -> task<result<void>> {
      kept = co_await ok(tcp::listen(":7"));
      co_return {};
    });
    w.run_for(1h);
    kept.reset();
    return w.failure();
  }();
  EXPECT_NE(told.find("leaked: all programs have ended, and left host server: 1 sockets open"),
            std::string::npos)
      << told;
}

TEST(sim_world, a_program_that_fails_or_throws_is_told) {
  EXPECT_NE(failure_of([](sim::world& w) {
              w.host("client").spawn([] { return wait_for_word("nobody:7"); });
              w.run_for(1h);
            }).find("a program on host client ended with an error: "),
            std::string::npos);
  EXPECT_NE(failure_of([](sim::world& w) {
              w.host("client").spawn([]() -> task<result<void>> {
                throw std::runtime_error("of its own");
                co_return {};
              });
              w.run_for(1h);
            }).find("ended with an exception: of its own"),
            std::string::npos);
}

TEST(sim_world, a_signal_is_told_to_each_program_that_watches_for_it_once) {
  sim::world w(1);
  sim::host& host = w.host("host");
  std::vector<int> seen;
  for (int i = 0; i != 2; ++i)
    host.spawn([&, i]() -> task<result<void>> {
      loop& here = co_await this_loop();
      const std::array wanted{SIGTERM, SIGHUP};
      auto arriving = co_await ok(signals::open(here, std::span(wanted).first(i == 0 ? 1 : 2)));
      for (;;) {
        auto next = co_await arriving.next();
        if (!next) co_return {};
        seen.push_back(*next * 10 + i);
        co_await ok(sleep(1s));
      }
    });
  std::vector<bool> watched;
  const auto raise = [&](int signal) { watched.push_back(host.raise(signal)); };
  w.at(1s, [&] { raise(SIGHUP), raise(SIGUSR1), raise(SIGTERM), raise(SIGTERM); });
  w.at(10s, [&] { host.crash(), raise(SIGTERM); });
  w.at(20s, [&] { host.restart(); });
  w.at(30s, [&] { raise(SIGTERM); });
  w.run_for(1h);
  EXPECT_EQ(w.failure(), "");
  EXPECT_EQ(watched, (std::vector<bool>{true, false, true, true, false, true}));
  EXPECT_EQ(seen, (std::vector<int>{SIGHUP * 10 + 1, SIGTERM * 10, SIGTERM * 10 + 1, SIGTERM * 10,
                                    SIGTERM * 10 + 1}));
  // Nothing of it has touched the real process.
  sigset_t blocked;
  ::sigprocmask(SIG_BLOCK, nullptr, &blocked);
  EXPECT_FALSE(::sigismember(&blocked, SIGHUP));
}

TEST(sim_check, a_failure_tells_the_seed_and_how_to_see_it_again) {
  std::string told;
  try {
    sim::check({.seeds = 5}, [](sim::world& w) { w.always(w.seed() != 3, "three is not my number"); });
  } catch (const sim::failed& why) {
    told = why.what();
  }
  EXPECT_NE(
      told.find("fails with seed 3, number 3 of 5, at 0.000000 s: not so: three is not my number (sim_test"),
      std::string::npos)
      << told;
  EXPECT_NE(told.find("SOQUETE_SIM_SEED=3 "), std::string::npos) << told;
  EXPECT_NE(told.find("--gtest_filter=sim_check.a_failure_tells_the_seed_and_how_to_see_it_again\n"),
            std::string::npos)
      << told;
}

TEST(sim_check, what_happens_in_no_seed_is_told) {
  std::string told;
  try {
    sim::check({.seeds = 5}, [](sim::world& w) {
      w.sometimes(w.seed() == 2, "two");
      w.sometimes(w.seed() == 7, "seven");
    });
  } catch (const sim::failed& why) {
    told = why.what();
  }
  EXPECT_EQ(told, "sim_check.what_happens_in_no_seed_is_told: in none of 5 seeds: seven\n");
}

task<result<void>> echo_datagrams() {
  auto s = co_await ok(udp::bind(":9"));
  for (;;) {
    auto got = co_await s.receive();
    if (!got && got.error() == std::errc::operation_canceled) co_return {};
    if (got) static_cast<void>(co_await s.send_to(got->from(), got->text()));
  }
}

task<result<void>> ask_by_datagrams(std::string_view where) {
  auto s = co_await ok(udp::connect(where));
  for (int i = 0; i != 20; ++i) {
    static_cast<void>(co_await s.send(std::to_string(i)));
    static_cast<void>(co_await within(100ms, s.receive()));
  }
  co_return {};
}

// Streams and datagrams under all faults.
sim::check_report busy_hours(std::uint64_t first, std::uint64_t count) {
  return sim::check({.seeds = count, .first_seed = first}, [](sim::world& w) {
    sim::host& server = w.host("server");
    sim::host& one = w.host("one");
    sim::host& two = w.host("two");
    w.link(server, one, {.delay = {100us, 20ms}, .window = {16, 4096}, .loss = 0.1});
    w.link(server, two, {.delay = {1ms, 1ms}, .bytes_per_second = 100'000, .duplicates = 0.1});
    w.faults(sim::swarm());
    server.spawn([] { return tcp::serve(":7", echo<tcp::stream>); });
    server.spawn([] { return echo_datagrams(); });
    for (sim::host* client : {&one, &two}) {
      client->spawn([&w]() -> task<result<void>> {
        for (int i = 0; i != 5; ++i) {
          const std::string sent = w.bytes(10'000);
          const auto got = co_await within(10s, ask(tcp::connect("server:7"), sent));
          w.always(!got || sent.starts_with(*got), "bytes in order");
        }
        co_return {};
      });
      client->spawn([]() -> task<result<void>> {
        static_cast<void>(co_await ask_by_datagrams("server:9"));
        co_return {};
      });
    }
    w.run_for(1h);
  });
}

TEST(sim_world, equal_seeds_have_equal_histories_and_others_have_others) {
  const auto once = busy_hours(1, 20);
  const auto again = busy_hours(1, 20);
  const auto others = busy_hours(2, 20);
  EXPECT_EQ(once.trace_hash, again.trace_hash);
  EXPECT_EQ(once.events, again.events);
  EXPECT_NE(once.trace_hash, others.trace_hash);
}

TEST(sim_check, no_kind_of_fault_never_strikes) {
  const auto told = busy_hours(1, 60);
  for (std::size_t i = 0; i != sim::fault_count; ++i) EXPECT_GT(told.struck[i], 0U) << "kind " << i;
}

TEST(sim_check, in_the_dry_no_fault_strikes) {
  const auto told = sim::check({.seeds = 50}, [](sim::world& w) {
    w.faults(sim::swarm().only(sim::fault::crash).without(sim::fault::crash));
    w.host("server").spawn([] { return tcp::serve(":7", echo<tcp::stream>); });
    w.host("client").spawn([&w]() -> task<result<void>> {
      const std::string sent = w.bytes(100'000);
      const std::string got = co_await ok(ask(tcp::connect("server:7"), sent));
      w.always(got == sent, "all of it");
      co_return {};
    });
    w.run_for(1h);
  });
  for (const std::uint64_t count : told.struck) EXPECT_EQ(count, 0U);
}

// Every compiler, with or without optimisation and sanitizers, on every machine. A change of the model
// changes the number; nothing else may.
TEST(sim_world, the_history_of_a_seed_is_the_same_everywhere) {
  const auto told = busy_hours(1, 20);
  EXPECT_EQ(told.trace_hash, 0xd8b3e525a193fc23U) << std::hex << told.trace_hash;
}
}  // namespace
}  // namespace soquete::test
