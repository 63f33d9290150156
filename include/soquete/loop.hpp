// One thread's turns: run what is runnable, fire deadlines, let the driver wait.
#pragma once

#include <functional>
#include <soquete/driver.hpp>
#include <soquete/loop_group.hpp>
#include <soquete/spin_rule.hpp>
#include <soquete/timers.hpp>

namespace soquete {

/// Belongs to the thread that opens it; only post() may be called from others.
class loop : public run_queue {
 public:
  explicit loop(loop_group& group);  ///< Joins the group, which outlives it.
  ~loop();

  /// Opens a kernel driver. Before a sleep it polls at most so long, while that pays: see
  /// run_options::spin. Errors: as open_kernel_driver(); a SOQUETE_SPIN that is no number.
  result<void> open(driver_choice = driver_choice::automatic, std::chrono::nanoseconds spin = {});
  /// Uses this driver, for example a simulated one.
  void use(chosen_driver);

  /// Takes turns until `ended` becomes true; only something that runs in this loop can make it so. On another
  /// thread than the one that opened it this ends the program.
  void run_until(const bool& ended) noexcept;

  /// Takes one turn of the driver, which waits at most until then, and fires what is due: for whoever runs
  /// several loops on one thread. Runs nothing; run_round() does.
  void turn(time_point latest) noexcept;

  /// Runs `work` on this loop's thread, in a later turn. From any thread, as long as the loop lives.
  void post(std::function<void()> work);

  timer_heap& timers() noexcept { return timers_; }  ///< The deadlines of this thread.
  driver& net() noexcept { return *driver_.it; }     ///< The driver that it turns.
  loop_group& group() noexcept { return group_; }    ///< The loops of the same run.
  /// The number of the processor that its thread stays on; -1: it may run on any. See run_options::pin.
  int processor() const noexcept { return processor_; }
  void set_processor(int number) noexcept { processor_ = number; }  ///< Whoever pins the thread says so.
  /// Which driver it uses and why: "epoll: io_uring is refused (EPERM)".
  const std::string& driver_reason() const noexcept { return driver_.reason; }

  /// Tasks started from outside any coroutine, by run() or context::wait(); for the dump.
  struct root {
    void (*describe)(const root&, suspension_report&) = nullptr;  ///< Reports where it waits.
    root* next = nullptr;                                         ///< In the list of its loop.
  };
  /// Shows it in dumps. It begins now: the loop may not have run for long, so it looks at the clock.
  void add_root(root& r) noexcept;
  void remove_root(root& r) noexcept;  ///< Shows it no longer.

  /// Every suspended task as an indented tree: where it waits, for what, since when, until when.
  std::string dump() const;

 private:
  bool has_posted() noexcept;
  void run_posted() noexcept;
  void wait_spinning(time_point until) noexcept;
  bool is_polled(time_point begun, time_point until) noexcept;

  loop_group& group_;
  chosen_driver driver_;
  const void* thread_ = nullptr;  // That opened it.
  spin_rule spin_;
  int processor_ = -1;
  timer_heap timers_;
  root* roots_ = nullptr;

  struct inbox;
  owned<inbox> posted_;
};

/// `loop& here = co_await this_loop();`
struct this_loop {
  using awaiter = this_loop;
  bool begin(environment env, waiter*) noexcept { return here = env.queue, false; }
  bool failed() const noexcept { return false; }
  loop& take() const noexcept { return static_cast<loop&>(*here); }
  run_queue* here = nullptr;  ///< Of the awaiting coroutine.
};

/// Every suspended task of this loop: `std::string stuck = co_await dump();`
struct dump {
  using awaiter = dump;
  bool begin(environment env, waiter*) noexcept { return here = env.queue, false; }
  bool failed() const noexcept { return false; }
  std::string take() const { return static_cast<loop&>(*here).dump(); }
  run_queue* here = nullptr;  ///< Of the awaiting coroutine.
};

}  // namespace soquete
