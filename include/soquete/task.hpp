// Coroutines that end with a value, and `ok`, which passes errors on.
#pragma once

#include <coroutine>
#include <exception>
#include <new>
#include <soquete/cancel.hpp>
#include <soquete/error.hpp>
#include <soquete/frame.hpp>
#include <soquete/run_queue.hpp>
#include <soquete/suspended.hpp>
#include <source_location>
#include <type_traits>
#include <utility>

namespace soquete {

/// What a coroutine inherits from whoever awaits it: its thread's queue and its cancellation.
struct environment {
  run_queue* queue = nullptr;        ///< Of its thread.
  cancel_context* cancel = nullptr;  ///< How its end is asked for; may be null.
};

// The protocol of everything that can be awaited. No coroutine type appears in it.
//
//   using awaiter = ...;                            made from the awaitable; its own type: it stays in place
//   bool begin(environment, waiter* then) noexcept; true: it waits, and wakes `then` once, later
//   bool failed() const noexcept;                   after the end: would take() give an error?
//   T take();                                       after the end, once
//   void describe(suspension_report&) const;        optional: what it waits for

template <class T>
class task;

namespace detail {

template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<result<T>> = true;

// GCC before 13 destroys some temporaries of a co_await expression twice: closures with captures that
// need destruction are one kind (GCC bugs 99576 and 100611).
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
inline constexpr bool closures_die_twice = true;
#else
inline constexpr bool closures_die_twice = false;
#endif
template <class F>
inline constexpr bool safe_closure = !closures_die_twice || std::is_trivially_destructible_v<F>;

class promise_base {
 public:
  environment env;
  waiter* parent = nullptr;
  std::exception_ptr exception;
  bool finished = false;
  bool has_value = false;  // Of the promises that have one.

  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { free_frame(frame, size); }

  std::suspend_always initial_suspend() const noexcept { return {}; }
  struct final_awaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      self.promise().end();
    }
    void await_resume() const noexcept {}
  };
  final_awaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { exception = std::current_exception(); }

  // The parent may still be inside begin(), then `parent` is not set and begin() looks at `finished`.
  void end() noexcept {
    finished = true;
    if (parent != nullptr) env.queue->push_next(*parent);
  }

  // Three stores an await, so that a program can always say where it is stuck.
  template <class Awaiter>
  void suspend_on(const Awaiter& awaited) noexcept {
    awaited_ = &awaited;
    since_ = env.queue->now();
    describe_ = [](const void* a, suspension_report& report) {
      if constexpr (requires { static_cast<const Awaiter*>(a)->describe(report); })
        static_cast<const Awaiter*>(a)->describe(report);
    };
  }
  void resumed() noexcept { awaited_ = nullptr; }
  void describe(suspension_report& report) const {
    if (awaited_ == nullptr) return report.running();
    report.await(at_, since_);
    describe_(awaited_, report);
  }

 protected:
  std::source_location at_;

 private:
  const void* awaited_ = nullptr;
  void (*describe_)(const void*, suspension_report&) = nullptr;
  time_point since_{};
};

// What a co_await holds of X, as a forwarding reference deduces it. One that is its own awaiter stays where
// it is: a temporary lives until the end of its co_await, and a frame needs no second one.
template <class X>
using held =
    std::conditional_t<std::is_same_v<std::remove_reference_t<X>, typename std::remove_cvref_t<X>::awaiter>,
                       X&&, typename std::remove_cvref_t<X>::awaiter>;

// `co_await a`: the wake-up resumes the coroutine.
template <class A>
class direct : waiter {
 public:
  template <class X>
  explicit direct(X&& awaitable) : a_(std::forward<X>(awaitable)) {}
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> self) noexcept {
    self_ = self;
    promise_ = &self.promise();
    wake = [](waiter* w) noexcept { static_cast<direct*>(w)->self_.resume(); };
    promise_->suspend_on(a_);
    return a_.begin(promise_->env, this);
  }
  [[nodiscard]] decltype(auto) await_resume() {
    promise_->resumed();
    return a_.take();
  }

 private:
  A a_;
  std::coroutine_handle<> self_;
  promise_base* promise_ = nullptr;
};

// `co_await ok(a)`: an error becomes the result of the coroutine, which stays suspended for ever; its
// owner destroys the frame. Nothing is destroyed inside await_suspend: GCC 15 crashes on that when
// the coroutine has never been suspended (GCC bug 121961).
template <class A, class Promise>
class unwrapping : waiter {
 public:
  template <class X>
  explicit unwrapping(X&& awaitable) : a_(std::forward<X>(awaitable)) {}
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<Promise> self) noexcept {
    self_ = self;
    wake = [](waiter* w) noexcept {
      auto* me = static_cast<unwrapping*>(w);
      if (me->go_on()) me->self_.resume();
    };
    self.promise().suspend_on(a_);
    return a_.begin(self.promise().env, this) || !go_on();
  }
  auto await_resume() {
    self_.promise().resumed();
    auto got = a_.take();
    if constexpr (!std::is_void_v<typename decltype(got)::value_type>) return std::move(*got);
  }

 private:
  bool go_on() noexcept {
    if (!a_.failed()) return true;
    self_.promise().fail(std::move(a_.take().error()));
    return false;
  }

  A a_;
  std::coroutine_handle<Promise> self_;
};

// A result that is already there, so that `co_await ok(f())` works for functions that never wait.
template <class T>
struct ready_result {
  using awaiter = ready_result;
  explicit ready_result(result<T> got) : value(std::move(got)) {}
  bool begin(environment, waiter*) noexcept { return false; }
  bool failed() const noexcept { return !value.has_value(); }
  result<T> take() { return std::move(value); }
  result<T> value;
};

