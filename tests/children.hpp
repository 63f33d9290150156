// Tests that run programs, on each driver, and leave no process behind.
#pragma once

#include <sys/wait.h>
#include <cerrno>
#include <csignal>
#include <soquete/child.hpp>

#include "on_each_driver.hpp"

namespace soquete::test {

class children : public on_each_driver {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    on_each_driver::SetUp();
  }
  // Nothing of ours is left, not even a zombie.
  void TearDown() override {
    siginfo_t any{};
    EXPECT_EQ(::waitid(P_ALL, 0, &any, WEXITED | WNOHANG | WNOWAIT), -1);
    EXPECT_EQ(errno, ECHILD);
    on_each_driver::TearDown();
  }
};

}  // namespace soquete::test
