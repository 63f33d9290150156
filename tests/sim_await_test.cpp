// Which awaits each_await strikes, at which moments, and what it says of who does not end. docs/simulation.md
#include <gtest/gtest.h>

#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>

#include "told_by.hpp"

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

using program = task<result<void>> (*)(sim::world&);

// One host runs it.
sim::scenario alone(program what) {
  return [what](sim::world& w) {
    w.host("only").spawn([&w, what] { return what(w); });
    w.run_for(1h);
  };
}

std::string told(const sim::scenario& what, const sim::each_options& how = {}) {
  return told_by([&] { sim::each_await(how, what); });
}

bool says(const std::string& text, std::string_view words) { return text.find(words) != text.npos; }

std::string place(const char* what, unsigned line) {
  return std::string(what) + " of host only at sim_await_test.cpp:" + std::to_string(line);
}

// Waits that are no operations.

constexpr unsigned line_of_sleep = __LINE__ + 2;
task<result<void>> sleep_undisturbed(sim::world& w) {
  const auto slept = co_await sleep(1s);
  w.always(slept.has_value(), "nobody disturbs");
  co_return {};
}

TEST(sim_await, a_sleep_is_struck) {
  const std::string text = told(alone(sleep_undisturbed));
  EXPECT_TRUE(says(text, place("sleep", line_of_sleep) + ": cancel; at 0.000000 s: not so: nobody disturbs"))
      << text;
}

constexpr unsigned line_of_event = __LINE__ + 4;
task<result<void>> wait_undisturbed(sim::world& w) {
  event never;
  const auto bell = [&](scope&) -> task<result<void>> {
    const auto rung = co_await never.wait();
    w.always(rung || rung.error() == std::errc::timed_out, "nobody disturbs");
    co_return {};
  };
  static_cast<void>(co_await within(1min, with_scope(bell)));
  co_return {};
}

TEST(sim_await, the_wait_for_an_event_is_struck) {
  const std::string text = told(alone(wait_undisturbed));
  EXPECT_TRUE(says(text, place("event", line_of_event))) << text;
  EXPECT_TRUE(says(text, ": cancel; at 0.000000 s: not so: nobody disturbs")) << text;
}

task<result<void>> begin_undisturbed(sim::world& w) {
  w.always(!co_await detail::is_cancelled(), "nobody ends before it begins");
  co_return {};
}

constexpr unsigned line_of_join = __LINE__ + 6;
task<result<void>> wait_for_a_child(sim::world& w) {
  const auto body = [&](scope& s) -> task<result<void>> {
    s.spawn(begin_undisturbed(w));
    co_return {};
  };
  co_return co_await with_scope(body);
}

TEST(sim_await, a_scope_that_waits_for_its_children_is_struck_before_they_begin) {
  const std::string text = told(alone(wait_for_a_child));
  EXPECT_TRUE(says(text, place("join", line_of_join))) << text;
  EXPECT_TRUE(says(text, ": cancel; at 0.000000 s: not so: nobody ends before it begins")) << text;
}

task<result<void>> call_undisturbed(sim::world& w) {
  const auto got = co_await blocking([] { return 1; });
  w.always(got.has_value(), "nobody disturbs");
  co_return {};
}

TEST(sim_await, a_blocking_call_is_struck) {
  EXPECT_TRUE(says(told(alone(call_undisturbed)), ", blocking call of host only at "));
}

// The sleep is over before the deadline is, though both are looked at in one turn.
task<result<void>> sleep_within(sim::world& w) {
  const auto slept = co_await within(2s, sleep(1s));
  w.always(slept || slept.error() == std::errc::operation_canceled, "a sleep that is over is no timeout");
  co_return {};
}

TEST(sim_await, the_clock_jumps_beyond_the_deadline_of_a_sleep) {
  EXPECT_EQ(told(alone(sleep_within)), "");
  EXPECT_EQ(sim::each_await({.only = sim::strike::past_deadline}, alone(sleep_within)).points, 1U);
  const std::string text =
      told(alone([](sim::world& w) -> task<result<void>> {
             const auto slept = co_await within(1s, sleep(2s));
             w.always(slept.error() != std::errc::timed_out || w.now() > 0s, "time passes for all alike");
             co_return {};
           }),
           {.only = sim::strike::past_deadline});
  EXPECT_TRUE(says(text, "not so: time passes for all alike")) << text;
}

