// When it pays to poll before a sleep.
#pragma once

#include <algorithm>
#include <chrono>

namespace soquete {

/// Polling keeps a processor busy, and wins the time that it takes to be woken. It is tried only while sleeps
/// are short, and the more often it was in vain, the more of them it takes: a loop that is idle, or that
/// shares its processor with its peer, sleeps.
class spin_rule {
 public:
  /// Polls at most so long at a time; 0: never.
  explicit spin_rule(std::chrono::nanoseconds span = {}) noexcept : span_(span) {}

  std::chrono::nanoseconds span() const noexcept { return span_; }  ///< As given.
  bool is_on() const noexcept { return span_.count() > 0; }         ///< May it poll at all?
  bool pays() const noexcept { return credit_ != 0; }               ///< Should it poll now?

  /// It has polled, and something came or nothing did.
  void polled(bool something_came) noexcept {
    if (something_came) {
      credit_ = std::min(credit_ + 1, credit_max);
      needed_ = 1;
    } else {
      credit_ -= std::min(credit_, price);
      if (credit_ == 0) needed_ = std::min(2 * needed_, needed_max);
    }
  }
  /// Until something came it took so long, asleep.
  void slept(std::chrono::nanoseconds how_long) noexcept {
    short_ = how_long < span_ ? short_ + 1 : 0;
    if (short_ < needed_) return;
    short_ = 0;
    credit_ = price;
  }

 private:
  static constexpr unsigned credit_max = 8;
  static constexpr unsigned price = 4;  // Of having polled in vain: two in a row end it.
  static constexpr unsigned needed_max = 1024;

  std::chrono::nanoseconds span_;
  unsigned credit_ = 0;
  unsigned needed_ = 1;  // Short sleeps in a row before it is tried again.
  unsigned short_ = 0;   // Those so far.
};

}  // namespace soquete
