// Sending messages without waiting, with the kernel cutting runs of datagrams where it can.  UDP_SEGMENT,
// udp(7)
#include <sys/socket.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "kernel/ancillary.hpp"
#include "kernel/messages.hpp"
#include "kernel/sockaddr.hpp"

namespace soquete::kernel {
namespace {

constexpr std::size_t calls_together = 64;     // Messages of one system call.
constexpr std::size_t segments_max = 64;       // UDP_MAX_SEGMENTS of older kernels.
constexpr std::size_t cut_bytes_max = 65'000;  // What one IP packet would hold, with some room for headers.

// One header for the kernel: a message, or a run of them that goes out as one and is cut again.
struct outgoing_run {
  std::size_t first;
  std::size_t count;
  std::uint32_t segment;
};

// What a call to sendmmsg(2) points to.
struct sending {
  std::array<mmsghdr, calls_together> headers;
  std::array<outgoing_run, calls_together> runs;
  std::array<iovec, calls_together + segments_max> parts;
  std::array<socket_address, calls_together> names;
  alignas(cmsghdr) std::array<std::byte, calls_together * 128> control;
};

bool goes_alike(const outgoing_message& a, const outgoing_message& b) noexcept {
  const bool same_peer = a.to == b.to || (a.to != nullptr && b.to != nullptr && *a.to == *b.to);
  return same_peer && a.from == b.from && a.interface == b.interface && a.hops == b.hops &&
         a.traffic_class == b.traffic_class;
}

// How many messages from the first on the kernel may take as one: all of one size, but for a shorter last
// one.
std::size_t run_length(std::span<const outgoing_message> from, const socket_block& on) noexcept {
  const outgoing_message& first = from.front();
  const std::size_t size = first.payload.size();
  if (on.domain == family::local || size == 0 || size > on.segment_max) return 1;
  std::size_t length = 1;
  std::size_t total = size;
  while (length < std::min(from.size(), segments_max) && goes_alike(first, from[length])) {
    const std::size_t next = from[length].payload.size();
    if (next == 0 || next > size || total + next > cut_bytes_max) break;
    ++length;
    total += next;
    if (next < size) break;
  }
  return length;
}

// Sends the messages from `moved` on that fit into one call. Gives how many runs went out, or -errno.
class attempt_to_send {
 public:
  attempt_to_send(std::span<const outgoing_message> from, const socket_block& on, sending& into) noexcept
      : all_(into), on_(on) {
    while (!from.empty() && runs_ < calls_together && parts_ + segments_max <= all_.parts.size()) {
      const std::size_t length = run_length(from, on);
      add(from.first(length));
      from = from.subspan(length);
      if (!fits_) break;
    }
  }

  std::int64_t send() noexcept {
    for (;;) {
      const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
      if (runs_ == 1) {
        if (::sendmsg(on_.descriptor, &all_.headers[0].msg_hdr, flags) >= 0) return 1;
      } else if (const int got = ::sendmmsg(on_.descriptor, all_.headers.data(), runs_, flags); got >= 0) {
        return got;
      }
      if (errno != EINTR) return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    }
  }
  const outgoing_run& run(std::size_t i) const noexcept { return all_.runs[i]; }

 private:
  void add(std::span<const outgoing_message> run) noexcept {
    const outgoing_message& first = run.front();
    msghdr& h = all_.headers[runs_].msg_hdr;
    h = {};
    h.msg_iov = &all_.parts[parts_];
    h.msg_iovlen = run.size();
    for (const outgoing_message& m : run)
      all_.parts[parts_++] = {const_cast<std::byte*>(m.payload.data()), m.payload.size()};
    if (first.to != nullptr) {
      all_.names[runs_] = socket_address(*first.to);
      h.msg_name = &all_.names[runs_].storage;
      h.msg_namelen = all_.names[runs_].size;
    }
    const auto segment = run.size() > 1 ? static_cast<std::uint32_t>(first.payload.size()) : 0;
    // Descriptors need much room, so such a message goes alone and has it all.
    fits_ = first.descriptors.empty();
    const std::size_t begin = fits_ ? runs_ * control_each : 0;
    const std::size_t size = fits_ ? control_each : all_.control.size();
    write_control(first, on_, segment, std::span(all_.control).subspan(begin, size), h);
    all_.runs[runs_] = {sent_, run.size(), segment};
    sent_ += run.size();
    ++runs_;
  }

  static constexpr std::size_t control_each = 128;
  sending& all_;
  const socket_block& on_;
  unsigned runs_ = 0;
  std::size_t parts_ = 0;
  std::size_t sent_ = 0;
  bool fits_ = true;
};

// A run failed of which the first message alone goes out: so it is the cutting that the kernel, the route or
// the device does not do.
void learn_not_to_cut(socket_block& on, std::uint32_t segment, std::int64_t cause) noexcept {
  const bool is_too_large = cause == -EINVAL || cause == -EMSGSIZE;  // For the packets of this route.
  on.segment_max = is_too_large ? segment - 1 : 0;
}

// ICMP has refused an earlier datagram. A receive that waits is the one to be told: this send is not at
// fault.
bool tell_receiver(socket_block& on, const outgoing_message& m, std::int64_t cause) noexcept {
  if (cause != -ECONNREFUSED || m.to != nullptr || on.domain == family::local) return false;
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
  alignas(cmsghdr) std::array<std::byte, local_control_size> control;
  while (o.moved < m.payload.size()) {
    iovec part{const_cast<std::byte*>(m.payload.data()) + o.moved, m.payload.size() - o.moved};
    msghdr h{};
    h.msg_iov = &part;
    h.msg_iovlen = 1;
    if (o.moved == 0) write_control(m, *o.on, 0, control, h);
    const ssize_t sent = ::sendmsg(o.on->descriptor, &h, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return progress::blocked;
    if (sent < 0) return m.outcome = -errno, o.outcome = -errno, progress::done;
    o.moved += static_cast<std::size_t>(sent);
  }
  m.outcome = 0;
  o.outcome = 1;
  return progress::done;
}

}  // namespace

progress send_messages_now(op& o) noexcept {
  socket_block& on = *o.on;
  if (on.kind == descriptor_kind::stream) return send_as_stream(o);
  const std::span<outgoing_message> all(static_cast<outgoing_message*>(const_cast<void*>(o.data)), o.size);
  sending memory;
  std::int64_t cut_failure = 0;
  while (o.moved < all.size()) {
    const auto left = all.subspan(o.moved);
    attempt_to_send attempt(cut_failure != 0 ? left.first(1) : left, on, memory);
    const std::int64_t sent = attempt.send();
    for (std::int64_t i = 0; i < sent; ++i) {
      const std::size_t count = attempt.run(static_cast<std::size_t>(i)).count;
      for (outgoing_message& m : all.subspan(o.moved, count)) m.outcome = 0;
      o.moved += count;
    }
    const std::int64_t run_failed = std::exchange(cut_failure, 0);
    if (sent > 0) {
      if (run_failed != 0)
        learn_not_to_cut(on, static_cast<std::uint32_t>(left[0].payload.size()), run_failed);
      continue;
    }
    if (sent == -EAGAIN && is_told_of_room(on, left[0])) return progress::blocked;
    if (tell_receiver(on, left[0], sent)) continue;
    if (attempt.run(0).count > 1) {
      cut_failure = sent;
      continue;
    }
    left[0].outcome = static_cast<std::int32_t>(sent);  // Its own affair, and no reason to keep the others.
    ++o.moved;
  }
  o.outcome = static_cast<std::int64_t>(o.moved);
  return progress::done;
}

}  // namespace soquete::kernel
