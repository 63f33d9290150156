// Polling before a sleep: when it is tried, that it ends, and that nothing is missed meanwhile.
#include <gtest/gtest.h>
#include <cstdlib>
#include <soquete/event.hpp>
#include <soquete/run.hpp>
#include <soquete/spin_rule.hpp>
#include <thread>

#include "on_each_driver.hpp"

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

TEST(spin_rule, is_off_from_the_start) { EXPECT_FALSE(spin_rule().is_on()); }

TEST(spin_rule, begins_after_a_short_sleep) {
  spin_rule rule(50us);
  EXPECT_TRUE(rule.is_on());
  EXPECT_FALSE(rule.pays());
  rule.slept(50us);
  EXPECT_FALSE(rule.pays());
  rule.slept(49us);
  EXPECT_TRUE(rule.pays());
}

TEST(spin_rule, goes_on_as_long_as_it_is_not_in_vain) {
  spin_rule rule(50us);
  rule.slept(1us);
  for (int i = 0; i < 1000; ++i) {
    rule.polled(true);
    ASSERT_TRUE(rule.pays());
  }
  rule.polled(false);
  EXPECT_TRUE(rule.pays()) << "one is forgiven";
  rule.polled(false);
  EXPECT_FALSE(rule.pays());
}

TEST(spin_rule, is_tried_ever_less_where_it_is_always_in_vain) {
  spin_rule rule(50us);
  int tried = 0;
  for (int i = 0; i < 100'000; ++i) {
    if (rule.pays()) {
      ++tried;
      rule.polled(false);
    }
    rule.slept(5us);
  }
  EXPECT_GT(tried, 50);
  EXPECT_LT(tried, 150);
}

TEST(spin_rule, is_tried_at_once_again_after_it_has_paid) {
  spin_rule rule(50us);
  for (int i = 0; i < 1000; ++i) {
    if (rule.pays()) rule.polled(false);
    rule.slept(5us);
  }
  while (!rule.pays()) rule.slept(5us);
  rule.polled(true);
  rule.polled(false);
  rule.polled(false);
  ASSERT_FALSE(rule.pays());
  rule.slept(5us);
  rule.slept(5us);
  EXPECT_TRUE(rule.pays());
}

class spin : public with_driver {};
ON_EACH_DRIVER(spin);

// How many system calls a sleep takes.
std::uint64_t calls_of_a_sleep(context& c, clock::duration how_long) {
  const std::uint64_t before = c.on().net().counts().kernel_calls;
  EXPECT_TRUE(succeeds(c.wait(sleep(how_long))));
  return c.on().net().counts().kernel_calls - before;
}

TEST_P(spin, a_loop_whose_sleeps_are_short_polls) {
  context c(GetParam(), 10ms);
  std::uint64_t calls = 0;
  for (int i = 0; i < 20; ++i) calls += calls_of_a_sleep(c, 1ms);
  EXPECT_GT(calls, 100);
}

TEST_P(spin, a_loop_that_has_nothing_to_do_sleeps) {
  context c(GetParam(), 1ms);
  for (int i = 0; i < 10; ++i) calls_of_a_sleep(c, 100us);
  // Twice in vain; that was enough.
  calls_of_a_sleep(c, 200ms);
  calls_of_a_sleep(c, 200ms);
  EXPECT_LT(calls_of_a_sleep(c, 200ms), 10);
}

TEST_P(spin, without_it_nothing_polls) {
  context c(GetParam());
  std::uint64_t calls = 0;
  for (int i = 0; i < 20; ++i) calls += calls_of_a_sleep(c, 1ms);
  EXPECT_LT(calls, 100);
}

TEST_P(spin, a_span_without_end_lasts_until_something_is_due) {
  context c(GetParam(), std::chrono::nanoseconds::max());
  for (int i = 0; i < 3; ++i) EXPECT_GT(calls_of_a_sleep(c, 1ms), 0U);
}

// Who posts wakes the driver; the poll must not take that for itself and let the loop sleep.
TEST_P(spin, what_another_thread_posts_ends_it) {
  context c(GetParam(), 1h);
  calls_of_a_sleep(c, 1ms);
  for (int i = 0; i < 20; ++i) {
    event come;
    std::thread other([&] { c.on().post([&] { come.notify_all(); }); });
    EXPECT_TRUE(succeeds(c.wait(come.wait())));
    other.join();
  }
}

class spin_variable : public testing::TestWithParam<const char*> {};

TEST_P(spin_variable, says_that_it_takes_microseconds) {
  ::setenv("SOQUETE_SPIN", GetParam(), 1);
  context c(driver_choice::poll);
  const auto ended = c.wait(sleep(1us));
  ::unsetenv("SOQUETE_SPIN");
  ASSERT_FALSE(ended);
  EXPECT_EQ(to_string(ended.error()),
            std::string("start driver ") + GetParam() +
                ": invalid argument (SOQUETE_SPIN takes microseconds from 0 to 10000)");
}
INSTANTIATE_TEST_SUITE_P(wrong, spin_variable, testing::Values("on", "-1", "50us", "10001", " 5", "1e3"));

TEST(spin_variable_of_the_system, counts_where_the_program_asks_for_none) {
  ::setenv("SOQUETE_SPIN", "10000", 1);
  context asks_for_none(driver_choice::poll);
  context asks_for_never(driver_choice::poll, -1ns);
  ::unsetenv("SOQUETE_SPIN");
  std::uint64_t calls = 0, calls_of_never = 0;
  for (int i = 0; i < 20; ++i) {
    calls += calls_of_a_sleep(asks_for_none, 1ms);
    calls_of_never += calls_of_a_sleep(asks_for_never, 1ms);
  }
  EXPECT_GT(calls, 100);
  EXPECT_LT(calls_of_never, 100);
}

}  // namespace
}  // namespace soquete::test
