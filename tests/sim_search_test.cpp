// What check, each_await and each_call find, and what they tell of it.  docs/simulation.md
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>

#include "echo.hpp"
#include "told_by.hpp"

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

task<result<void>> patient_echo(tcp::stream peer) { return echo_while_heard(std::move(peer), 5min); }

// Sets a variable of the environment for as long as it lives.
class variable {
 public:
  variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;
  ~variable() { ::unsetenv(name_); }

 private:
  const char* name_;
};

// What stands behind that in what is told to be typed.
std::string value_in(const std::string& told, const std::string& name) {
  const std::size_t begin = told.find(name + "=");
  if (begin == told.npos) return "";
  return told.substr(begin + name.size() + 1, told.find(' ', begin) - begin - name.size() - 1);
}

void careful(sim::world& w) {
  w.host("server").spawn([] { return tcp::serve("[::]:7", patient_echo); });
  w.host("client").spawn([&w]() -> task<result<void>> {
    const auto got = co_await within(30s, ask(tcp::connect("server:7"), "hello"));
    w.always(!got || std::string_view("hello").starts_with(*got), "bytes in order or an error");
    co_return {};
  });
  w.run_for(1h);
}

TEST(sim_await, each_strike_is_done_at_each_await_and_a_careful_program_survives) {
  const sim::each_report told = sim::each_await({.seeds = 3}, careful);
  EXPECT_GE(told.places, 12U);
  EXPECT_LE(told.points, told.places * sim::strike_count);
  for (const std::uint64_t count : told.struck) EXPECT_GE(count, 6U);
  std::uint64_t sum = 0;
  for (const std::uint64_t count : told.struck) sum += count;
  EXPECT_EQ(told.points, sum);
}

TEST(sim_await, one_kind_of_strike_can_be_chosen) {
  const sim::each_report told = sim::each_await({.only = sim::strike::cancel}, careful);
  EXPECT_EQ(told.points, told.struck[0]);
}

// A client that cannot bear to be cancelled while it receives.
task<result<void>> touchy_client(sim::world& w) {
  tcp::stream peer = co_await ok(tcp::connect("server:7"));
  co_await ok(peer.send("hello"));
  const auto got = co_await peer.receive();
  w.always(got || got.error() != std::errc::operation_canceled, "nobody cancels");
  co_return {};
}
constexpr unsigned line_of_receive = __LINE__ - 4;

void with_a_touchy_client(sim::world& w) {
  w.host("server").spawn([] { return tcp::serve("[::]:7", patient_echo); });
  w.host("client").spawn([&w] { return touchy_client(w); });
  w.run_for(1h);
}

TEST(sim_await, a_failure_tells_the_await_what_was_done_and_how_to_see_it_again) {
  const std::string told = told_by([] { sim::each_await({}, with_a_touchy_client); });
  const std::string place =
      "receive of host client at sim_search_test.cpp:" + std::to_string(line_of_receive);
  EXPECT_NE(told.find(" fails with seed 1, await "), std::string::npos) << told;
  EXPECT_NE(told.find(place), std::string::npos) << told;
  EXPECT_NE(told.find(": cancel; at "), std::string::npos) << told;
  EXPECT_NE(told.find("not so: nobody cancels (sim_search_test.cpp:"), std::string::npos) << told;
  const std::size_t begin = told.find("SOQUETE_SIM_AWAIT=");
  ASSERT_NE(begin, std::string::npos) << told;
  EXPECT_NE(told.find("SOQUETE_SIM_SEED=1 SOQUETE_SIM_AWAIT="), std::string::npos) << told;
  const std::string value = told.substr(begin + 18, told.find(' ', begin) - begin - 18);
  EXPECT_TRUE(value.ends_with(":cancel")) << value;

  const variable await("SOQUETE_SIM_AWAIT", value);
  testing::internal::CaptureStderr();
  const std::string again = told_by([] { sim::each_await({}, with_a_touchy_client); });
  EXPECT_NE(testing::internal::GetCapturedStderr().find("meddled 256 "), std::string::npos);
  EXPECT_EQ(again, told);
}

TEST(sim_await, a_wrong_number_of_an_await_is_told) {
  {
    const variable await("SOQUETE_SIM_AWAIT", "12:tickle");
    EXPECT_EQ(told_by([] { sim::each_await({}, careful); }),
              "SOQUETE_SIM_AWAIT is a number and what is done, such as 12:reset\n");
  }
  const variable await("SOQUETE_SIM_AWAIT", "9999:cancel");
  testing::internal::CaptureStderr();
  EXPECT_NE(told_by([] { sim::each_await({}, careful); }).find("there is no such await"), std::string::npos);
  testing::internal::GetCapturedStderr();
}

TEST(sim_call, each_call_fails_with_each_cause_and_a_careful_program_survives) {
  const sim::each_report told = sim::each_call({.seeds = 2}, careful);
  EXPECT_GT(told.places, 30U);
  EXPECT_GT(told.points, 100U);
}

