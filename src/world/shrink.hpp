// The smallest history that fails: the fewest kinds of faults, then the fewest faults.
#pragma once

#include <functional>

#include "world/once.hpp"

namespace soquete::sim {

struct smallest {
  outcome what;       ///< The failure as it is with these faults.
  fault_filter only;  ///< Those that are needed.
  std::size_t kinds = 0;
  std::size_t faults = 0;
  std::string died;  ///< How its process did, if it has.
};

/// Runs the history that has failed once more, where of its faults only these may strike.
using retrial = std::function<outcome(const fault_filter& only)>;

/// Tries it with fewer faults, for as long as it fails in the same words, numbers aside. Gives nothing where
/// that cannot be found out: it has no faults, or fails in other words each time.
std::optional<smallest> shrink(const retrial& again, const outcome& failed);

/// "with 2 of its 134 faults, of 1 of its 5 kinds: reset:3 at 1.2 s, reset:9 at 3 s\n"
std::string told_of(const smallest& found, const outcome& whole);

}  // namespace soquete::sim
