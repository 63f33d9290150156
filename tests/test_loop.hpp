// A loop on one driver for a test: guarded against hanging, and with turns that a test can look into.
#pragma once

#include <chrono>
#include <soquete/loop.hpp>
#include <soquete/task.hpp>
#include <string>

namespace soquete::test {

/// Stands among the drivers of the kernel for the simulated one: sim::open_driver().
inline constexpr auto simulated = static_cast<driver_choice>(200);

/// Called around every turn of the driver, on the loop's thread.
struct turn_watcher {
  virtual ~turn_watcher() = default;
  virtual void before_turn() {}
  /// Completions of the turn are queued, nobody has heard of them.
  virtual void after_turn() {}
  /// How far the loop's clock is set forward.
  clock::duration leap{};
  /// Turns do not wait: the clock goes forward instead.
  bool is_hasty = false;
};

/// Runs one task after the other. What takes longer than the guard is told by a dump and cancelled; what does
/// not end even then ends the process. So nothing hangs.
class test_loop {
 public:
  /// The longest that one task may take in real time, on a loaded machine under sanitizers.
  static constexpr std::chrono::seconds guard{60};

  explicit test_loop(driver_choice which, turn_watcher* watcher = nullptr);
  test_loop(const test_loop&) = delete;
  test_loop& operator=(const test_loop&) = delete;

  const result<void>& opened() const noexcept { return opened_; }
  loop& here() noexcept { return here_; }
  driver_counts counts() noexcept { return here_.net().counts(); }

  result<void> run(task<result<void>> work);
  /// Asks the task that runs to end.
  void cancel() noexcept;
  /// Takes turns until closed sockets have gone, for they may be waiting for the kernel.
  void settle();

 private:
  loop_group group_;
  loop here_{group_};
  result<void> opened_;
  cancel_context* running_ = nullptr;
};

/// Descriptors that this process has open.  proc_pid_fd(5)
std::size_t open_descriptors();

/// Processor time that this process has used.  clock_gettime(2)
std::chrono::nanoseconds processor_time();

/// What a test has at its start and must have at its end.
struct baseline {
  std::size_t descriptors;
  std::size_t frames;

  static baseline now();
  friend bool operator==(const baseline&, const baseline&) = default;
};
std::ostream& operator<<(std::ostream& out, const baseline& b);

}  // namespace soquete::test
