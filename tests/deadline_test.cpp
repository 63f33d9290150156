// Deadlines: within, shield, sleep, with a clock that the test sets.
#include "test_loop.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <soquete/deadline.hpp>
#include <soquete/event.hpp>
#include <soquete/scope.hpp>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

// Each turn the clock jumps by `step`, instead of waiting.
struct jumping : turn_watcher {
  clock::duration step{};
  void after_turn() override { leap += step; }
};

class deadlines : public testing::Test {
 protected:
  void play(const std::function<task<result<void>>()>& body, clock::duration step = {}) {
    const baseline before = baseline::now();
    {
      jumping watcher;
      watcher.step = step;
      watcher.is_hasty = step != clock::duration::zero();
      test_loop loop(driver_choice::poll, &watcher);
      loop_ = &loop;
      const auto ended = loop.run(body());
      EXPECT_TRUE(ended) << to_string(ended.error());
      EXPECT_EQ(loop.here().timers().size(), 0U);
    }
    EXPECT_EQ(baseline::now(), before);
  }
  time_point now() { return loop_->here().now(); }

 private:
  test_loop* loop_ = nullptr;
};

bool timed_out(const result<void>& r) { return !r && r.error() == std::errc::timed_out; }
bool cancelled(const result<void>& r) { return !r && r.error() == std::errc::operation_canceled; }

task<result<void>> forever() {
  for (;;) co_await ok(sleep(1h));
}
task<result<void>> at_once() { co_return {}; }

TEST_F(deadlines, a_sleep_lasts_at_least_as_long_as_asked) {
  play([this]() -> task<result<void>> {
    for (auto span : {1us, 100us, 1500us, 3000us}) {
      const time_point begun = now();
      co_await ok(sleep(span));
      EXPECT_GE(now() - begun, span);
    }
    co_return {};
  });
}

// The time since the last turn is not the task's.
TEST_F(deadlines, a_span_begins_with_the_task_however_long_the_loop_has_not_run) {
  jumping watcher;
  test_loop loop(driver_choice::poll, &watcher);
  const auto two_turns = []() -> task<result<void>> {
    co_await ok(yield());
    co_return co_await yield();
  };
  const auto in_a_minute = [&]() -> task<result<void>> { co_return co_await within(1min, two_turns()); };
  EXPECT_TRUE(loop.run(in_a_minute()));
  watcher.leap += 1h;
  EXPECT_TRUE(loop.run(in_a_minute()));
}

