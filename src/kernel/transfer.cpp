// Moving bytes without waiting.
#include "kernel/transfer.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <limits>

#include "kernel/sockaddr.hpp"
#include "kernel/system.hpp"

namespace soquete::kernel {
namespace {

// Repeats a system call that a signal has interrupted.
template <class Call>
std::int64_t uninterrupted(Call call) noexcept {
  for (;;) {
    const std::int64_t got = call();
    if (got >= 0) return got;
    if (errno != EINTR) return errno == EWOULDBLOCK ? -EAGAIN : -errno;
  }
}

bool is_ready(int descriptor, short events) noexcept {
  pollfd one{descriptor, events, 0};
  return uninterrupted([&] { return ::poll(&one, 1, 0); }) > 0;
}

// The wrong end of a pipe is never ready, so that it would wait for ever where a call says EBADF.
bool is_good_for(int descriptor, int wrong_mode) noexcept {
  return (::fcntl(descriptor, F_GETFL) & O_ACCMODE) != wrong_mode;
}

// Pipes and terminals may be shared with programs that rely on blocking mode, so it stays as it is. Linux can
// be asked call by call not to wait (pipes: since 6.4); where it cannot, we look before each call, and a
// writable pipe takes PIPE_BUF bytes for certain.
std::int64_t write_other(int descriptor, const std::byte* data, std::size_t size) noexcept {
  const std::int64_t sent = uninterrupted([&] { return write_at_once(descriptor, data, size); });
  if (sent != -EOPNOTSUPP) return sent;
  if (!is_ready(descriptor, POLLOUT)) return is_good_for(descriptor, O_RDONLY) ? -EAGAIN : -EBADF;
  return uninterrupted([&] { return ::write(descriptor, data, std::min<std::size_t>(size, PIPE_BUF)); });
}

std::int64_t write_any(const socket_block& on, const std::byte* data, std::size_t size) noexcept {
  if (on.kind == descriptor_kind::other) return write_other(on.descriptor, data, size);
  return uninterrupted([&] { return ::write(on.descriptor, data, size); });
}

std::int64_t send_bytes(const op& o, const std::byte* data, std::size_t size) noexcept {
  if (!is_socket(o.on->kind)) return write_any(*o.on, data, size);
  return uninterrupted([&] { return ::send(o.on->descriptor, data, size, send_flags); });
}

// The parts that are not yet sent, as many as fit.
std::int64_t send_some_parts(const op& o) noexcept {
  const std::span<const bytes> parts(static_cast<const bytes*>(o.data), o.size);
  std::array<iovec, 64> vectors;
  std::size_t count = 0;
  std::size_t skip = o.moved;
  for (const bytes& part : parts) {
    if (skip >= part.size()) {
      skip -= part.size();
      continue;
    }
    vectors[count++] = {const_cast<std::byte*>(part.data()) + skip, part.size() - skip};
    skip = 0;
    if (count == vectors.size()) break;
  }
  if (count == 0) return 0;
  if (!is_socket(o.on->kind))
    return write_any(*o.on, static_cast<const std::byte*>(vectors[0].iov_base), vectors[0].iov_len);
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(count);
  return uninterrupted([&] { return ::sendmsg(o.on->descriptor, &message, send_flags); });
}

std::int64_t splice_rest(const op& o) noexcept {
  const int pipe = *static_cast<const int*>(o.data);
  const std::int64_t sent =
      uninterrupted([&] { return splice_out(pipe, o.on->descriptor, o.size - o.moved); });
  return sent == 0 ? -EIO : sent;  // It holds less than was said.
}

std::int64_t send_more(const op& o) noexcept {
  if (o.code == opcode::send_parts) return send_some_parts(o);
  if (o.code == opcode::splice_out) return splice_rest(o);
  return send_bytes(o, static_cast<const std::byte*>(o.data) + o.moved, o.size - o.moved);
}

std::size_t wanted(const op& o) noexcept {
  if (o.code != opcode::send_parts) return o.size;
  std::size_t sum = 0;
  for (const bytes& part : std::span(static_cast<const bytes*>(o.data), o.size)) sum += part.size();
  return sum;
}

}  // namespace

std::int64_t receive_now(const socket_block& block, void* into, std::size_t size, bool& drained) noexcept {
  const int descriptor = block.descriptor;
  if (!is_socket(block.kind)) {
    if (block.kind == descriptor_kind::other && !is_ready(descriptor, POLLIN))
      return is_good_for(descriptor, O_WRONLY) ? -EAGAIN : -EBADF;
    return uninterrupted([&] { return ::read(descriptor, into, size); });
  }
  const std::int64_t got = uninterrupted([&] { return ::recv(descriptor, into, size, MSG_DONTWAIT); });
  // Fewer bytes than there was room for: nothing is left. Of terminals and pipes in packet mode this is not
  // true: there one read is one line or packet.
  drained = got > 0 && static_cast<std::size_t>(got) < size && block.kind == descriptor_kind::stream;
  return got;
}

std::int64_t splice_in_now(const socket_block& block, int pipe, std::size_t size) noexcept {
  return uninterrupted([&] { return splice_in(block.descriptor, pipe, size); });
}

progress send_now(op& o) noexcept {
  const std::size_t total = wanted(o);
  while (o.moved < total) {
    const std::int64_t sent = send_more(o);
    if (sent == -EAGAIN) return progress::blocked;
    if (sent < 0) return o.outcome = sent, progress::done;
    o.moved += static_cast<std::size_t>(sent);
    if (o.code == opcode::send_some) break;
  }
  o.outcome = static_cast<std::int64_t>(o.moved);
  return progress::done;
}

progress connect_now(op& o) noexcept {
  const endpoint& where = *static_cast<const endpoint*>(o.data);
  if (const int why = refusal_of(where); why != 0) return o.outcome = -why, progress::done;
  const socket_address to(where);
  if (::connect(o.on->descriptor, to.get(), to.size) == 0) return o.outcome = 0, progress::done;
  // A connect that a signal interrupts goes on by itself, as one that would block.
  if (errno == EINPROGRESS || errno == EINTR) return progress::blocked;
  return o.outcome = -errno, progress::done;
}

std::int64_t connect_verdict(const socket_block& block) noexcept {
  int cause = 0;
  socklen_t size = sizeof cause;
  if (::getsockopt(block.descriptor, SOL_SOCKET, SO_ERROR, &cause, &size) != 0) return -errno;
  return -cause;
}

int accept_now(const socket_block& block, endpoint& peer) noexcept {
  socket_address from;
  for (;;) {
    const int got = accept_socket(block.descriptor, from.get(), &from.size);
    if (got >= 0) {
      peer = from.to_endpoint();
      return got;
    }
    if (errno == EINTR) continue;
    return errno == EWOULDBLOCK ? -EAGAIN : -errno;
  }
}

std::int64_t readable_now(const socket_block& block) noexcept {
  return is_ready(block.descriptor, POLLIN) ? 0 : -EAGAIN;
}

std::int64_t signal_now(const socket_block& block) noexcept {
  return uninterrupted([&] { return next_signal(block.descriptor); });
}

}  // namespace soquete::kernel
