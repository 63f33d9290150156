// Tests that run on each driver of the kernel and leave nothing behind.
#include "on_each_driver.hpp"

#include <cstdlib>

namespace soquete::test {

void with_driver::SetUp() {
  test_loop tried(GetParam());
  if (tried.opened()) return;
  const char* const on_purpose = std::getenv("SOQUETE_TEST_REFUSED");
  if (on_purpose != nullptr && GetParam() == driver_choice::io_uring)
    GTEST_SKIP() << "refused on purpose (" << on_purpose << "): " << to_string(tried.opened().error());
  FAIL() << to_string(tried.opened().error());
}

void on_each_driver::SetUp() {
  with_driver::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  before_ = baseline::now();
  loop_.emplace(GetParam());
  ended_well(loop_->opened());
}

void on_each_driver::TearDown() {
  if (!loop_) return;
  loop_->settle();
  EXPECT_EQ(counts().sockets, 0U);
  EXPECT_EQ(counts().leases, 0U);
  EXPECT_EQ(here().timers().size(), 0U);
  loop_.reset();
  EXPECT_EQ(baseline::now(), before_);
}

void on_each_driver::ended_well(const result<void>& how) { EXPECT_TRUE(succeeds(how)); }

std::string driver_name(const testing::TestParamInfo<driver_choice>& info) {
  switch (info.param) {
    case driver_choice::io_uring: return "io_uring";
    case driver_choice::epoll: return "epoll";
    case driver_choice::poll: return "poll";
    default: return info.param == simulated ? "simulated" : "automatic";
  }
}

}  // namespace soquete::test