// Takes any error of a send for the end of the connection, and says that all was sent.
void with_a_liar(sim::world& w) {
  w.host("server").spawn([] { return tcp::serve("[::]:7", patient_echo); });
  w.host("client").spawn([&w]() -> task<result<void>> {
    auto peer = co_await tcp::connect("server:7");
    if (!peer) co_return {};
    const auto sent = co_await peer->send("hello");
    w.always(sent || sent.error() != std::errc::no_buffer_space, "there is always memory");
    co_return {};
  });
  w.run_for(1h);
}

TEST(sim_call, a_failure_tells_the_call_its_cause_and_how_to_see_it_again) {
  const std::string told = told_by([] { sim::each_call({}, with_a_liar); });
  EXPECT_NE(told.find(", send: ENOBUFS; at "), std::string::npos) << told;
  EXPECT_NE(told.find("not so: there is always memory"), std::string::npos) << told;
  const std::size_t begin = told.find("SOQUETE_SIM_CALL=");
  ASSERT_NE(begin, std::string::npos) << told;
  const variable call("SOQUETE_SIM_CALL", told.substr(begin + 17, told.find(' ', begin) - begin - 17));
  testing::internal::CaptureStderr();
  EXPECT_EQ(told_by([] { sim::each_call({}, with_a_liar); }), told);
  testing::internal::GetCapturedStderr();
}

