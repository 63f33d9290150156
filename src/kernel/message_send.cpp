// Sending messages without waiting, with the kernel cutting runs of datagrams where it can.  UDP_SEGMENT,
// udp(7)
#include <netinet/in.h>
#include <sys/socket.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "kernel/ancillary.hpp"
#include "kernel/messages.hpp"
#include "kernel/sockaddr.hpp"
#include "kernel/system.hpp"

namespace soquete::kernel {
namespace {

constexpr std::size_t calls_together = 32;     // Runs of one system call.
constexpr std::size_t segments_max = 64;       // UDP_MAX_SEGMENTS of older kernels.
constexpr std::size_t cut_bytes_max = 65'000;  // What one IP packet would hold, with some room for headers.
constexpr std::size_t control_each = 128;      // All that goes beside a datagram.
constexpr std::uint16_t segment_largest = socket_block::segment_unknown - 1;
constexpr std::uint16_t messages_of_doubt = 1024;  // Until what was learned of cutting is forgotten.

std::int64_t failure() noexcept { return errno == EWOULDBLOCK ? -EAGAIN : -errno; }

// Does nothing go beside its bytes?
bool is_bare(const outgoing_message& m) noexcept {
  return m.handles.empty() && m.sender == nullptr && m.from.is_unspecified() && m.interface == 0 &&
         m.hops < 0 && m.traffic_class < 0;
}

// One alone. 1 once sent, or -errno. Nothing larger than needed is initialised: it is what most sends are.
std::int64_t send_alone(const outgoing_message& m, const socket_block& on) noexcept {
  if (m.to != nullptr && m.to->is_empty()) return -EDESTADDRREQ;
  if (m.handles.size() > message_handles_max) return -EINVAL;
  if (const int why = refusal_of(m, on); why != 0) return -why;
  sockaddr_storage name;
  const socklen_t name_size = m.to != nullptr ? write_address(*m.to, name) : 0;
  auto* const to = reinterpret_cast<const sockaddr*>(name_size != 0 ? &name : nullptr);
  if (is_bare(m)) {  // The cheaper call: no header for the kernel to copy and check.
    while (::sendto(on.descriptor, m.payload.data(), m.payload.size(), send_flags, to, name_size) < 0)
      if (errno != EINTR) return failure();
    return 1;
  }
  alignas(cmsghdr) std::array<std::byte, local_control_size> control;
  iovec part{const_cast<std::byte*>(m.payload.data()), m.payload.size()};
  msghdr h{};
  h.msg_iov = &part;
  h.msg_iovlen = 1;
  h.msg_name = const_cast<sockaddr*>(to);
  h.msg_namelen = name_size;
  write_control(m, on, 0, control, h);
  while (::sendmsg(on.descriptor, &h, send_flags) < 0)
    if (errno != EINTR) return failure();
  return 1;
}

bool goes_alone(const outgoing_message& m, const socket_block& on) noexcept {
  return !m.handles.empty() || (m.to != nullptr && m.to->is_empty()) || refusal_of(m, on) != 0;
}

// As ==, without a call for most: it is asked for each datagram of a run.
bool is_same(const address& a, const address& b) noexcept {
  std::uint32_t of_a = 0, of_b = 0;
  std::memcpy(&of_a, a.octets().data(), sizeof of_a);
  std::memcpy(&of_b, b.octets().data(), sizeof of_b);
  return of_a == of_b && a.is_v4() == b.is_v4() && (a.is_v4() || a == b);
}

bool goes_alike(const outgoing_message& a, const outgoing_message& b) noexcept {
  const bool same_peer = a.to == b.to || (a.to != nullptr && b.to != nullptr && *a.to == *b.to);
  return same_peer && is_same(a.from, b.from) && a.interface == b.interface && a.hops == b.hops &&
         a.traffic_class == b.traffic_class;
}

// A kernel that does not know UDP_SEGMENT would send a run as one long datagram.
bool may_cut(socket_block& on, std::size_t size) noexcept {
  if (on.segment_max == socket_block::segment_unknown) {
    int value = 0;
    socklen_t length = sizeof value;
    const bool is_known = ::getsockopt(on.descriptor, IPPROTO_UDP, udp_segment, &value, &length) == 0;
    on.segment_max = is_known ? segment_largest : 0;
  }
  return size <= on.segment_max;
}

// How many messages from the first on the kernel may take as one: all of one size, but for a shorter last
// one.
std::size_t run_length(std::span<const outgoing_message> from, socket_block& on) noexcept {
  const outgoing_message& first = from.front();
  const std::size_t size = first.payload.size();
  const std::size_t most = std::min(from.size(), segments_max);
  if (!is_linux || on.domain == family::local || size == 0) return 1;
  std::size_t length = 1;
  std::size_t total = size;
  while (length < most && goes_alike(first, from[length])) {
    const std::size_t next = from[length].payload.size();
    if (next == 0 || next > size || total + next > cut_bytes_max) break;
    if (length == 1 && !may_cut(on, size)) break;
    ++length;
    total += next;
    if (next < size) break;
  }
  return length;
}

// Several, as far as they fit into one call.
class call {
 public:
  // The error of an earlier datagram ends sendmmsg(2) half-way and is forgotten then: a connected socket,
  // which has such errors, sends one run a call.
  call(std::span<const outgoing_message> from, socket_block& on) noexcept : on_(on) {
    const std::size_t most = on.has_peer || from.front().to == nullptr ? 1 : calls_together;
    while (!from.empty() && !goes_alone(from.front(), on) && runs_ < most &&
           parts_ + segments_max <= parts.size()) {
      const std::size_t length = run_length(from, on);
      add(from.first(length));
      from = from.subspan(length);
    }
  }

