// Running a program: on one loop or on several, to its end.
#pragma once

#include <functional>
#include <soquete/deadline.hpp>
#include <soquete/loop.hpp>

namespace soquete {

/// How to run a program.
struct run_options {
  /// Loops, one a thread. 0: what the environment variable SOQUETE_THREADS says, else as many as processors
  /// that this process may use.
  unsigned threads = 1;
  /// Automatic is the best that works here, or what SOQUETE_DRIVER says.
  driver_choice driver = driver_choice::automatic;
  /// Before a loop sleeps it polls at most so long, as it costs more to be woken: an answer that is 10 us
  /// away comes in a third of the time. It keeps a processor busy, so it does that only while sleeps are
  /// shorter and it is not in vain: spin_rule. 50 us are a good value; 0: what the environment variable
  /// SOQUETE_SPIN says, in microseconds, else never. A negative one is never.
  std::chrono::nanoseconds spin{};
  /// Each loop stays on a processor: the first ones that this process may use, so give each pinned process
  /// its own. A server's listeners take the TCP connections that the kernel receives there, which with two
  /// loops costs a quarter less; inherited ones give to any loop. For traffic that comes in on all these
  /// processors: from a network card with one queue, or one local client, all would come to one loop. Linux,
  /// from 6.2 for connections; several loops, no more than processors; else nothing: loop::processor() tells.
  /// A child is not pinned; threads and processes that you start otherwise inherit it. Also if the
  /// environment variable SOQUETE_PIN is 1. SO_INCOMING_CPU, socket(7)
  bool pin = false;
  /// Told of every step of every socket, from all threads; must outlive the run.
  trace_sink* trace = nullptr;
  /// Where given, SIGINT and SIGTERM ask all loops to end as in run_main(), and the number of the one that
  /// came stands here afterwards, else 0. For programs with exit codes and last words of their own.
  int* ended_by = nullptr;
};

/// What to run: called once on each loop.
using run_body = std::function<task<result<void>>()>;

/// Runs `body` on every loop and returns when all have ended. The first error ends the others and is the
/// result; so do errors of the drivers.
result<void> run(run_options, run_body body);

/// The same for main(): SIGINT and SIGTERM ask all loops to end, a second one ends the process at once.
/// Prints an error to standard error and gives 1; gives 0 on success. A program that a signal has ended with
/// operation_canceled dies of that signal, as its parent expects.
///
/// Signals are blocked in this thread and those started later: call it before starting threads of your own.
int run_main(run_options, run_body body);
int run_main(run_body body);

/// For programs without coroutines of their own: `wait` runs one operation to its end.
///
/// Belongs to the thread that makes it; what it gives (sockets, leases) ends before it does.
class context {
 public:
  /// Starts a driver; wait() tells if none could be. `spin` is as in run_options.
  explicit context(driver_choice = driver_choice::automatic, std::chrono::nanoseconds spin = {});

  /// The operation's result; or why no driver could be started.
  template <class A>
  auto wait(A awaitable) -> decltype(std::declval<typename A::awaiter&>().take()) {
    if (!opened_) return fail(opened_.error());
    finish over;
    cancel_context cancel;
    typename A::awaiter waiting(std::move(awaitable));
    const listed<typename A::awaiter> in_dumps(loop_, waiting);
    if (waiting.begin({&loop_, &cancel}, &over)) loop_.run_until(over.is_over);
    return waiting.take();
  }

  /// For post() from other threads, timers, and questions about the driver.
  loop& on() noexcept { return loop_; }

 private:
  struct finish : waiter {
    finish() noexcept {
      wake = [](waiter* w) noexcept { static_cast<finish*>(w)->is_over = true; };
    }
    bool is_over = false;
  };
  template <class Awaiter>
  struct listed : loop::root {
    listed(loop& l, const Awaiter& a) noexcept : here(l), awaited(a) {
      describe = [](const loop::root& r, suspension_report& report) {
        if constexpr (requires(const Awaiter& told) { told.describe(report); })
          static_cast<const listed&>(r).awaited.describe(report);
      };
      here.add_root(*this);
    }
    ~listed() { here.remove_root(*this); }
    loop& here;
    const Awaiter& awaited;
  };

  loop_group group_;
  loop loop_{group_};
  result<void> opened_;
};

}  // namespace soquete
