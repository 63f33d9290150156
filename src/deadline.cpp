// Deadlines: a nested cancellation and a timer.
#include <soquete/deadline.hpp>

namespace soquete {
namespace detail {

time_point moment_after(time_point now, clock::duration span) noexcept {
  if (span > clock::duration::zero() && span > time_point::max() - now) return time_point::max();
  return now + span;
}

environment deadline::open(environment outer, clock::duration span, bool linked) noexcept {
  here_ = static_cast<loop*>(outer.queue);
  if (linked && outer.cancel != nullptr) {
    outer_ = outer.cancel;
    own_.why = outer_->why;
    cancel_hook::fire = [](cancel_hook* hook) noexcept {
      auto* self = static_cast<deadline*>(hook);
      self->own_.request(self->outer_->why);
    };
    outer_->leaf = this;
  }
  timer::fire = [](timer* t) noexcept { static_cast<deadline*>(t)->own_.request(stop::timed_out); };
  if (span <= clock::duration::zero())
    own_.request(stop::timed_out);
  else if (const time_point end = moment_after(here_->now(), span); end != time_point::max())
    here_->timers().arm(*this, end);
  return {outer.queue, &own_};
}

void deadline::close() noexcept {
  if (here_ != nullptr) here_->timers().disarm(*this);
  if (outer_ != nullptr && outer_->leaf == this) outer_->leaf = nullptr;
}

void deadline::describe(suspension_report& report) const {
  if (is_armed()) report.until(at);
  if (outer_ == nullptr) report.shielded();
}

bool sleeping::begin(environment env, waiter* then) noexcept {
  env_ = env;
  then_ = then;
  if (env.cancel != nullptr && env.cancel->requested()) {
    why_ = env.cancel->why;
    return false;
  }
  cancel_hook::fire = [](cancel_hook* hook) noexcept {
    auto* self = static_cast<sleeping*>(hook);
    if (self->is_armed()) self->end(self->env_.cancel->why);
  };
  timer::fire = [](timer* t) noexcept { static_cast<sleeping*>(t)->end(stop::none); };
  auto& here = static_cast<loop&>(*env.queue);
  here.timers().arm(*this, moment_after(here.now(), span_));
  if (env.cancel != nullptr) env.cancel->leaf = this;
  here.wait_begun(this, wait_kind::sleep);
  return true;
}

void sleeping::end(stop why) noexcept {
  why_ = why;
  static_cast<loop&>(*env_.queue).timers().disarm(*this);
  if (env_.cancel != nullptr) env_.cancel->leaf = nullptr;
  env_.queue->push(*then_);
  env_.queue->wait_ended(this);
}

result<void> sleeping::take() const noexcept {
  if (why_ == stop::none) return {};
  return fail(why_ == stop::timed_out ? std::errc::timed_out : std::errc::operation_canceled, step::wait);
}

void sleeping::describe(suspension_report& report) const {
  report.waits_for("a moment");
  report.reached(this, is_armed() ? std::optional(at) : std::nullopt);
  if (is_armed()) report.until(at);
}

}  // namespace detail
}  // namespace soquete
