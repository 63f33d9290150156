// Tests that run the command on each driver; the environment chooses it, as a user would.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "process.hpp"

namespace soquete::test {

// Longer than the half second after which socat gives up, and no time that a test would miss.
constexpr std::chrono::milliseconds a_while{700};

class on_each_command : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    process probe(soquete_with({"connect", "echo:", "-"}), {.variables = variables()});
    const int code = probe.wait();
    if (code != 0 && std::getenv("SOQUETE_TEST_REFUSED") != nullptr) GTEST_SKIP() << probe.errors;
    ASSERT_EQ(code, 0) << probe.errors;
  }
  static std::vector<std::string> variables() {
    return {"SOQUETE_DRIVER=" + GetParam(), "SOQUETE_THREADS=2"};
  }
  static std::unique_ptr<process> start(const std::vector<std::string>& arguments, std::string input = {},
                                        bool keeps_input_open = false) {
    return std::make_unique<process>(
        soquete_with(arguments),
        start_options{
            .variables = variables(), .input = std::move(input), .keeps_input_open = keeps_input_open});
  }
  /// It can be connected to once its ready() or port() is known.
  static std::unique_ptr<process> listen(std::vector<std::string> arguments, std::string input = {},
                                         bool keeps_input_open = false) {
    arguments.insert(arguments.begin(), "listen");
    arguments.insert(arguments.end(), {"--ready-fd", "3"});
    return start(arguments, std::move(input), keeps_input_open);
  }
};

#define ON_EACH_COMMAND(suite)                                                          \
  INSTANTIATE_TEST_SUITE_P(driver, suite, testing::Values("io_uring", "epoll", "poll"), \
                           [](const auto& one) { return one.param; })

}  // namespace soquete::test
