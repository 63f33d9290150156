// The smallest history that fails: the fewest kinds of faults, then the fewest faults.
#pragma once

#include "world/once.hpp"

namespace soquete::sim {

struct smallest {
  outcome what;       ///< The failure as it is with these faults.
  fault_filter only;  ///< Those that are needed.
  std::size_t kinds = 0;
  std::size_t faults = 0;
  std::string died;  ///< How its process did, if it has.
};

/// Tries the same seed with fewer faults, for as long as it fails in the same words, numbers aside. Gives
/// nothing where that cannot be found out: the seed has no faults, or fails in other words each time.
std::optional<smallest> shrink(const scenario& what, std::uint64_t seed, const outcome& failed,
                               const detail::test_in_progress& test);

}  // namespace soquete::sim
