// Simulated local sockets: their names, what they lose (nothing), and how they end. docs/simulation.md
#include <gtest/gtest.h>

#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>
#include <vector>

#include "echo.hpp"
#include "on_each_driver.hpp"

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

// Runs it on a host by itself and tells what the world says of it.
std::string told_of(sim::program what) {
  sim::world w(1);
  w.host("only").spawn(std::move(what));
  w.run_for(1h);
  return w.failure();
}

TEST(sim_local, a_name_is_of_its_host_alone) {
  sim::world w(1);
  sim::host& one = w.host("one");
  sim::host& other = w.host("other");
  for (const char* name : {"unix:/run/s", "unix:@s"})
    one.spawn([name] { return local::serve(name, echo<local::stream>); });
  for (sim::host* const on : {&one, &other})
    on->spawn([&w, is_there = on == &one]() -> task<result<void>> {
      co_await ok(sleep(1ms));
      const auto before = w.now();
      auto by_path = co_await ask(local::connect("unix:/run/s"), "hello");
      auto abstract = co_await ask(local::connect("unix:@s"), "hello");
      w.always(by_path.has_value() == is_there && abstract.has_value() == is_there, "only there");
      if (is_there) {
        w.always(*by_path == "hello" && *abstract == "hello", "the echo");
        w.always(w.now() == before, "no time passes");
      } else {
        w.always(fails_with(by_path, std::errc::no_such_file_or_directory), "no path");
        w.always(fails_with(abstract, std::errc::connection_refused), "no name");
      }
      co_return {};
    });
  w.run_for(1h);
  EXPECT_EQ(w.failure(), "");
}

TEST(sim_local, a_path_outlives_a_crash_and_the_next_server_takes_it_over) {
  sim::world w(1);
  sim::host& host = w.host("host");
  std::vector<std::string> heard;
  int lives = 0;
  host.spawn([&]() -> task<result<void>> {
    if (++lives == 2) {
      // What the crash has left is in the way of those who do not look, and of nobody else.
      auto refused = co_await local::connect("unix:/run/s");
      heard.push_back(to_string(refused.error()));
      auto kept = co_await local::listen("unix:/run/s", {.replace_stale = false});
      heard.push_back(to_string(kept.error()));
    }
    auto door = co_await ok(local::listen("unix:/run/../run/./s"));
    auto second = co_await local::listen("unix:/run/s");
    heard.push_back(to_string(second.error()));
    for (;;) co_await ok(door.accept());
  });
  w.at(1s, [&] { host.crash(); });
  w.at(2s, [&] { host.restart(); });
  w.run_for(1h);
  EXPECT_EQ(w.failure(), "");
  const std::vector<std::string> expected{
      "bind unix:/run/s: address already in use", "connect unix:/run/s: connection refused",
      "bind unix:/run/s: address already in use", "bind unix:/run/s: address already in use"};
  EXPECT_EQ(heard, expected);
}

TEST(sim_local, who_may_not_write_may_not_connect_and_types_do_not_mix) {
  EXPECT_EQ(told_of([]() -> task<result<void>> {
              auto door = co_await ok(local::listen("unix:/s", {.mode = 0577}));
              EXPECT_TRUE(fails_with(co_await local::connect("unix:/s"), std::errc::permission_denied));
              auto letters = co_await ok(local::bind("unix:/d"));
              EXPECT_TRUE(fails_with(co_await local::connect("unix:/d"), std::errc::wrong_protocol_type));
              auto client = co_await ok(local::connect_datagram("unix:/d"));
              EXPECT_TRUE(fails_with(client.connect(co_await ok(endpoint::parse("unix:/s"))),
                                     std::errc::permission_denied));
              co_return {};
            }),
            "");
}

TEST(sim_local, a_closed_socket_takes_its_path_along_and_a_released_one_does_not) {
  EXPECT_EQ(
      told_of([]() -> task<result<void>> {
        loop& here = co_await this_loop();
        auto door = co_await ok(local::listen("unix:/s"));
        EXPECT_TRUE(door.owns_path());
        door = co_await ok(local::listener::adopt(here, door.release()));
        EXPECT_FALSE(door.owns_path());
        door.close();
        EXPECT_TRUE(fails_with(co_await local::connect("unix:/s"), std::errc::connection_refused));
        door = co_await ok(local::listen("unix:/s"));
        door.close();
        EXPECT_TRUE(fails_with(co_await local::connect("unix:/s"), std::errc::no_such_file_or_directory));
        co_return {};
      }),
      "");
}

