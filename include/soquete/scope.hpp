// Structured concurrency: children that end before their scope does.
#pragma once

#include <optional>
#include <soquete/owned.hpp>
#include <soquete/task.hpp>

namespace soquete {

class scope;

namespace detail {

// A spawned task, from spawn() to its end. Its wake-ups: first the start, then the end of the task.
struct scope_child : waiter {
  scope* owner = nullptr;
  scope_child* previous = nullptr;
  scope_child* following = nullptr;
  cancel_context cancel;
  void (*describe)(const scope_child&, suspension_report&) = nullptr;

  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* child, std::size_t size) noexcept { free_frame(child, size); }
};

template <class T>
struct spawned_task;

}  // namespace detail

/// Owns running tasks. Handed out by with_scope only, so that nothing can leave it unjoined.
///
/// The first child that fails cancels the others and the body; its error becomes the scope's.
class scope : cancel_hook {
 public:
  explicit scope(environment env) noexcept;  ///< For with_scope only.
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;
  ~scope();

  /// Starts `work` at the next round of the loop. Its value is dropped, its error is not.
  ///
  /// Call a function or a lambda without captures: a coroutine does not keep its closure alive.
  template <class T>
  void spawn(task<T> work) {
    adopt(*new detail::spawned_task<T>(std::move(work)));
  }

  /// Asks all children and the body to end. What they then report as errors is not the scope's.
  void cancel() noexcept { cancel_all(stop::cancelled); }

  /// Children that have not ended yet.
  std::size_t size() const noexcept { return size_; }

 private:
  template <class T>
  friend struct detail::spawned_task;
  template <class F>
  friend auto with_scope(F body) -> decltype(body(std::declval<scope&>()));

  void cancel_all(stop why) noexcept;

 public:
  // For those who make children of their own kind: they join on every path.
  void describe(suspension_report& report) const;
  void adopt(detail::scope_child& child) noexcept;  ///< Starts a child of your own kind.
  /// Told by that child once, as its last act.
  void child_ended(detail::scope_child& child, std::exception_ptr thrown, error* why) noexcept;

  // Waits for the last child.
  /// Awaited by with_scope: the end of all children.
  struct join {
    using awaiter = join;
    scope& of;                                   ///< Whose children.
    explicit join(scope& s) noexcept : of(s) {}  ///< Does not wait yet.
    bool begin(environment env, waiter* then) noexcept {
      if (of.first_ == nullptr) return false;
      of.joining_ = then;
      env.queue->wait_begun(this, wait_kind::join);
      return true;
    }
    bool failed() const noexcept { return false; }
    void take() noexcept {}
    void describe(suspension_report& report) const {
      report.waits_for(std::to_string(of.size_) + " children");
      report.reached(this);
      of.describe(report);
    }
  };

 private:
  run_queue& queue_;
  cancel_context* outer_;
  cancel_context body_;
  bool cancelled_from_outside_ = false;
  detail::scope_child* first_ = nullptr;
  std::size_t size_ = 0;
  waiter* joining_ = nullptr;
  std::optional<error> first_error_;
  std::exception_ptr first_exception_;
};

namespace detail {

template <class T>
struct spawned_task final : scope_child {
  explicit spawned_task(task<T>&& t) : work(std::move(t)) {
    wake = [](waiter* w) noexcept {
      auto* self = static_cast<spawned_task*>(w);
      self->wake = &over;
      if (!self->work.begin(self->environment_of(), self)) over(self);
    };
    describe = [](const scope_child& c, suspension_report& report) {
      static_cast<const spawned_task&>(c).work.describe(report);
    };
  }

  environment environment_of() noexcept;

  static void over(waiter* w) noexcept {
    const owned<spawned_task> self(static_cast<spawned_task*>(w));
    if (auto thrown = self->work.exception())
      return self->owner->child_ended(*self, std::move(thrown), nullptr);
    if constexpr (is_result<T>) {
      if (self->work.failed()) {
        error why = std::move(self->work.take().error());
        return self->owner->child_ended(*self, nullptr, &why);
      }
    }
    static_cast<void>(self->work.take());
    self->owner->child_ended(*self, nullptr, nullptr);
  }

  typename task<T>::awaiter work;
};

template <class T>
environment spawned_task<T>::environment_of() noexcept {
  return {&owner->queue_, &cancel};
}

// The environment of the running coroutine.
struct get_environment {
  using awaiter = get_environment;
  bool begin(environment env, waiter*) noexcept { return got = env, false; }
  bool failed() const noexcept { return false; }
  environment take() const noexcept { return got; }
  environment got;
};

// How the body of a scope ended: with a value, or thrown. It has a context of its own.
template <class T>
struct ending {
  std::exception_ptr thrown;
  std::optional<T> value;
};
template <class T>
struct end_of_body {
  task<T> work;
  scope& of;
  cancel_context& context;
  end_of_body(task<T>&& t, scope& s, cancel_context& c) noexcept : work(std::move(t)), of(s), context(c) {}

  struct awaiter {
    typename task<T>::awaiter inner;
    scope& of;
    cancel_context& context;
    explicit awaiter(end_of_body&& e) : inner(std::move(e.work)), of(e.of), context(e.context) {}
    bool begin(environment env, waiter* then) noexcept { return inner.begin({env.queue, &context}, then); }
    bool failed() const noexcept { return false; }
    ending<T> take() {
      ending<T> how;
      how.thrown = inner.exception();
      if (!how.thrown) how.value.emplace(inner.take());
      return how;
    }
    void describe(suspension_report& report) const {
      report.waits_for("its scope");
      inner.describe(report);
      of.describe(report);
    }
  };
};

}  // namespace detail

/// Runs `body(scope&)`, then waits for all that it has spawned: on success, error, cancellation and
/// exception alike. Gives the body's result, or the first error of a child.
///
/// An error of the body cancels the children. `body` is a coroutine lambda that captures by reference.
template <class F>
auto with_scope(F body) -> decltype(body(std::declval<scope&>())) {
  static_assert(detail::safe_closure<F>, "capture by reference: GCC 12 destroys owning captures twice");
  using outcome = typename decltype(body(std::declval<scope&>()))::value_type;
  const environment env = co_await detail::get_environment();
  scope s(env);
  detail::ending<outcome> how = co_await detail::end_of_body<outcome>(body(s), s, s.body_);
  if (how.thrown || !how.value->has_value()) s.cancel();
  co_await scope::join(s);
  if (how.thrown) std::rethrow_exception(std::move(how.thrown));
  if (s.first_exception_) std::rethrow_exception(std::move(s.first_exception_));
  if (s.first_error_ && (how.value->has_value() || s.body_.why == stop::cancelled))
    co_return fail(std::move(*s.first_error_));
  co_return std::move(*how.value);
}

}  // namespace soquete
