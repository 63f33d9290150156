// Numbers that depend on nothing but the seed.
#include "sim/random.hpp"

#include <bit>

namespace soquete::sim {

std::uint64_t random::log_between(std::uint64_t least, std::uint64_t most) noexcept {
  if (most <= least) return least;
  const auto power = between(static_cast<std::uint64_t>(std::bit_width(least)),
                             static_cast<std::uint64_t>(std::bit_width(most)));
  const std::uint64_t low = std::uint64_t{1} << (power - 1);
  const std::uint64_t high = low + (low - 1);
  return between(low < least ? least : low, high > most ? most : high);
}

std::uint64_t rate_of(double probability) noexcept {
  if (!(probability > 0)) return 0;
  if (probability >= 1) return std::uint64_t{1} << 32;
  return static_cast<std::uint64_t>(probability * 4294967296.0);
}

}  // namespace soquete::sim
