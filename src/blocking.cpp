// Calls that cannot be awaited: how a job travels.
#include <cassert>
#include <soquete/blocking.hpp>

namespace soquete::detail {

bool blocking_wait::begin(environment env, waiter* then) {
  assert(job_.get() != nullptr && !is_done_);  // A call is awaited once.
  env_ = env;
  then_ = then;
  if (env.cancel != nullptr && env.cancel->requested()) return false;
  fire = [](cancel_hook* hook) noexcept {
    auto* self = static_cast<blocking_wait*>(hook);
    if (self->under_way_ == nullptr) return;  // It is back: its value is kept.
    std::exchange(self->under_way_, nullptr)->waiting = nullptr;
    self->env_.cancel->leaf = nullptr;
    self->env_.queue->push(*self->then_);
    self->env_.queue->wait_ended(self);
  };
  if (env.cancel != nullptr) env.cancel->leaf = this;
  under_way_ = job_.release();
  under_way_->waiting = this;
  env.queue->wait_begun(this, wait_kind::blocking_call);

  auto& here = static_cast<loop&>(*env.queue);
  here.group().run_blocking([job = under_way_, on = &here, group = &here.group()] {
    job->run();
    // std::function copies, so ownership travels as a plain pointer; a loop that has ended has nobody
    // waiting.
    if (!group->post(*on, [job] { come_back(owned<blocking_job>(job)); })) delete job;
  });
  return true;
}

void blocking_wait::come_back(owned<blocking_job> done) noexcept {
  blocking_wait* const self = done->waiting;
  if (self == nullptr) return;
  self->job_ = std::move(done);
  self->under_way_ = nullptr;
  self->is_done_ = true;
  if (self->env_.cancel != nullptr) self->env_.cancel->leaf = nullptr;
  self->env_.queue->push(*self->then_);
  self->env_.queue->wait_ended(self);
}

void blocking_wait::describe(suspension_report& report) const {
  report.waits_for("a blocking call");
  report.reached(this);
}

std::error_code blocking_wait::cause() const noexcept {
  const bool timed_out = env_.cancel != nullptr && env_.cancel->why == stop::timed_out;
  return std::make_error_code(timed_out ? std::errc::timed_out : std::errc::operation_canceled);
}

}  // namespace soquete::detail
