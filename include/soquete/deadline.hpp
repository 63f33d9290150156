// Deadlines: within, shield, sleep.
#pragma once

#include <soquete/loop.hpp>

namespace soquete {
namespace detail {

/// The moment `span` from now; a span that leaves the clock's range means never.
time_point moment_after(time_point now, clock::duration span) noexcept;

// A nested cancellation with a timer. Linked: requests from outside pass through.
class deadline : cancel_hook, timer {
 public:
  deadline() = default;
  deadline(const deadline&) = delete;
  deadline& operator=(const deadline&) = delete;
  ~deadline() { close(); }

  environment open(environment outer, clock::duration span, bool linked) noexcept;
  void close() noexcept;
  void describe(suspension_report& report) const;

 private:
  cancel_context own_;
  cancel_context* outer_ = nullptr;
  loop* here_ = nullptr;
};

template <class A, bool linked>
struct bounded {
  bounded(A&& a, clock::duration s) : awaitable(std::move(a)), span(s) {}
  A awaitable;
  clock::duration span;

  class awaiter {
   public:
    explicit awaiter(bounded&& b) : inner_(std::move(b.awaitable)), span_(b.span) {}
    bool begin(environment env, waiter* then) noexcept {
      if (inner_.begin(deadline_.open(env, span_, linked), then)) return true;
      deadline_.close();
      return false;
    }
    bool failed() const noexcept { return inner_.failed(); }
    decltype(auto) take() {
      deadline_.close();
      return inner_.take();
    }
    void describe(suspension_report& report) const {
      deadline_.describe(report);
      if constexpr (requires { inner_.describe(report); }) inner_.describe(report);
    }

   private:
    typename A::awaiter inner_;
    deadline deadline_;
    clock::duration span_;
  };
};

}  // namespace detail

/// Runs `awaitable` for at most `span`; then it is cancelled, waited for, and its error is timed_out.
///
/// Nested, the nearest deadline wins. Zero or less: it is cancelled before it begins. A result that has
/// arrived by the deadline is kept. The time is that of the loop's turn.
template <class A>
[[nodiscard]] auto within(clock::duration span, A awaitable) {
  return detail::bounded<A, true>(std::move(awaitable), span);
}

/// The same, but deaf to cancellation from outside: for a goodbye that should still be said.
template <class A>
[[nodiscard]] auto shield(clock::duration span, A awaitable) {
  return detail::bounded<A, false>(std::move(awaitable), span);
}

namespace detail {

class sleeping : cancel_hook, timer {
 public:
  using awaiter = sleeping;
  explicit sleeping(clock::duration span) noexcept : span_(span) {}
  sleeping(sleeping&& other) noexcept : span_(other.span_) {}
  ~sleeping() { assert(!is_armed()); }

  bool begin(environment env, waiter* then) noexcept;
  bool failed() const noexcept { return why_ != stop::none; }
  result<void> take() const noexcept;
  void describe(suspension_report& report) const;

 private:
  void end(stop why) noexcept;

  clock::duration span_;
  stop why_ = stop::none;
  environment env_;
  waiter* then_ = nullptr;
};

// Has somebody asked the running coroutine to end?
struct is_cancelled {
  using awaiter = is_cancelled;
  bool begin(environment env, waiter*) noexcept {
    return asked = env.cancel != nullptr && env.cancel->requested(), false;
  }
  bool failed() const noexcept { return false; }
  bool take() const noexcept { return asked; }
  bool asked = false;
};

}  // namespace detail

/// Waits that long. Errors: operation_canceled, timed_out (of an outer deadline).
[[nodiscard]] inline detail::sleeping sleep(clock::duration span) noexcept { return detail::sleeping(span); }

/// Lets everything else that is runnable run first.
[[nodiscard]] inline detail::sleeping yield() noexcept { return detail::sleeping(clock::duration::zero()); }

}  // namespace soquete