  // How many messages went out, or -errno.
  std::int64_t send() noexcept {
    for (;;) {
      if (runs_ == 1) {
        if (::sendmsg(on_.descriptor, &headers[0].msg_hdr, send_flags) >= 0)
          return static_cast<int>(counts[0]);
      } else if (const int got = send_batch(on_.descriptor, std::span(headers).first(runs_), send_flags);
                 got >= 0) {
        std::int64_t messages = 0;
        for (int i = 0; i < got; ++i) messages += counts[static_cast<std::size_t>(i)];
        return messages;
      }
      if (errno != EINTR) return failure();
    }
  }
  bool begins_with_a_run() const noexcept { return counts[0] > 1; }

 private:
  void add(std::span<const outgoing_message> run) noexcept {
    const outgoing_message& first = run.front();
    msghdr& h = headers[runs_].msg_hdr;
    h = {};
    h.msg_iov = &parts[parts_];
    for (const outgoing_message& m : run) add_part(h, m.payload);
    if (first.to != nullptr) {
      h.msg_name = &names[runs_];
      h.msg_namelen = write_address(*first.to, names[runs_]);
    }
    const auto segment = run.size() > 1 ? static_cast<std::uint32_t>(first.payload.size()) : 0;
    write_control(first, on_, segment, std::span(control).subspan(runs_ * control_each, control_each), h);
    counts[runs_++] = static_cast<std::uint8_t>(run.size());
  }

  // What follows what is there already is one with it.
  void add_part(msghdr& to, bytes payload) noexcept {
    auto* const data = const_cast<std::byte*>(payload.data());
    if (to.msg_iovlen != 0) {
      iovec& last = parts[parts_ - 1];
      if (static_cast<std::byte*>(last.iov_base) + last.iov_len == data) {
        last.iov_len += payload.size();
        return;
      }
    }
    parts[parts_++] = {data, payload.size()};
    ++to.msg_iovlen;
  }

