// Numbers that depend on nothing but the seed, what they are for, and how many were drawn before.
#pragma once

#include <cstddef>
#include <cstdint>

namespace soquete::sim {

/// Every bit of the result depends on every bit of `x`.  The finaliser of SplitMix64 (Steele, Lea, Flood
/// 2014)
constexpr std::uint64_t mixed(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// What numbers are drawn for. Each has a stream of its own, so that one more draw shifts no other.
enum class purpose : std::uint64_t { link, connection, port, swarm, nemesis, application, name, handshake };

/// One stream of numbers. No std:: distribution: each library has its own.
class random {
 public:
  random(std::uint64_t seed, purpose what_for, std::uint64_t whose = 0) noexcept
      : key_(mixed(mixed(seed ^ 0x736f717565746521) + (static_cast<std::uint64_t>(what_for) << 56) + whose)) {
  }

  std::uint64_t next() noexcept { return mixed(key_ + drawn_++ * 0x9e3779b97f4a7c15); }

  /// 0 to `count` - 1; `count` is not 0.
  std::uint64_t below(std::uint64_t count) noexcept { return next() % count; }

  /// `least` to `most`, each as likely.
  std::uint64_t between(std::uint64_t least, std::uint64_t most) noexcept {
    return most <= least ? least : least + below(most - least + 1);
  }

  /// `least` to `most`, lower ones likelier: the lower of two draws.
  std::uint64_t low_between(std::uint64_t least, std::uint64_t most) noexcept {
    const std::uint64_t one = between(least, most);
    const std::uint64_t other = between(least, most);
    return one < other ? one : other;
  }

  /// `least` to `most`, as likely in each power of two; `least` is not 0.
  std::uint64_t log_between(std::uint64_t least, std::uint64_t most) noexcept;

  /// True with this probability, in 2^32nds.
  bool happens(std::uint64_t rate) noexcept { return rate != 0 && (next() >> 32) < rate; }

 private:
  std::uint64_t key_;
  std::uint64_t drawn_ = 0;
};

/// A probability in 2^32nds, of one between 0 and 1.
std::uint64_t rate_of(double probability) noexcept;

}  // namespace soquete::sim
