// Tests that run on each driver and leave nothing behind.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <soquete/tcp.hpp>

#include "test_loop.hpp"

namespace soquete::test {

/// One driver, by name.
class with_driver : public testing::TestWithParam<driver_choice> {
 protected:
  /// Fails where io_uring is refused, unless SOQUETE_TEST_REFUSED says that it is on purpose: then it skips.
  void SetUp() override;
};

/// A loop on that driver. At the end descriptors, frames, timers, sockets and leases are as at the start.
class on_each_driver : public with_driver {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Runs `body()` to its end, which is to be a success. The closure stays until then, so it may capture.
  template <class F>
  void play(F body) {
    ended_well(loop_->run(body()));
  }

  loop& here() noexcept { return loop_->here(); }
  driver_counts counts() noexcept { return loop_->counts(); }

 private:
  static void ended_well(const result<void>& how);

  baseline before_{};
  std::optional<test_loop> loop_;
};

std::string driver_name(const testing::TestParamInfo<driver_choice>& info);

#define ON_EACH_DRIVER(suite)                                                                               \
  INSTANTIATE_TEST_SUITE_P(on, suite,                                                                       \
                           testing::Values(soquete::driver_choice::io_uring, soquete::driver_choice::epoll, \
                                           soquete::driver_choice::poll),                                   \
                           soquete::test::driver_name)

/// The same, and on a simulated host. A test that cannot says so: NEEDS_THE_KERNEL.
#define ON_EVERY_DRIVER(suite)                                                                              \
  INSTANTIATE_TEST_SUITE_P(on, suite,                                                                       \
                           testing::Values(soquete::driver_choice::io_uring, soquete::driver_choice::epoll, \
                                           soquete::driver_choice::poll, soquete::test::simulated),         \
                           soquete::test::driver_name)

/// First in a test that a simulated network cannot run, with the reason.
#define NEEDS_THE_KERNEL(why) \
  if (GetParam() == soquete::test::simulated) GTEST_SKIP() << why

/// A failure for that reason: `EXPECT_TRUE(fails_with(got, std::errc::timed_out))`.
template <class T, class Cause>
testing::AssertionResult fails_with(const result<T>& got, Cause why) {
  if (got) return testing::AssertionFailure() << "it succeeded";
  if (got.error() == why) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "it failed otherwise: " << to_string(got.error());
}

template <class T>
testing::AssertionResult succeeds(const result<T>& got) {
  if (got) return testing::AssertionSuccess();
  return testing::AssertionFailure() << to_string(got.error());
}

}  // namespace soquete::test
