// Deadlines of one thread: an intrusive heap of four children a node.
#pragma once

#include <cstdint>
#include <soquete/run_queue.hpp>
#include <vector>

namespace soquete {

/// A moment at which something is to happen. Does not move while armed; disarmed by its owner.
struct timer {
  void (*fire)(timer*) noexcept = nullptr;  ///< Called when it is time.
  time_point at{};                          ///< When that is.
  std::uint64_t sequence = 0;     ///< Timers of one moment fire in the order in which they were armed.
  std::uint32_t place = unarmed;  ///< In the heap.

  static constexpr std::uint32_t unarmed = ~std::uint32_t{0};  ///< The place of one that is not in the heap.
  bool is_armed() const noexcept { return place != unarmed; }  ///< Is it going to fire?
};

/// All timers that are armed. Arming and disarming cost O(log n), the earliest is at hand.
class timer_heap {
 public:
  void arm(timer& t, time_point at);  ///< It is not armed yet.
  /// Nothing happens if it is not armed.
  void disarm(timer& t) noexcept;
  /// Fires what is due. A timer is disarmed before it fires, so it may arm itself again.
  void fire_due(time_point now) noexcept;

  bool empty() const noexcept { return heap_.empty(); }
  std::size_t size() const noexcept { return heap_.size(); }
  /// time_point::max() when there is none.
  time_point earliest() const noexcept { return heap_.empty() ? time_point::max() : heap_.front()->at; }

 private:
  void put(std::uint32_t place, timer* t) noexcept;
  void up(std::uint32_t place) noexcept;
  void down(std::uint32_t place) noexcept;

  std::vector<timer*> heap_;
  std::uint64_t armed_ = 0;
};

}  // namespace soquete
