// What receive and send return: how they begin and end.
#include <soquete/transfer.hpp>

namespace soquete::detail {

bool receive_into::begin(environment env, waiter* then) noexcept {
  if (into_.empty()) return false;  // Zero bytes would read as the end of the stream.
  slot_.code = opcode::receive;
  slot_.data = into_.data();
  slot_.size = into_.size();
  return slot_.begin(env, then);
}

result<std::size_t> receive_into::take() const {
  if (into_.empty()) return fail(std::errc::invalid_argument, step::receive);
  if (failed()) return fail(error_of(slot_, step::receive));
  return static_cast<std::size_t>(slot_.outcome);
}

bool send_operation::begin(environment env, waiter* then) noexcept {
  was_broken_ = slot_.on->send_broken;
  if (was_broken_ || size_ == 0) return false;
  slot_.code = how_;
  slot_.data = data_;
  slot_.size = size_;
  return slot_.begin(env, then);
}

result<std::size_t> send_operation::sent() const {
  if (was_broken_) return fail(fault::stream_broken, step::send);
  if (size_ == 0) return 0;
  if (!slot_.failed()) return static_cast<std::size_t>(slot_.outcome);
  // The peer has part of it and cannot know that it is a part.
  if (slot_.moved != 0) slot_.on->send_broken = true;
  return fail(error_of(slot_, step::send));
}

}  // namespace soquete::detail
