// One run of a scenario, and what came of it.
#pragma once

#include <array>
#include <map>
#include <soquete/sim.hpp>
#include <string>
#include <vector>

#include "sim/fault_filter.hpp"

namespace soquete::sim {

class striker;

/// How it is run.
struct trial {
  std::uint64_t seed = 1;
  const fault_filter* only = nullptr;                         ///< Null: all faults may strike.
  striker* hand = nullptr;                                    ///< Null: nobody puts a hand in.
  std::chrono::nanoseconds patience = std::chrono::hours(1);  ///< To end when asked, with a hand.
  bool keeps_history = false;                                 ///< And prints it to standard error.
  bool is_drawn = false;                                      ///< If it fails, where SOQUETE_SIM_DRAW says.
};

/// What came of it.
struct outcome {
  std::string failure;  ///< Empty: nothing went wrong.
  std::uint64_t hash = 0;
  std::uint64_t events = 0;
  std::chrono::nanoseconds virtual_time{};
  std::array<std::uint64_t, fault_count> struck{};
  std::array<std::uint64_t, fault_count> occasions{};  ///< On which a fault would have struck.
  std::string let_through;                             ///< Where faults were filtered: each, and when.
  std::map<std::string, bool, std::less<>> sometimes;
  std::string drawn;            ///< What is told of pictures, a line each.
  bool is_of_the_test = false;  ///< A check of the test framework's has failed.
};

/// SOQUETE_SIM_FAULTS; nothing: all may strike.
std::optional<fault_filter> faults_asked_for();

outcome run_once(const scenario& what, const trial& how, const detail::test_in_progress& test);

/// As bytes, for another process.
std::string packed(const outcome& one);
outcome unpacked(std::string_view bytes);

/// What several runs have come to.
struct sum {
  void add(const outcome& one);
  /// Fails where something is true in none.
  void look(const std::string& name, std::string_view of_what) const;

  std::uint64_t runs = 0;
  std::uint64_t events = 0;
  std::chrono::nanoseconds virtual_time{};
  std::uint64_t hash = 0;
  std::array<std::uint64_t, fault_count> struck{};
  std::map<std::string, bool, std::less<>> sometimes;
};

}  // namespace soquete::sim
