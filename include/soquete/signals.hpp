// Signals as something to await.  signal(7), signalfd(2)
#pragma once

#include <soquete/loop.hpp>

namespace soquete {

/// Watches for signals, which no longer have their usual effect once it is open.
///
/// They are blocked in the opening thread: open it before other threads start.
class signals {
 public:
  signals() = default;
  signals(signals&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  signals& operator=(signals&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~signals() {
    if (block_ != nullptr) block_->home.close(*block_);
  }

  /// Errors: too_many_files_open.
  static result<signals> open(loop& here, std::span<const int> numbers);

  /// Waits for the next one and gives its number.  Errors: operation_canceled, timed_out.
  [[nodiscard]] auto next() noexcept { return arrival(block_->reader); }

 private:
  class arrival {
   public:
    using awaiter = arrival;
    explicit arrival(slot& s) noexcept : slot_(s) {}
    bool begin(environment env, waiter* then) noexcept {
      slot_.code = opcode::signal;
      return slot_.begin(env, then);
    }
    bool failed() const noexcept { return slot_.failed(); }
    result<int> take() const {
      if (failed()) return fail(error(slot_.cause(), step::wait));
      return static_cast<int>(slot_.outcome);
    }
    void describe(suspension_report& report) const {
      report.waits_for("a signal");
      report.serves_anybody();
    }

   private:
    slot& slot_;
  };

  explicit signals(socket_block& block) noexcept : block_(&block) {}
  socket_block* block_ = nullptr;
};

}  // namespace soquete
