// Random programs that run on the loopback and on a simulated host without faults, and are told the same: the
// same bytes, ends and errors, operation by operation.  docs/simulation.md
#pragma once

#include <array>
#include <cstdlib>
#include <soquete/deadline.hpp>
#include <span>
#include <string>
#include <vector>

#include "on_each_driver.hpp"
#include "random.hpp"

namespace soquete::test {

/// What a program does next. Not every kind of socket knows all of it.
enum class deed : std::uint8_t {
  send,
  send_parts,
  send_beside,  ///< With open descriptors.
  send_to,
  receive,
  receive_into,
  receive_message,
  wait,
  connect,
  finish,
  close,
  abort
};
inline constexpr std::array<std::string_view, 12> deed_names{
    "send", "send parts", "send beside", "send to", "receive", "receive into", "receive message",
    "wait", "connect",    "finish",      "close",   "abort"};

/// One step of a program of two.
struct act {
  deed what;
  bool by_server;
  std::size_t size;
};

/// Always the same for a seed. `deeds` are as likely as they are often in there; `huge`: some sizes are near
/// it, 0: none.
inline std::vector<act> program_of(std::uint64_t seed, std::span<const deed> deeds, std::uint32_t huge = 0) {
  random_numbers random(seed);
  std::vector<act> all(4 + random.below(12));
  for (act& one : all) {
    one.what = deeds[random.below(static_cast<std::uint32_t>(deeds.size()))];
    // Waiting for nothing takes real time.
    if (random.below(40) == 0) one.what = deed::wait;
    one.by_server = random.below(2) == 0;
    one.size = random.below(4) == 0 ? 1 + random.below(5'000) : 1 + random.below(20);
    if (huge != 0 && random.below(10) == 0) one.size = random.below(2) == 0 ? huge : huge / 2 + one.size;
  }
  return all;
}

inline std::string to_string(const std::vector<act>& program) {
  std::string text;
  for (const act& one : program)
    text.append(one.by_server ? "  server: " : "  client: ")
        .append(deed_names[static_cast<std::size_t>(one.what)])
        .append(" ")
        .append(std::to_string(one.size))
        .append("\n");
  return text;
}

template <class T>
std::string outcome_of(const result<T>& got) {
  return got ? std::string("ok") : got.error().code().message();
}

/// Bytes and what they are, in a word.
inline std::string told_of(std::string_view text) {
  return std::to_string(text.size()) + " bytes " + std::to_string(std::hash<std::string_view>()(text));
}

/// How patient a program is.
struct pace {
  clock::duration settle;    ///< What the network has to itself after each act.
  clock::duration patience;  ///< For what will come.
  clock::duration glance;    ///< For what may not.
};

/// Virtual time costs nothing.
inline constexpr pace simulated_pace{std::chrono::milliseconds(100), std::chrono::seconds(1),
                                     std::chrono::seconds(1)};
/// On the loopback a packet has come when the call that sends it returns, as a rule. A busy machine may need
/// more time, and gets it in a second run.
inline constexpr pace quick{{}, std::chrono::milliseconds(500), std::chrono::milliseconds(2)};
inline constexpr pace slow{std::chrono::milliseconds(20), std::chrono::seconds(2),
                           std::chrono::milliseconds(500)};

/// Runs programs on one driver of the kernel, and on the simulation.
class random_programs : public with_driver {
 protected:
  template <class Program>
  void agree(std::uint64_t first, std::uint64_t programs) {
    test_loop real(GetParam());
    test_loop simulation(simulated);
    ASSERT_TRUE(real.opened() && simulation.opened());
    const bool coarsely = GetParam() == driver_choice::io_uring;
    std::size_t repeated = 0;
    for (std::uint64_t seed = first; seed != first + programs; ++seed) {
      const std::vector<act> program = Program::of(seed);
      const auto expected = told_on<Program>(simulation, program, simulated_pace, coarsely);
      if (told_on<Program>(real, program, quick, coarsely) == expected) continue;
      ++repeated;
      const auto again = told_on<Program>(real, program, slow, coarsely);
      ASSERT_EQ(again, expected) << "seed " << seed << ", the kernel first:\n" << to_string(program);
    }
    RecordProperty("repeated", static_cast<int>(repeated));
  }

  /// As many as usual, or what SOQUETE_RANDOM_PROGRAMS says.
  static std::uint64_t count(std::uint64_t usual) {
    const char* const more = std::getenv("SOQUETE_RANDOM_PROGRAMS");
    return more == nullptr ? usual : std::strtoull(more, nullptr, 10);
  }

 private:
  template <class Program>
  static std::vector<std::string> told_on(test_loop& loop, const std::vector<act>& program, pace how,
                                          bool coarsely) {
    Program one(program, how);
    const result<void> ended = loop.run(one.run());
    EXPECT_TRUE(ended.has_value()) << soquete::to_string(ended.error());
    return coarsely ? one.told_coarsely() : one.told();
  }
};

}  // namespace soquete::test
