// Receiving messages without waiting.
#include "kernel/messages.hpp"

#include <sys/socket.h>
#include <cerrno>
#include <cstring>

#include "kernel/ancillary.hpp"
#include "kernel/datagrams_ahead.hpp"
#include "kernel/sockaddr.hpp"

namespace soquete::kernel {
namespace {

// As if nothing had been told, for the room may have been used before.
void forget(received_message& m) noexcept {
  m.segment = m.interface = m.drops = 0;
  m.to = m.answer_from = address();
  m.hops = m.traffic_class = -1;
  m.when = {};
  m.has_sender = m.handles_lost = false;
}

void fill(received_message& m, mmsghdr& from, const iovec& part) {
  msghdr& h = from.msg_hdr;
  m.from = h.msg_namelen != 0 ? endpoint_of(*static_cast<sockaddr_storage*>(h.msg_name), h.msg_namelen)
                              : endpoint();
  m.data = static_cast<const std::byte*>(part.iov_base);
  m.length = from.msg_len;  // With MSG_TRUNC also more than there was room for.
  m.size = static_cast<std::uint32_t>(std::min<std::size_t>(from.msg_len, part.iov_len));
  forget(m);
  if (h.msg_controllen != 0 || (h.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0) read_control(h, m);
}

// One call for one message, which is cheaper than one for several; or one for as many as there are.
std::int64_t receive_into(message_room& r, int descriptor, unsigned count, int flags) noexcept {
  for (;;) {
    if (count == 1) {
      const ssize_t got = ::recvmsg(descriptor, &r.headers[0].msg_hdr, flags);
      r.headers[0].msg_len = static_cast<unsigned>(got);
      if (got >= 0) return 1;
    } else if (const int got = receive_batch(descriptor, std::span(r.headers).first(count), flags);
               got >= 0) {
      return got;
    }
    if (errno != EINTR) return errno == EWOULDBLOCK ? -EAGAIN : -errno;
  }
}

// Of the Internet: several of them are no more than each by itself.
bool is_one_datagram(const socket_block& on, const op& o) noexcept {
  return o.size == 1 && on.domain != family::local && on.kind == descriptor_kind::datagram;
}

std::int64_t receive_bare(const socket_block& on, message_pool& pool, op& o, bool& drained) {
  message_room* const room = pool.take();
  if (room == nullptr) return -ENOBUFS;
  sockaddr_storage from;
  for (;;) {
    socklen_t from_size = sizeof from;
    const ssize_t got = ::recvfrom(on.descriptor, room->memory.get(), message_room::bare_size,
                                   message_flags | MSG_TRUNC, reinterpret_cast<sockaddr*>(&from), &from_size);
    if (got >= 0) {
      received_message& m = room->messages[0];
      m.from = from_size != 0 ? endpoint_of(from, from_size) : endpoint();
      m.data = room->memory.get();
      m.length = static_cast<std::uint32_t>(got);
      m.size = std::min<std::uint32_t>(m.length, message_room::bare_size);
      forget(m);
      room->filled = 1;
      pool.lend(*room, o);
      return 1;
    }
    if (errno == EINTR) continue;
    const std::int64_t why = errno == EWOULDBLOCK ? -EAGAIN : -errno;
    pool.give_back(*room);
    drained = why == -EAGAIN;
    return why;
  }
}

std::int64_t receive_several(watched_block& on, message_pool& pool, op& o, bool& drained) {
  message_room* const room = pool.take();
  if (room == nullptr) return -ENOBUFS;
  const bool is_stream = on.kind == descriptor_kind::stream;
  const bool is_ahead = is_one_datagram(on, o) && should_take_ahead(on);
  const auto wanted = static_cast<unsigned>(is_ahead ? message_room::messages_max
                                                     : std::min(o.size, message_room::messages_max));
  const unsigned count = room->prepare(
      on.domain == family::local ? message_room::cut::few : message_room::cut::many, is_stream ? 1 : wanted);
  const int flags = message_flags | (is_stream ? 0 : MSG_TRUNC);
  const std::int64_t got = receive_into(*room, on.descriptor, count, flags);
  // A stream may end, or stop before descriptors that come with the next bytes.
  // Of a connected socket the kernel may have kept an error for the next call, without news of it:
  // recvmmsg(2).
  const bool is_short = !is_stream && !on.has_peer && got > 0 && got < std::int64_t{count};
  drained = got == -EAGAIN || is_short;
  const bool ended = got == 1 && room->headers[0].msg_len == 0 && on.carries != transport::datagram;
  for (std::int64_t i = 0; i < got; ++i) {
    const auto at = static_cast<std::size_t>(i);
    fill(room->messages[at], room->headers[at], room->parts[at]);
  }
  room->filled = got > 0 ? static_cast<std::uint32_t>(got) : 0;
  if (got <= 0 || ended) {
    pool.give_back(*room);
    return got <= 0 ? got : 0;
  }
  if (is_ahead && got > 1) {
    // More may have come, with news that is forgotten by the time these have been received.
    drained = false;
    keep_ahead(on, pool, *room);
    return lend_ahead(on, pool, o);
  }
  pool.lend(*room, o);
  return got;
}

// Are they coming faster than they are received? One that came alone though more were asked for says no.
void count_in_a_row(watched_block& on, std::int64_t got) noexcept {
  const bool was_ahead = should_take_ahead(on);
  if (got == -EAGAIN || (was_ahead && on.ahead == nullptr))
    on.in_a_row = 0;
  else if (got > 0 && on.in_a_row < watched_block::in_a_row_max)
    ++on.in_a_row;
}

}  // namespace

std::int64_t receive_messages_now(watched_block& on, message_pool& pool, op& o, bool& drained) {
  if (on.ahead != nullptr) return lend_ahead(on, pool, o);
  const bool is_one = is_one_datagram(on, o);
  // Nothing of it comes beside the bytes: recvmsg(2) would have a header for the kernel to copy and check.
  const bool is_bare = is_one && on.told_beside == 0 && !should_take_ahead(on);
  const std::int64_t got =
      is_bare ? receive_bare(on, pool, o, drained) : receive_several(on, pool, o, drained);
  if (is_one) count_in_a_row(on, got);
  return got;
}

std::int64_t lend_message(message_pool& pool, op& o, const std::byte* data, std::size_t size,
                          const endpoint& from) {
  message_room* const room = pool.take();
  if (room == nullptr) return -ENOBUFS;
  room->prepare(message_room::cut::few, 1);
  const std::size_t part = std::min(size, room->parts[0].iov_len);
  std::memcpy(room->parts[0].iov_base, data, part);
  mmsghdr& h = room->headers[0];
  h.msg_len = static_cast<unsigned>(part);
  h.msg_hdr.msg_namelen = 0;
  h.msg_hdr.msg_controllen = 0;
  fill(room->messages[0], h, room->parts[0]);
  room->messages[0].from = from;
  room->filled = 1;
  pool.lend(*room, o);
  return static_cast<std::int64_t>(part);
}

}  // namespace soquete::kernel