template <class A>
struct passing_on {
  explicit passing_on(A&& a) : awaitable(static_cast<A&&>(a)) {}
  A awaitable;
};

}  // namespace detail

/// `T x = co_await ok(y)` gives the value, or ends this coroutine with y's error.
///
/// For use in coroutines that return task<result<...>>, within the co_await: it refers to `awaitable`. No
/// exception is thrown: the frame is destroyed, locals in order, before the awaiting coroutine goes on.
template <class A>
[[nodiscard]] detail::passing_on<A&&> ok(A&& awaitable) {
  return detail::passing_on<A&&>(std::forward<A>(awaitable));
}
template <class T>
[[nodiscard]] detail::passing_on<detail::ready_result<T>> ok(result<T> value) {
  return detail::passing_on<detail::ready_result<T>>(detail::ready_result<T>(std::move(value)));
}

/// A coroutine that ends with a T. Lazy: it starts when it is awaited, which can be done once.
///
/// Owned by whoever holds it; destroyed unstarted, nothing has happened. It can be neither abandoned
/// nor destroyed while it waits, because only its awaiter holds it then. Exceptions thrown inside leave
/// at the co_await.
template <class T>
class [[nodiscard]] task {
 public:
  class promise_type;
  class awaiter;
  using value_type = T;

  task(task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  task& operator=(task&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~task() {
    if (frame_) frame_.destroy();
  }

 private:
  using handle = std::coroutine_handle<promise_type>;
  explicit task(handle frame) noexcept : frame_(frame) {}
  handle frame_;
};

template <class T>
class task<T>::promise_type : public detail::promise_base {
 public:
  promise_type() noexcept {}
  ~promise_type() { drop_value(); }
  task get_return_object() noexcept { return task(handle::from_promise(*this)); }
  template <class U = T>
  void return_value(U&& value) {
    make_value(std::forward<U>(value));
  }
  void fail(error why) noexcept
    requires detail::is_result<T>
  {
    make_value(std::unexpect, std::move(why));
    end();
  }

  template <class A>
  auto await_transform(A&& awaitable, std::source_location at = std::source_location::current()) {
    static_assert(alignof(A) <= alignof(std::max_align_t), "frames are aligned for ordinary types only");
    at_ = at;
    return detail::direct<detail::held<A>>(std::forward<A>(awaitable));
  }
  template <class A>
  auto await_transform(detail::passing_on<A>&& k, std::source_location at = std::source_location::current()) {
    static_assert(detail::is_result<T>, "ok() needs a coroutine that returns task<result<...>>");
    at_ = at;
    return detail::unwrapping<detail::held<A>, promise_type>(static_cast<A&&>(k.awaitable));
  }

 private:
  friend awaiter;
  template <class... From>
  void make_value(From&&... from) {
    drop_value();  // A coroutine may say another, should a local throw as it ends.
    ::new (static_cast<void*>(&value_)) T(std::forward<From>(from)...);
    has_value = true;
  }
  void drop_value() noexcept {
    if (std::exchange(has_value, false)) value_.~T();
  }

  union {
    T value_;  // Once has_value.
  };
};

/// A task that has been awaited: owns the coroutine.
template <class T>
class task<T>::awaiter {
 public:
  explicit awaiter(task&& t) noexcept : frame_(std::exchange(t.frame_, {})) {}  ///< Takes the coroutine over.
  awaiter(const awaiter&) = delete;
  awaiter& operator=(const awaiter&) = delete;
  ~awaiter() {
    if (frame_) frame_.destroy();
  }

  bool begin(environment env, waiter* then) noexcept {
    auto& p = frame_.promise();
    p.env = env;
    frame_.resume();
    if (p.finished) return false;
    p.parent = then;
    return true;
  }

  bool failed() const noexcept {
    const auto& p = frame_.promise();
    assert(p.exception || p.has_value);  // Else it has no co_return.
    if constexpr (detail::is_result<T>) return !p.exception && !p.value_.has_value();
    return false;
  }

  /// What the coroutine has thrown, or null.
  const std::exception_ptr& exception() const noexcept { return frame_.promise().exception; }

  // The frame and its locals are gone before the parent goes on.
  T take() {
    struct owner {
      handle frame;
      ~owner() { frame.destroy(); }
    } last{std::exchange(frame_, {})};
    auto& p = last.frame.promise();
    if (p.exception) std::rethrow_exception(std::move(p.exception));
    assert(p.has_value);  // Else it has no co_return.
    return std::move(p.value_);
  }

  void describe(suspension_report& report) const {
    report.enter();
    frame_.promise().describe(report);
    report.leave();
  }

 private:
  handle frame_;
};

template <>
class task<void>::promise_type : public detail::promise_base {
 public:
  task get_return_object() noexcept { return task(handle::from_promise(*this)); }
  void return_void() noexcept {}

  template <class A>
  auto await_transform(A&& awaitable, std::source_location at = std::source_location::current()) {
    at_ = at;
    return detail::direct<detail::held<A>>(std::forward<A>(awaitable));
  }
};

/// No error can come of it.
template <>
inline bool task<void>::awaiter::failed() const noexcept {
  return false;
}

/// Nothing, or what the coroutine has thrown.
template <>
inline void task<void>::awaiter::take() {
  struct owner {
    handle frame;
    ~owner() { frame.destroy(); }
  } last{std::exchange(frame_, {})};
  if (auto e = last.frame.promise().exception) std::rethrow_exception(std::move(e));
}

}  // namespace soquete