  const socket_block& on_;
  unsigned runs_ = 0;
  std::size_t parts_ = 0;
  // Filled as far as they are used.
  std::array<mmsghdr, calls_together> headers;
  std::array<std::uint8_t, calls_together> counts;
  std::array<iovec, calls_together + segments_max> parts;
  std::array<sockaddr_storage, calls_together> names;
  alignas(cmsghdr) std::array<std::byte, calls_together * control_each> control;
};

// Of a run that fails in one of these ways, the cutting may be at fault: this route or device does not do it.
bool may_be_the_cutting(std::int64_t cause) noexcept {
  return cause == -EINVAL || cause == -EMSGSIZE || cause == -EIO || cause == -EOPNOTSUPP;
}

// For a while: other peers have wider routes, and routes change.
void learn_not_to_cut(socket_block& on, std::size_t segment, std::int64_t cause) noexcept {
  const bool is_too_large = cause == -EINVAL || cause == -EMSGSIZE;  // For the packets of this route.
  on.segment_max = is_too_large ? static_cast<std::uint16_t>(segment - 1) : 0;
  on.segment_doubt = messages_of_doubt;
}

void forget_in_time(socket_block& on, std::int64_t sent) noexcept {
  if (on.segment_doubt == 0 || sent <= 0) return;
  on.segment_doubt -= static_cast<std::uint16_t>(std::min<std::int64_t>(on.segment_doubt, sent));
  if (on.segment_doubt == 0) on.segment_max = segment_largest;
}

// Sends one or more from the front. How many went out, or -errno of the first.
std::int64_t send_first(std::span<const outgoing_message> left, socket_block& on) noexcept {
  if (left.size() == 1 || goes_alone(left[0], on)) return send_alone(left[0], on);
  call all(left, on);
  const std::int64_t sent = all.send();
  if (sent >= 0 || !all.begins_with_a_run() || !may_be_the_cutting(sent)) return sent;
  const std::int64_t alone = send_alone(left[0], on);
  if (alone > 0) learn_not_to_cut(on, left[0].payload.size(), sent);
  return alone;
}

// ICMP has refused an earlier datagram. A receive that waits is the one to be told: this send is not at
// fault.
bool tell_receiver(socket_block& on, std::int64_t cause) noexcept {
  if (cause != -ECONNREFUSED || !on.has_peer || on.domain == family::local) return false;
  const op& waiting = on.reader;
  if (waiting.now == op::state::queued && waiting.outcome == cause) return true;  // It knows.
  if (waiting.now != op::state::in_flight || waiting.code != opcode::receive_messages) return false;
  on.refused = static_cast<std::int32_t>(cause);
  return true;
}

// A full peer: the kernel tells when it has room only to a socket that is connected to it.
bool is_told_of_room(const socket_block& on, const outgoing_message& m) noexcept {
  return on.domain != family::local || m.to == nullptr;
}

progress send_as_stream(op& o) noexcept {
  outgoing_message& m = *static_cast<outgoing_message*>(const_cast<void*>(o.data));
  // The kernel drops in silence what comes beside no bytes, and refuses more descriptors than it can hold.
  if (m.payload.empty() || m.handles.size() > message_handles_max)
    return m.outcome = -EINVAL, o.outcome = -EINVAL, progress::done;
  if (const int why = refusal_of(m, *o.on); why != 0) return o.outcome = m.outcome = -why, progress::done;
  alignas(cmsghdr) std::array<std::byte, local_control_size> control;
  while (o.moved < m.payload.size()) {
    iovec part{const_cast<std::byte*>(m.payload.data()) + o.moved, m.payload.size() - o.moved};
    msghdr h{};
    h.msg_iov = &part;
    h.msg_iovlen = 1;
    if (o.moved == 0) write_control(m, *o.on, 0, control, h);
    const ssize_t sent = ::sendmsg(o.on->descriptor, &h, send_flags);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return progress::blocked;
    if (sent < 0) return m.outcome = -errno, o.outcome = -errno, progress::done;
    o.moved += static_cast<std::size_t>(sent);
  }
  o.outcome = 1;
  return progress::done;
}

}  // namespace

progress send_messages_now(op& o) noexcept {
  socket_block& on = *o.on;
  if (on.kind == descriptor_kind::stream) return send_as_stream(o);
  const std::span<outgoing_message> all(static_cast<outgoing_message*>(const_cast<void*>(o.data)), o.size);
  while (o.moved < all.size()) {
    const auto left = all.subspan(o.moved);
    const std::int64_t sent = send_first(left, on);
    forget_in_time(on, sent);
    if (sent == -EAGAIN && is_told_of_room(on, left[0])) return progress::blocked;
    if (sent < 0 && tell_receiver(on, sent)) continue;
    // A refusal is the first one's own affair, and no reason to keep the others.
    const std::size_t settled = sent > 0 ? static_cast<std::size_t>(sent) : 1;
    if (sent < 0) left[0].outcome = static_cast<std::int32_t>(sent);
    o.moved += settled;
  }
  o.outcome = static_cast<std::int64_t>(o.moved);
  return progress::done;
}

}  // namespace soquete::kernel
