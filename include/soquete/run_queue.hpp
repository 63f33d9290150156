// What is runnable on one thread, and the trampoline that runs it.
#pragma once

#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace soquete {

/// The clock of deadlines. Only drivers read it; all others ask their loop.
using clock = std::chrono::steady_clock;
using time_point = clock::time_point;

/// Something that can be woken. Intrusive, so that queueing allocates nothing.
///
/// `wake` may destroy the waiter: whoever calls it does not touch the waiter afterwards.
struct waiter {
  void (*wake)(waiter*) noexcept = nullptr;  ///< Called in its turn.
  waiter* next = nullptr;                    ///< In the queue.
};

/// What a coroutine waits for where it is no operation of a driver.
enum class wait_kind : std::uint8_t { sleep, event, join, blocking_call };

/// Told of each such wait of a thread, on that thread. A simulated host has one, so that it sees them all.
struct wait_watch {
  /// Tells the two apart by where they are: `wait` stays there while it lasts.
  void (*begun)(wait_watch*, const void* wait, wait_kind what) noexcept = nullptr;
  void (*ended)(wait_watch*, const void* wait) noexcept = nullptr;  ///< Its coroutine goes on later.
};

/// The runnable waiters of one thread. Nothing here is thread-safe.
///
/// A finished coroutine does not resume its parent: it leaves the parent here and returns. So the
/// stack is as deep as the calls, never as deep as the completions, with any compiler and no
/// optimisation.
class run_queue {
 public:
  run_queue() = default;
  run_queue(const run_queue&) = delete;
  run_queue& operator=(const run_queue&) = delete;

  /// Runs `w` after everything that is already queued.
  void push(waiter& w) noexcept {
    w.next = nullptr;
    *last_ = &w;
    last_ = &w.next;
    ++size_;
  }

  /// Runs `w` before anything that is queued: the parent of a coroutine that has just ended.
  void push_next(waiter& w) noexcept {
    w.next = chain_;
    chain_ = &w;
  }

  bool empty() const noexcept { return size_ == 0 && chain_ == nullptr; }

  /// Runs what is queued now, and what follows from it directly; what gets queued meanwhile waits for
  /// the next round, so that the driver is looked at between any two rounds.
  void run_round() noexcept {
    run_chain();
    for (std::size_t left = size_; left != 0; --left) {
      waiter* w = first_;
      first_ = w->next;
      if (first_ == nullptr)
        last_ = &first_;
      else
        __builtin_prefetch(first_);  // It has been cold since it began to wait.
      --size_;
      inline_left_ = inline_completions_max;
      w->wake(w);
      run_chain();
    }
  }

  /// True if an operation may complete at once; false if it has to go through the queue, because the
  /// coroutine that runs now has had its share.
  bool may_complete_inline() noexcept {
    if (inline_left_ == 0) return false;
    --inline_left_;
    return true;
  }

  /// From now on `who` is told of waits; null: nobody.
  void watch_waits(wait_watch* who) noexcept { watch_ = who; }
  /// Of the wait itself: it has begun.
  void wait_begun(const void* wait, wait_kind what) noexcept {
    if (watch_ != nullptr) watch_->begun(watch_, wait, what);
  }
  /// And it has ended, whichever way.
  void wait_ended(const void* wait) noexcept {
    if (watch_ != nullptr) watch_->ended(watch_, wait);
  }

  /// The time, as read when the last round began. Constant during a round.
  time_point now() const noexcept { return now_; }

 protected:
  ~run_queue() { assert(empty()); }

  void set_now(time_point now) noexcept { now_ = now; }  ///< Told once a turn.

 private:
  static constexpr std::uint32_t inline_completions_max = 32;

  void run_chain() noexcept {
    while (waiter* w = chain_) {
      chain_ = w->next;
      w->wake(w);
    }
  }

  waiter* first_ = nullptr;
  waiter** last_ = &first_;
  waiter* chain_ = nullptr;
  std::size_t size_ = 0;
  std::uint32_t inline_left_ = inline_completions_max;
  time_point now_{};
  wait_watch* watch_ = nullptr;
};

}  // namespace soquete