task<result<void>> sleep_within_two(sim::world& w) {
  loop& here = co_await this_loop();
  const time_point begun = here.now();
  static_cast<void>(co_await within(5s, within(10s, sleep(20s))));
  w.always(here.now() - begun == 5s, "the nearer deadline counts");
  co_return {};
}

TEST(sim_await, the_clock_jumps_beyond_the_nearest_deadline_only) {
  EXPECT_EQ(told(alone(sleep_within_two), {.only = sim::strike::past_deadline}), "");
}

// The turn in which the result comes.

task<result<void>> answer(tcp::stream peer) { co_return co_await peer.send("hello"); }

// What the client gets, and whether it had been asked to end, or its time was over, by then.
using inspection = std::function<void(sim::world&, const result<lease>& got, bool is_asked, bool is_late)>;

task<result<void>> ask(sim::world& w, const inspection& look) {
  loop& here = co_await this_loop();
  tcp::stream peer = co_await ok(tcp::connect("server:7"));
  const time_point end = here.now() + 5s;
  const auto got = co_await within(5s, peer.receive());
  const bool is_asked = co_await detail::is_cancelled();
  look(w, got, is_asked, here.now() >= end);
  co_return {};
}

sim::scenario asking(const inspection& look) {
  return [look](sim::world& w) {
    w.host("server").spawn([] { return tcp::serve("[::]:7", answer); });
    w.host("client").spawn([&w, look] { return ask(w, look); });
    w.run_for(1h);
  };
}

TEST(sim_await, the_end_is_asked_for_in_the_turn_in_which_a_result_comes) {
  const auto scenario = asking([](sim::world& w, const result<lease>& got, bool is_asked, bool) {
    w.always(!got || !is_asked, "nobody ends who has just received");
  });
  EXPECT_EQ(told(scenario, {.only = sim::strike::cancel}), "");
  for (const auto how : {sim::strike::cancel_then_result, sim::strike::result_then_cancel}) {
    const std::string text = told(scenario, {.only = how});
    EXPECT_TRUE(says(text, ", receive of host client at sim_await_test.cpp:")) << text;
    EXPECT_TRUE(says(text, "not so: nobody ends who has just received")) << text;
  }
}

TEST(sim_await, the_deadline_passes_in_the_turn_in_which_a_result_comes) {
  const auto scenario = asking([](sim::world& w, const result<lease>& got, bool, bool is_late) {
    w.always(!got || !is_late, "nobody is late who has just received");
  });
  EXPECT_EQ(told(scenario, {.only = sim::strike::past_deadline}), "");
  for (const auto how : {sim::strike::deadline_then_result, sim::strike::result_then_deadline}) {
    const std::string text = told(scenario, {.only = how});
    EXPECT_TRUE(says(text, ", receive of host client at sim_await_test.cpp:")) << text;
    EXPECT_TRUE(says(text, "not so: nobody is late who has just received")) << text;
  }
}

TEST(sim_await, a_result_that_has_come_is_not_lost) {
  const auto scenario = asking([](sim::world& w, const result<lease>& got, bool is_asked, bool is_late) {
    w.always(!got || got->text() == "hello", "all of it");
    w.always(got || is_asked || is_late, "it is not lost");
  });
  for (const auto how : {sim::strike::cancel_then_result, sim::strike::result_then_cancel,
                         sim::strike::deadline_then_result, sim::strike::result_then_deadline}) {
    const sim::each_report all = sim::each_await({.only = how}, scenario);
    EXPECT_GE(all.points, 1U) << static_cast<int>(how);
    EXPECT_EQ(all.points, all.struck[static_cast<std::size_t>(how)]);
  }
}

// When its time is over it has slept, even if it is asked to end at that very moment; not if it was before.
task<result<void>> sleep_to_the_end(sim::world& w) {
  loop& here = co_await this_loop();
  const time_point end = here.now() + 1s;
  const auto slept = co_await sleep(1s);
  const bool is_asked = co_await detail::is_cancelled();
  w.always(!slept || !is_asked, "asked to end after its sleep");
  w.always(slept || here.now() < end, "asked to end at the end of its sleep");
  co_return {};
}

