// Events wake all who wait at the time.
#include "test_loop.hpp"

#include <gtest/gtest.h>

#include <soquete/deadline.hpp>
#include <soquete/event.hpp>
#include <soquete/scope.hpp>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

task<result<void>> wait_once(event& e, int& woken) {
  co_await ok(e.wait());
  ++woken;
  co_return {};
}

template <class F>
void play(F body) {
  const baseline before = baseline::now();
  {
    test_loop loop(driver_choice::poll);
    const auto ended = loop.run(body());
    EXPECT_TRUE(ended) << to_string(ended.error());
    EXPECT_EQ(loop.here().timers().size(), 0U);
  }
  EXPECT_EQ(baseline::now(), before);
}

TEST(event, all_who_wait_are_woken_once) {
  play([]() -> task<result<void>> {
    event e;
    int woken = 0;
    auto body = [&](scope& s) -> task<result<void>> {
      for (int i = 0; i != 100; ++i) s.spawn(wait_once(e, woken));
      co_await ok(yield());
      co_await ok(yield());
      EXPECT_EQ(woken, 0);
      e.notify_all();
      e.notify_all();
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_EQ(woken, 100);
    co_return {};
  });
}

TEST(event, it_remembers_nothing) {
  play([]() -> task<result<void>> {
    event e;
    e.notify_all();
    auto late = co_await within(1ms, e.wait());
    EXPECT_TRUE(!late && late.error() == std::errc::timed_out);
    co_return {};
  });
}

TEST(event, who_waits_again_waits_for_the_next) {
  play([]() -> task<result<void>> {
    event e;
    int rounds = 0;
    auto ring = [](event& bell, int& count) -> task<result<void>> {
      for (; count != 10; ++count) co_await ok(bell.wait());
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(ring(e, rounds));
      for (int i = 0; i != 10; ++i) {
        co_await ok(yield());
        co_await ok(yield());
        EXPECT_EQ(rounds, i);
        e.notify_all();
      }
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_EQ(rounds, 10);
    co_return {};
  });
}

TEST(event, a_waiter_in_the_middle_can_be_cancelled) {
  play([]() -> task<result<void>> {
    event e;
    int woken = 0;
    auto impatient = [](event& on) -> task<result<void>> {
      auto got = co_await within(1ms, on.wait());
      EXPECT_TRUE(!got && got.error() == std::errc::timed_out);
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(wait_once(e, woken));
      for (int i = 0; i != 3; ++i) s.spawn(impatient(e));
      s.spawn(wait_once(e, woken));
      while (s.size() != 2) co_await ok(sleep(1ms));
      e.notify_all();
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_EQ(woken, 2);
    co_return {};
  });
}

TEST(event, a_cancellation_in_the_round_of_the_notification_changes_nothing) {
  play([]() -> task<result<void>> {
    event e;
    int woken = 0;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(wait_once(e, woken));
      co_await ok(yield());
      co_await ok(yield());
      e.notify_all();
      s.cancel();
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_EQ(woken, 1);
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