TEST_F(deadlines, a_yield_lets_others_run_first) {
  play([]() -> task<result<void>> {
    int turns = 0;
    auto count = [](int& n) -> task<result<void>> {
      for (; n != 5; ++n) co_await ok(yield());
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(count(turns));
      for (int i = 0; i != 20 && turns != 5; ++i) co_await ok(yield());
      EXPECT_EQ(turns, 5);
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

TEST_F(deadlines, what_ends_in_time_keeps_its_value) {
  play([]() -> task<result<void>> {
    co_await ok(within(1h, at_once()));
    co_await ok(within(1h, sleep(1ms)));
    co_await ok(within(clock::duration::max(), sleep(1ms)));
    co_return {};
  });
}

TEST_F(deadlines, what_does_not_end_in_time_is_timed_out) {
  play(
      []() -> task<result<void>> {
        auto got = co_await within(1h, forever());
        EXPECT_FALSE(got);
        auto longer = co_await within(30min, sleep(31min));
        EXPECT_TRUE(timed_out(longer));
        co_return {};
      },
      10min);
}

TEST_F(deadlines, zero_and_less_is_over_before_it_begins) {
  play([]() -> task<result<void>> {
    for (auto span : {0ns, -1ns, std::chrono::nanoseconds(clock::duration::min())}) {
      auto got = co_await within(span, sleep(1ms));
      EXPECT_TRUE(timed_out(got));
    }
    // What does not wait is not held up.
    co_await ok(within(0ns, at_once()));
    co_return {};
  });
}

TEST_F(deadlines, of_nested_deadlines_the_nearest_wins) {
  play(
      [this]() -> task<result<void>> {
        const time_point begun = now();
        auto outer = co_await within(1h, within(100h, sleep(1000h)));
        EXPECT_TRUE(timed_out(outer));
        EXPECT_LT(now() - begun, 2h);
        auto inner = co_await within(100h, within(1h, sleep(1000h)));
        EXPECT_TRUE(timed_out(inner));
        EXPECT_LT(now() - begun, 4h);
        co_return {};
      },
      10min);
}

TEST_F(deadlines, an_inner_deadline_leaves_the_outer_one_in_force) {
  play(
      []() -> task<result<void>> {
        auto work = []() -> task<result<void>> {
          for (int i = 0; i != 3; ++i) {
            auto got = co_await within(1h, sleep(1000h));
            EXPECT_TRUE(timed_out(got));
          }
          auto last = co_await within(1000h, sleep(1000h));
          EXPECT_TRUE(timed_out(last));
          co_return last;
        };
        auto got = co_await within(10h, work());
        EXPECT_TRUE(timed_out(got));
        co_return {};
      },
      10min);
}

TEST_F(deadlines, a_region_that_is_over_stays_over) {
  play(
      []() -> task<result<void>> {
        auto work = []() -> task<result<void>> {
          auto first = co_await sleep(100h);
          EXPECT_TRUE(timed_out(first));
          for (int i = 0; i != 3; ++i) {
            auto again = co_await sleep(100h);
            EXPECT_TRUE(timed_out(again));
            auto nested = co_await within(50h, sleep(100h));
            EXPECT_TRUE(timed_out(nested));
          }
          co_return {};
        };
        co_await ok(within(1h, work()));
        co_await ok(sleep(1h));
        co_return {};
      },
      10min);
}

TEST_F(deadlines, a_shield_is_deaf_to_the_outside_but_not_to_its_own_time) {
  play(
      []() -> task<result<void>> {
        auto work = []() -> task<result<void>> {
          auto over = co_await sleep(100h);
          EXPECT_TRUE(timed_out(over));
          co_await ok(shield(3h, sleep(2h)));
          auto too_long = co_await shield(3h, sleep(100h));
          EXPECT_TRUE(timed_out(too_long));
          co_return {};
        };
        co_await ok(within(1h, work()));
        co_return {};
      },
      10min);
}

TEST_F(deadlines, a_cancellation_within_a_deadline_is_a_cancellation) {
  play([]() -> task<result<void>> {
    result<void> ended;
    auto wait = [](result<void>& how) -> task<result<void>> {
      how = co_await within(1h, sleep(2h));
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(wait(ended));
      co_await ok(yield());
      co_await ok(yield());
      s.cancel();
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_TRUE(cancelled(ended));
    co_return {};
  });
}

TEST_F(deadlines, a_result_of_the_same_turn_beats_the_deadline) {
  play(
      []() -> task<result<void>> {
        // The timer of the sleep was armed first and is due with the deadline's: its result has come.
        for (int i = 0; i != 10; ++i) {
          auto got = co_await within(1h + 1ns, sleep(1h));
          EXPECT_TRUE(got.has_value());
        }
        co_return {};
      },
      2h);
}

TEST_F(deadlines, a_hundred_thousand_sleeps_of_one_length_end_in_order) {
  play([]() -> task<result<void>> {
    int next = 0;
    bool in_order = true;
    auto one = [](int number, int& expected, bool& good) -> task<result<void>> {
      co_await ok(sleep(1ms));
      good &= number == expected++;
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      for (int i = 0; i != 100'000; ++i) s.spawn(one(i, next, in_order));
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_EQ(next, 100'000);
    EXPECT_TRUE(in_order);
    co_return {};
  });
}

TEST_F(deadlines, a_moment_beyond_the_clock_is_never) {
  const time_point now(1h);
  EXPECT_EQ(detail::moment_after(now, clock::duration::max()), time_point::max());
  EXPECT_EQ(detail::moment_after(time_point::max() - 1ns, 2ns), time_point::max());
  EXPECT_EQ(detail::moment_after(now, 1ns), now + 1ns);
  EXPECT_LE(detail::moment_after(now, clock::duration::min()), now);
}

}  // namespace
}  // namespace soquete::test
