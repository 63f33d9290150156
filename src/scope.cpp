// Structured concurrency: the list of children and how they end.
#include <soquete/scope.hpp>

namespace soquete {

scope::scope(environment env) noexcept : queue_(*env.queue), outer_(env.cancel) {
  fire = [](cancel_hook* hook) noexcept {
    auto* self = static_cast<scope*>(hook);
    self->cancelled_from_outside_ = true;
    self->cancel_all(self->outer_->why);
  };
  if (outer_ == nullptr) return;
  body_.why = outer_->why;
  cancelled_from_outside_ = outer_->requested();
  outer_->leaf = this;
}

scope::~scope() {
  assert(first_ == nullptr);
  if (outer_ != nullptr && outer_->leaf == this) outer_->leaf = nullptr;
}

void scope::adopt(detail::scope_child& child) noexcept {
  child.owner = this;
  child.cancel.why = body_.why;
  child.following = first_;
  if (first_ != nullptr) first_->previous = &child;
  first_ = &child;
  ++size_;
  queue_.push(child);
}

void scope::child_ended(detail::scope_child& child, std::exception_ptr thrown, error* why) noexcept {
  (child.previous != nullptr ? child.previous->following : first_) = child.following;
  if (child.following != nullptr) child.following->previous = child.previous;
  --size_;

  const bool first = !first_exception_ && !first_error_;
  if (thrown && !first_exception_) first_exception_ = std::move(thrown);
  // Once the scope has been cancelled from inside, errors are what was asked for.
  if (why != nullptr && first && (!body_.requested() || cancelled_from_outside_))
    first_error_ = std::move(*why);
  if (first_exception_ || first_error_) cancel_all(stop::cancelled);

  if (first_ == nullptr && joining_ != nullptr) queue_.push_next(*std::exchange(joining_, nullptr));
}

void scope::cancel_all(stop why) noexcept {
  body_.request(why);
  for (auto* child = first_; child != nullptr; child = child->following) child->cancel.request(why);
}

void scope::describe(suspension_report& report) const {
  for (const auto* child = first_; child != nullptr; child = child->following)
    child->describe(*child, report);
}

}  // namespace soquete
