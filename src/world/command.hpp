// How a failure is told, and how it is seen again: by variables of the environment, and this program.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <soquete/sim.hpp>
#include <string>

namespace soquete::sim {

/// The value of a variable; nothing where it is not set or empty.
std::optional<std::string> words_in(const char* variable);
/// Its value as a number; nothing where it is none.
std::optional<std::uint64_t> number_in(const char* variable);

/// "12.041373 s"
std::string seconds(std::chrono::nanoseconds at);
std::string hexadecimal(std::uint64_t number);

/// "trace 02a1…; to see it again:\n    SOQUETE_SIM_SEED=17 build/dev/tests/outage_test --gtest_filter=…\n".
/// `variables` are set besides the seed: "SOQUETE_SIM_FAULTS=cut ".
std::string way_back(std::uint64_t hash, std::uint64_t seed, const std::string& variables,
                     const detail::test_in_progress& test);

/// The test's, or "the scenario".
std::string name_of(const detail::test_in_progress& test);

/// Throws `failed`; without exceptions it prints the words and aborts.
[[noreturn]] void throw_failed(std::string words);

}  // namespace soquete::sim
