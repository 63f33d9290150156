// Messages of local sockets: how they begin and end.
#include <soquete/local_message.hpp>

namespace soquete::detail {

credentials credentials_of_peer(const socket_block& block) {
  constexpr std::uint32_t no_one = ~0U;
  return block.home.peer_credentials(block).value_or(credentials{0, no_one, no_one});
}

result<local::message> receive_message::take() {
  if (failed()) return fail(error_of(slot_, step::receive));
  local::message out;
  if (slot_.outcome == 0) {
    out.is_end = true;
    return out;
  }
  auto& got = *static_cast<received_message*>(const_cast<void*>(slot_.data));
  out.handles = std::move(got.handles);
  if (got.has_sender) out.sender = got.sender;
  out.from = got.from;
  if (got.from.is_empty() && slot_.on->carries == transport::datagram) out.from = endpoint::local_unnamed();
  out.length = got.length;
  out.handles_lost = got.handles_lost;
  out.payload = lease(got.data, got.size, slot_.home, slot_.id);
  return out;
}

bool send_message::begin(environment env, waiter* then) noexcept {
  const socket_block& on = *slot_.on;
  refused_ = nullptr;
  if (handles_.size() > message_handles_max) refused_ = "more than 253 descriptors";
  // What we have read from it already would be lost to the one who gets it.
  for (const owned_descriptor& one : handles_)
    if (!one.unread().empty() || !one.accepted().empty())
      refused_ = "a descriptor with unread bytes: see handover.hpp";
    else if (!one.is_open())
      refused_ = "an empty owned_descriptor";
  if (payload_.empty() && on.carries != transport::datagram)
    refused_ = "no bytes: the peer would take it for the end";
  if (refused_ != nullptr || on.send_broken) return false;
  message_.outcome = 0;
  message_.payload = payload_;
  message_.handles = handles_;
  if (!to_.is_empty()) message_.to = &to_;
  slot_.code = opcode::send_messages;
  slot_.data = &message_;
  slot_.size = 1;
  return slot_.begin(env, then);
}

result<void> send_message::take() const {
  if (refused_ != nullptr) {
    error why(std::errc::invalid_argument, step::send);
    return fail(std::move(why.set_detail(refused_)));
  }
  socket_block& on = *slot_.on;
  if (on.send_broken) return fail(fault::stream_broken, step::send);
  if (!failed()) return {};
  if (on.kind == descriptor_kind::stream && slot_.moved != 0) on.send_broken = true;
  error why = error_of(slot_, step::send);
  if (!slot_.failed()) why = error(std::error_code(-message_.outcome, std::generic_category()), step::send);
  if (!to_.is_empty()) why.set_subject(to_string(to_));
  return fail(std::move(why));
}

}  // namespace soquete::detail