// Fails where a connection is reset: one fault of many.
void touchy(sim::world& w) {
  w.faults(sim::swarm().without(sim::fault::crash));
  sim::host& server = w.host("server");
  sim::host& client = w.host("client");
  w.link(server, client, {.delay = {1ms, 40ms}, .window = {16, 1024}});
  server.spawn([] { return tcp::serve("[::]:7", patient_echo); });
  client.spawn([&w]() -> task<result<void>> {
    for (int i = 0; i != 20; ++i) {
      const auto got = co_await within(10s, ask(tcp::connect("server:7"), w.bytes(5'000)));
      w.always(got || got.error() != std::errc::connection_reset, "nobody resets");
    }
    co_return {};
  });
  w.run_for(1h);
}

TEST(sim_shrink, a_failure_is_told_with_the_fewest_faults) {
  const std::string told = told_by([] { sim::check({.seeds = 200}, touchy); });
  EXPECT_NE(told.find("not so: nobody resets"), std::string::npos) << told;
  EXPECT_NE(told.find("with 1 of its "), std::string::npos) << told;
  EXPECT_NE(told.find(" faults, of 1 of its "), std::string::npos) << told;
  EXPECT_NE(told.find(" kinds: reset:"), std::string::npos) << told;
  EXPECT_NE(told.find(" SOQUETE_SIM_FAULTS=reset:"), std::string::npos) << told;

  // What it says to type fails in the same way.
  const variable seed("SOQUETE_SIM_SEED", value_in(told, "SOQUETE_SIM_SEED"));
  const variable faults("SOQUETE_SIM_FAULTS", value_in(told, "SOQUETE_SIM_FAULTS"));
  testing::internal::CaptureStderr();
  const std::string again = told_by([] { sim::check({.seeds = 200}, touchy); });
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(again.substr(again.find(" at ")), [&] {
    std::string expected = told.substr(told.find(" at "));
    const std::size_t begin = expected.find("with 1 of its ");
    return expected.erase(begin, expected.find('\n', begin) + 1 - begin);
  }());
}

// Cannot bear that anything happens to it when something on the way has made it late.
void touchy_when_late(sim::world& w) {
  w.faults(sim::swarm().only(sim::fault::loss).all_at_once());
  w.host("server").spawn([] { return tcp::serve("[::]:7", patient_echo); });
  w.host("client").spawn([&w]() -> task<result<void>> {
    tcp::stream peer = co_await ok(tcp::connect("server:7"));
    for (int i = 0; i != 20; ++i) {
      co_await ok(peer.send("hello"));
      const auto got = co_await peer.receive();
      w.always(got || w.now() < 150ms, "who is late is left alone");
      if (!got || got->empty()) co_return {};
    }
    co_return {};
  });
  w.run_for(1h);
}

// What it says to type fails in the same way, and without the fault it does not.
void expect_one_fault(const std::string& told, const char* point, void (*run)()) {
  EXPECT_NE(told.find("not so: who is late is left alone"), std::string::npos) << told;
  EXPECT_NE(told.find("\nwith 1 of its "), std::string::npos) << told;
  EXPECT_NE(told.find(" faults, of 1 of its 1 kinds: loss:"), std::string::npos) << told;
  const std::string faults = value_in(told, "SOQUETE_SIM_FAULTS");
  EXPECT_TRUE(faults.starts_with("loss:")) << told;
  EXPECT_NE(told.find(" SOQUETE_SIM_FAULTS=" + faults + " " + point + "="), std::string::npos) << told;

  const variable seed("SOQUETE_SIM_SEED", value_in(told, "SOQUETE_SIM_SEED"));
  const variable place(point, value_in(told, point));
  testing::internal::CaptureStderr();
  {
    const variable only("SOQUETE_SIM_FAULTS", faults);
    std::string expected = told;
    const std::size_t begin = std::min(expected.find("\nwith "), expected.size());
    EXPECT_EQ(told_by(run), expected.erase(begin, expected.find('\n', begin + 1) - begin));
  }
  const variable none("SOQUETE_SIM_FAULTS", "none");
  EXPECT_EQ(told_by(run), "");
  testing::internal::GetCapturedStderr();
}

TEST(sim_shrink, a_failure_of_one_await_is_told_with_the_fewest_faults) {
  const auto run = [] { sim::each_await({.seeds = 30, .only = sim::strike::cancel}, touchy_when_late); };
  expect_one_fault(told_by(run), "SOQUETE_SIM_AWAIT", run);
}

TEST(sim_shrink, a_failure_of_one_call_is_told_with_the_fewest_faults) {
  const auto run = [] { sim::each_call({.seeds = 30}, touchy_when_late); };
  expect_one_fault(told_by(run), "SOQUETE_SIM_CALL", run);
}

TEST(sim_shrink, a_failure_of_one_await_is_drawn_where_it_is_asked_to) {
  std::string folder = testing::TempDir() + "soquete-each-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  std::string told;
  {
    const variable draw("SOQUETE_SIM_DRAW", folder);
    told = told_by([] { sim::each_await({.seeds = 30, .only = sim::strike::cancel}, touchy_when_late); });
  }
  const std::string file = folder + "/sim_shrink.a_failure_of_one_await_is_drawn_where_it_is_asked_to-" +
                           value_in(told, "SOQUETE_SIM_SEED");
  for (const char* kind : {".svg", ".pcapng"}) {
    EXPECT_NE(told.find("drawn: " + file + kind + "\n"), std::string::npos) << told;
    EXPECT_TRUE(std::filesystem::exists(file + kind));
  }
  std::filesystem::remove_all(folder);
}

TEST(sim_shrink, a_failure_that_needs_no_fault_says_so) {
  const std::string told = told_by([] {
    sim::check({.seeds = 20}, [](sim::world& w) {
      w.faults(sim::swarm().only(sim::fault::pieces));
      careful(w);
      w.always(w.seed() < 4, "a failure of its own");
    });
  });
  EXPECT_NE(told.find("and so it does without any of its "), std::string::npos) << told;
  EXPECT_NE(told.find(" SOQUETE_SIM_FAULTS=none "), std::string::npos) << told;
}

TEST(sim_check, what_is_told_does_not_depend_on_the_number_of_processes) {
  const auto told = [](unsigned processes) {
    return told_by([&] { sim::check({.seeds = 200, .processes = processes}, touchy); });
  };
  const std::string one = told(1);
  EXPECT_NE(one, "");
  EXPECT_EQ(told(2), one);
  EXPECT_EQ(told(3), one);
  const auto sum = [](unsigned processes) {
    return sim::check({.seeds = 20, .processes = processes}, careful);
  };
  const sim::check_report here = sum(1);
  const sim::check_report there = sum(3);
  EXPECT_EQ(here.trace_hash, there.trace_hash);
  EXPECT_EQ(here.events, there.events);
  EXPECT_EQ(here.virtual_time, there.virtual_time);
  EXPECT_EQ(there.seeds, 20U);
}

TEST(sim_check, a_seed_that_crashes_is_told) {
  const std::string told = told_by([] {
    sim::check({.seeds = 9}, [](sim::world& w) {
      if (w.seed() == 5) ::raise(SIGKILL);
    });
  });
  EXPECT_NE(told.find("fails with seed 5, number 5 of 9, its process died of signal 9, see above\n"),
            std::string::npos)
      << told;
  EXPECT_NE(told.find("SOQUETE_SIM_SEED=5 "), std::string::npos) << told;
}

TEST(sim_check, a_scenario_that_throws_is_told) {
  const std::string told = told_by([] {
    sim::check({.seeds = 3}, [](sim::world& w) {
      if (w.seed() == 2) throw std::runtime_error("of its own");
    });
  });
  EXPECT_NE(told.find("the scenario has thrown: of its own\n"), std::string::npos) << told;
}

TEST(sim_check, a_history_that_is_another_the_second_time_is_told) {
  const std::string told = told_by([] {
    static std::uint64_t runs = 0;
    sim::check({.seeds = 3, .twice = true}, [](sim::world& w) {
      ++runs;
      w.host("server").spawn(
          []() -> task<result<void>> { co_return co_await sleep(std::chrono::seconds(runs)); });
      w.run_for(1h);
    });
  });
  EXPECT_NE(told.find("its history is another the second time: trace "), std::string::npos) << told;
}

}  // namespace
}  // namespace soquete::test