TEST(sim_local, a_process_is_known_by_the_number_of_its_life) {
  sim::world w(1);
  sim::host& host = w.host("host");
  std::vector<credentials> seen;
  host.spawn([&]() -> task<result<void>> {
    auto both = co_await ok(local::pair());
    seen.push_back(both.first.peer_credentials());
    co_return {};
  });
  w.at(1s, [&] { host.crash(); });
  w.at(2s, [&] { host.restart(); });
  w.run_for(1h);
  EXPECT_EQ(w.failure(), "");
  const std::vector<credentials> expected{{1, 1000, 1000}, {2, 1000, 1000}};
  EXPECT_EQ(seen, expected);
}

// As the kernel has it: credentials are kept of what is sent after somebody has asked for them.
TEST(sim_local, a_message_from_before_the_question_tells_nobody) {
  EXPECT_EQ(told_of([]() -> task<result<void>> {
              auto both = co_await ok(local::seqpacket_pair());
              co_await ok(both.first.send("early"));
              co_await ok(both.second.tell_sender(true));
              co_await ok(both.first.send("late"));
              const local::message early = co_await ok(both.second.receive());
              EXPECT_TRUE(early.sender && early.sender->pid == 0 && early.sender->uid == 65'534);
              const local::message late = co_await ok(both.second.receive());
              EXPECT_TRUE(late.sender && late.sender->pid == 1 && late.sender->uid == 1000);
              co_return {};
            }),
            "");
}

TEST(sim_local, a_datagram_peer_that_turns_to_another_tells_so) {
  EXPECT_EQ(told_of([]() -> task<result<void>> {
              auto both = co_await ok(local::datagram_pair());
              auto other = co_await ok(local::bind("unix:@other"));
              co_await ok(both.second.send("lost with the old peer"));
              co_await ok(both.first.connect(co_await ok(other.local())));
              EXPECT_TRUE(fails_with(co_await both.second.receive(), std::errc::connection_reset));
              EXPECT_TRUE(fails_with(co_await within(1ms, both.first.receive()), std::errc::timed_out));
              co_await ok(both.first.send("x"));
              const local::message got = co_await ok(other.receive());
              EXPECT_EQ(got.payload.text(), "x");
              EXPECT_TRUE(fails_with(co_await both.second.send("x"), std::errc::operation_not_permitted));
              co_return {};
            }),
            "");
}

TEST(sim_local, a_datagram_peer_that_leaves_nothing_unread_tells_nobody) {
  EXPECT_EQ(told_of([]() -> task<result<void>> {
              auto both = co_await ok(local::datagram_pair());
              auto other = co_await ok(local::bind("unix:@other"));
              co_await ok(both.first.connect(co_await ok(other.local())));
              EXPECT_TRUE(fails_with(co_await within(1ms, both.second.receive()), std::errc::timed_out));
              co_return {};
            }),
            "");
}

TEST(sim_local, a_socket_left_open_and_one_never_accepted_are_told_and_listed) {
  std::optional<local::listener> kept;
  std::optional<local::stream> client;
  std::string listed;
  const std::string told = [&] {
    sim::world w(1);
    w.host("host").spawn([&]() -> task<result<void>> {
      kept = co_await ok(local::listen("unix:/s"));
      client = co_await ok(local::connect("unix:/s"));
      co_await ok(client->send("x"));
      listed = w.netstat();
      co_return {};
    });
    w.run_for(1h);
    client.reset();
    kept.reset();
    return w.failure();
  }();
  EXPECT_NE(told.find("leaked: all programs have ended, and left host host: 2 sockets open"),
            std::string::npos)
      << told;
  EXPECT_EQ(listed,
            "host 1000000003 local stream listens on unix:/s\n"
            "host 1000000004 local stream with unix:/s\n");
}

TEST(sim_local, a_deadlock_over_a_local_stream_names_both_sides) {
  const std::string told = told_of([]() -> task<result<void>> {
    auto both = co_await ok(local::pair());
    static_cast<void>(co_await ok(both.second.receive()));
    co_return {};
  });
  EXPECT_NE(told.find("deadlock: nothing can happen any more, and 1 program waits\n"), std::string::npos)
      << told;
  EXPECT_NE(told.find("for receive on descriptor 1000000004"), std::string::npos) << told;
}

TEST(sim_local, who_hears_one_peer_only_may_not_wait_for_ever_and_who_hears_all_may) {
  const auto with_seqpackets = []() -> task<result<void>> {
    auto both = co_await ok(local::seqpacket_pair());
    static_cast<void>(co_await ok(both.second.receive()));
    co_return {};
  };
  const auto with_datagrams = []() -> task<result<void>> {
    auto both = co_await ok(local::datagram_pair());
    static_cast<void>(co_await ok(both.second.receive()));
    co_return {};
  };
  const auto with_a_name = []() -> task<result<void>> {
    auto door = co_await ok(local::bind("unix:@door"));
    static_cast<void>(co_await door.receive());
    co_return {};
  };
  EXPECT_NE(told_of(with_seqpackets).find("deadlock"), std::string::npos);
  EXPECT_NE(told_of(with_datagrams).find("deadlock"), std::string::npos);
  EXPECT_EQ(told_of(with_a_name), "");
}

task<result<void>> count_letters(sim::world& w) {
  auto door = co_await ok(local::bind("unix:/letters"));
  std::uint64_t last = 0;
  for (;;) {
    const auto got = co_await door.receive();
    if (!got && got.error() == std::errc::operation_canceled) co_return {};
    w.always(got.has_value(), "letters come");
    const std::uint64_t number = std::stoull(std::string(got->payload.text()));
    // A writer begins with 1 in each of its lives.
    w.always(number == 1 || number == last + 1, "each once and in order");
    last = number;
  }
}

task<result<void>> write_letters() {
  auto to = co_await local::connect_datagram("unix:/letters");
  if (!to) co_return {};
  for (int i = 1; i != 50; ++i) {
    const auto sent = co_await within(10s, to->send(std::to_string(i)));
    if (!sent) co_return {};
  }
  co_return {};
}

// Streams and datagrams on one host under all faults.
sim::check_report busy_host(std::uint64_t first, std::uint64_t count) {
  return sim::check({.seeds = count, .first_seed = first}, [](sim::world& w) {
    sim::host& host = w.host("host");
    w.faults(sim::swarm());
    host.spawn([] { return local::serve("unix:/s", echo<local::stream>); });
    host.spawn([&w] { return count_letters(w); });
    host.spawn([] { return write_letters(); });
    for (int client = 0; client != 2; ++client)
      host.spawn([&w]() -> task<result<void>> {
        for (int i = 0; i != 3; ++i) {
          const std::string sent = w.bytes(20'000);
          const auto got = co_await within(20s, ask(local::connect("unix:/s"), sent));
          w.always(!got || *got == sent, "all bytes in order, or an error");
          w.sometimes(got.has_value(), "it goes well");
        }
        co_return {};
      });
    w.run_for(1h);
  });
}

TEST(sim_local, under_all_faults_nothing_is_lost_or_out_of_order) {
  const auto told = busy_host(1, 150);
  using kind = sim::fault;
  for (const kind each : {kind::delay, kind::pieces, kind::exhaust, kind::order, kind::pause, kind::crash})
    EXPECT_GT(told.struck[static_cast<std::size_t>(each)], 0U) << static_cast<int>(each);
  for (const kind never : {kind::loss, kind::duplicate, kind::reset, kind::refuse})
    EXPECT_EQ(told.struck[static_cast<std::size_t>(never)], 0U) << static_cast<int>(never);
}

// As sim_test.cpp's: every compiler, every machine.
TEST(sim_local, the_history_of_a_seed_is_the_same_everywhere) {
  const auto once = busy_host(1, 20);
  const auto again = busy_host(1, 20);
  EXPECT_EQ(once.trace_hash, again.trace_hash);
  EXPECT_EQ(once.trace_hash, 0xf24df4b6cc112951U) << std::hex << once.trace_hash;
}

}  // namespace
}  // namespace soquete::test
