// What is going to happen in a simulated network, in order of time.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "sim/shared.hpp"

namespace soquete::sim {

/// Since the beginning of the world.
using moment = std::chrono::nanoseconds;

/// Events of one moment happen in the order in which they were added.
class agenda {
 public:
  /// Something that happens by itself. Where only such events are left, nothing is under way.
  static constexpr unsigned background = 1U << 31;

  agenda() = default;
  agenda(const agenda&) = delete;
  agenda& operator=(const agenda&) = delete;
  ~agenda();

  void add(moment at, occurrence& whose, unsigned what);
  /// moment::max() when there is none.
  moment next() const noexcept { return heap_.empty() ? moment::max() : heap_.front().at; }
  /// Is anything under way?
  bool is_busy() const noexcept { return foreground_ != 0; }
  std::uint64_t happened() const noexcept { return happened_; }

  /// Forgets all.
  void clear() noexcept;
  /// Lets the next event happen; there is one.
  void happen(network& net) noexcept;

 private:
  struct event {
    moment at;
    std::uint64_t sequence;
    occurrence* whose;
    unsigned what;
  };
  static bool is_later(const event& a, const event& b) noexcept {
    return a.at != b.at ? a.at > b.at : a.sequence > b.sequence;
  }

  std::vector<event> heap_;
  std::uint64_t added_ = 0;
  std::uint64_t happened_ = 0;
  std::size_t foreground_ = 0;
};

}  // namespace soquete::sim
