// Something that tasks of one loop wait for and another brings about.
#pragma once

#include <soquete/task.hpp>

namespace soquete {

/// Wakes all tasks that wait at the time; remembers nothing. One loop only.
///
/// Wait in a loop around the condition: `while (!full()) co_await ok(changed.wait());`
class event {
 public:
  event() = default;
  event(const event&) = delete;
  event& operator=(const event&) = delete;
  ~event() { assert(first_ == nullptr); }

  /// Wakes all that wait now.
  void notify_all() noexcept {
    while (first_ != nullptr) first_->end(stop::none);
  }

  /// What wait() gives, to be awaited.
  class waiting : cancel_hook {
   public:
    using awaiter = waiting;
    explicit waiting(event& on) noexcept : on_(on) {}  ///< Does not wait yet.
    waiting(waiting&& other) noexcept : cancel_hook(), on_(other.on_) {}

    bool begin(environment env, waiter* then) noexcept {
      env_ = env;
      then_ = then;
      if (env.cancel != nullptr && env.cancel->requested()) {
        why_ = env.cancel->why;
        return false;
      }
      fire = [](cancel_hook* hook) noexcept {
        auto* self = static_cast<waiting*>(hook);
        self->end(self->env_.cancel->why);
      };
      if (env.cancel != nullptr) env.cancel->leaf = this;
      following_ = on_.first_;
      if (following_ != nullptr) following_->place_ = &following_;
      place_ = &on_.first_;
      on_.first_ = this;
      env.queue->wait_begun(this, wait_kind::event);
      return true;
    }
    bool failed() const noexcept { return why_ != stop::none; }
    result<void> take() const noexcept {
      if (why_ == stop::none) return {};
      return fail(why_ == stop::timed_out ? std::errc::timed_out : std::errc::operation_canceled, step::wait);
    }
    void describe(suspension_report& report) const {
      report.waits_for("an event");
      report.reached(this);
    }

   private:
    friend event;
    void end(stop why) noexcept {
      why_ = why;
      *place_ = following_;
      if (following_ != nullptr) following_->place_ = place_;
      if (env_.cancel != nullptr) env_.cancel->leaf = nullptr;
      env_.queue->push(*then_);
      env_.queue->wait_ended(this);
    }

    event& on_;
    environment env_;
    waiter* then_ = nullptr;
    stop why_ = stop::none;
    waiting* following_ = nullptr;
    waiting** place_ = nullptr;
  };

  /// Errors: operation_canceled, timed_out.
  [[nodiscard]] waiting wait() noexcept { return waiting(*this); }

 private:
  waiting* first_ = nullptr;
};

}  // namespace soquete
