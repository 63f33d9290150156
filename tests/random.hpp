// Numbers that are the same in every run and on every machine.  Steele, Lea, Flood: SplitMix, 2014.
#pragma once

#include <cstdint>

namespace soquete::test {

/// SplitMix64. The standard distributions differ between libraries, so below() stands in for them.
class random_numbers {
 public:
  explicit random_numbers(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31);
  }

  /// 0 to `limit` - 1; `limit` is small, so that the bias does not matter.
  std::uint32_t below(std::uint32_t limit) noexcept {
    return static_cast<std::uint32_t>(((next() >> 32) * limit) >> 32);
  }

 private:
  std::uint64_t state_;
};

}  // namespace soquete::test