TEST(sim_await, the_end_is_asked_for_in_the_turn_in_which_a_timer_fires) {
  const auto told_of = [](sim::strike how) { return told(alone(sleep_to_the_end), {.only = how}); };
  EXPECT_EQ(told_of(sim::strike::cancel), "");
  const std::string before = told_of(sim::strike::cancel_then_result);
  EXPECT_TRUE(says(before, "at 1.000000 s: not so: asked to end at the end of its sleep")) << before;
  const std::string after = told_of(sim::strike::result_then_cancel);
  EXPECT_TRUE(says(after, "at 1.000000 s: not so: asked to end after its sleep")) << after;
}

// How long it takes to end.

task<result<void>> say_a_long_goodbye(sim::world&) {
  static_cast<void>(co_await sleep(30min));
  static_cast<void>(co_await shield(10min, sleep(5min)));
  co_return {};
}

TEST(sim_await, a_program_that_does_not_end_when_asked_to_is_told) {
  const std::string text = told(alone(say_a_long_goodbye), {.only = sim::strike::cancel});
  EXPECT_TRUE(says(text, ": cancel; at 60.000000 s: a program of host only does not end when asked to\n"))
      << text;
  EXPECT_TRUE(says(text, "sim_await_test.cpp:")) << text;
  EXPECT_TRUE(says(text, " for a moment, at most ")) << text;
}

TEST(sim_await, a_program_may_ask_for_more_time_to_end) {
  EXPECT_EQ(told(alone(say_a_long_goodbye), {.grace = 5min}), "");
  EXPECT_NE(told(alone(say_a_long_goodbye), {.grace = 299s}), "");
}

task<result<void>> rest(clock::duration span) { co_return co_await sleep(span); }
task<result<void>> rest_undisturbed(clock::duration span) { co_return co_await shield(2 * span, rest(span)); }

task<result<void>> have_a_deaf_child(sim::world&) {
  const auto body = [](scope& s) -> task<result<void>> {
    s.spawn(rest(1h));
    s.spawn(rest_undisturbed(1h));
    co_return {};
  };
  co_return co_await with_scope(body);
}

TEST(sim_await, a_program_that_waits_for_a_child_which_does_not_end_is_told) {
  const std::string text = told(alone(have_a_deaf_child), {.only = sim::strike::cancel});
  EXPECT_TRUE(says(text, "at 60.000000 s: a program of host only does not end when asked to\n")) << text;
}

task<result<void>> stay_connected(tcp::stream peer) {
  static_cast<void>(co_await within(5min, peer.receive()));  // A host that has lost power says nothing.
  co_return {};
}

void with_a_patient_server(sim::world& w) {
  w.host("server").spawn([] { return tcp::serve("[::]:7", stay_connected, {.drain = 50s}); });
  w.host("client").spawn([]() -> task<result<void>> {
    tcp::stream peer = co_await ok(tcp::connect("server:7"));
    static_cast<void>(co_await within(10min, peer.receive()));
    co_return {};
  });
  w.run_for(1h);
}

TEST(sim_await, a_server_that_drains_is_given_time) {
  EXPECT_EQ(told(with_a_patient_server, {.only = sim::strike::cancel}), "");
  const std::string text = told(with_a_patient_server, {.only = sim::strike::cancel, .grace = 49s});
  EXPECT_TRUE(says(text, "a program of host server does not end when asked to\n")) << text;
}

// A failure of one ends the other at the same moment.
void with_siblings(sim::world& w) {
  w.host("server").spawn([] { return tcp::serve("[::]:7", stay_connected); });
  w.host("client").spawn([&w]() -> task<result<void>> {
    tcp::stream peer = co_await ok(within(10s, tcp::connect("server:7")));
    std::chrono::nanoseconds failed_at{};
    const auto receiving = [](sim::world& in, tcp::stream& from,
                              std::chrono::nanoseconds& at) -> task<result<void>> {
      auto got = co_await within(10s, from.receive());
      at = in.now();
      if (!got) co_return fail(got.error());
      co_return {};
    };
    const auto both = [&](scope& s) -> task<result<void>> {
      s.spawn(receiving(w, peer, failed_at));
      s.spawn(rest(1min));
      co_return {};
    };
    const auto ended = co_await with_scope(both);
    w.always(ended || w.now() == failed_at, "an error ends all");
    w.sometimes(!ended, "an error");
    co_return {};
  });
  w.run_for(1h);
}

TEST(sim_await, an_error_of_a_child_ends_its_siblings_at_each_strike) {
  EXPECT_EQ(told([](sim::world& w) { with_siblings(w); }, {}), "");
}

}  // namespace
}  // namespace soquete::test
