// The first answer of several tasks, or all of them.
#include "test_loop.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <soquete/deadline.hpp>
#include <soquete/race.hpp>
#include <stdexcept>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

void play(const std::function<task<result<void>>()>& body) {
  const baseline before = baseline::now();
  {
    test_loop loop(driver_choice::poll);
    const auto ended = loop.run(body());
    EXPECT_TRUE(ended) << to_string(ended.error());
    EXPECT_EQ(loop.here().timers().size(), 0U);
  }
  EXPECT_EQ(baseline::now(), before);
}

task<result<int>> after(int rounds, int value) {
  for (int i = 0; i != rounds; ++i) co_await ok(yield());
  co_return value;
}
task<result<int>> failing_after(int rounds, std::errc why) {
  for (int i = 0; i != rounds; ++i) co_await ok(yield());
  co_return fail(why);
}
task<result<int>> never(bool& ended) {
  auto waited = co_await sleep(1h);
  ended = true;
  co_return fail(waited.error());
}
task<result<int>> throwing() {
  co_await ok(yield());
  throw std::runtime_error("thrown");
}

TEST(race, the_first_success_wins_and_the_others_end) {
  play([]() -> task<result<void>> {
    bool one_ended = false, other_ended = false;
    const int got = co_await ok(first_of(never(one_ended), after(3, 7), never(other_ended)));
    EXPECT_EQ(got, 7);
    EXPECT_TRUE(one_ended && other_ended);
    co_return {};
  });
}

TEST(race, an_early_error_does_not_end_the_race) {
  play([]() -> task<result<void>> {
    const int got = co_await ok(first_of(failing_after(0, std::errc::bad_message), after(4, 8)));
    EXPECT_EQ(got, 8);
    co_return {};
  });
}

TEST(race, when_all_fail_the_earliest_error_is_told) {
  play([]() -> task<result<void>> {
    auto got = co_await first_of(failing_after(3, std::errc::bad_message),
                                 failing_after(1, std::errc::no_buffer_space),
                                 failing_after(2, std::errc::message_size));
    EXPECT_TRUE(!got && got.error() == std::errc::no_buffer_space);
    co_return {};
  });
}

TEST(race, one_alone_gives_its_own) {
  play([]() -> task<result<void>> {
    const int got = co_await ok(first_of(after(0, 1)));
    EXPECT_EQ(got, 1);
    co_return {};
  });
}

TEST(race, a_deadline_ends_a_race_that_nobody_wins) {
  play([]() -> task<result<void>> {
    bool one_ended = false, other_ended = false;
    auto got = co_await within(1ms, first_of(never(one_ended), never(other_ended)));
    EXPECT_FALSE(got);
    EXPECT_TRUE(one_ended && other_ended);
    co_return {};
  });
}

TEST(race, all_of_them_give_all_values) {
  play([]() -> task<result<void>> {
    auto nothing = []() -> task<result<void>> { co_return {}; };
    auto got = co_await ok(all_of(after(2, 1), nothing(), after(0, 3)));
    EXPECT_EQ(std::get<0>(got), 1);
    EXPECT_EQ(std::get<2>(got), 3);
    co_return {};
  });
}

TEST(race, all_of_them_fail_with_the_first_error_and_the_others_end) {
  play([]() -> task<result<void>> {
    bool ended = false;
    auto got = co_await all_of(never(ended), failing_after(2, std::errc::bad_message), after(0, 1));
    EXPECT_TRUE(!got && got.error() == std::errc::bad_message);
    EXPECT_TRUE(ended);
    co_return {};
  });
}

TEST(race, an_exception_passes_after_the_others_have_ended) {
  play([]() -> task<result<void>> {
    bool ended = false, caught = false;
    try {
      static_cast<void>(co_await first_of(never(ended), throwing()));
    } catch (const std::runtime_error&) {
      caught = true;
    }
    EXPECT_TRUE(ended && caught);
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
