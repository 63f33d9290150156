// The io_uring driver: what multishot entries bring, and how they are armed and paused.
#include <sys/socket.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "kernel/messages.hpp"
#include "kernel/sockaddr.hpp"
#include "kernel/uring_block.hpp"

namespace soquete::kernel {

bool uring_driver::is_waited_for(const block& b) noexcept {
  return b.reader.now == op::state::in_flight && b.reader_entry == ignored && !b.is_of_messages();
}

// True: `outcome` is set.
bool uring_driver::deliver(block& b, op& o) noexcept {
  if (b.has_waiting()) {
    give(b, o, b.front());
    if (b.front().size == 0) b.pop_front();
    return true;
  }
  if (b.failure != 0) {
    o.outcome = std::exchange(b.failure, 0);
    b.ended = b.kind != descriptor_kind::listener;
    return true;
  }
  o.outcome = 0;
  return b.ended;
}

// What is left in `from` afterwards has not been given.
void uring_driver::give(block& b, op& o, uring_buffers::piece& from) noexcept {
  if (b.kind == descriptor_kind::listener) {
    o.data = &connection_of(b, static_cast<int>(from.id));
    o.outcome = 0;
    return;
  }
  if (o.code == opcode::splice_in) {
    o.outcome = -EBUSY;
    return;
  }
  if (o.code == opcode::receive_messages) {
    o.outcome = lend_message(messages_, o, from.data, from.size);
    if (o.outcome < 0) return;
    const auto taken = static_cast<std::uint32_t>(std::exchange(o.outcome, 1));
    from.data += taken;
    from.size -= taken;
    if (from.size == 0) buffers_.come_home(from.id);
    return;
  }
  if (o.code == opcode::receive_lease) {
    o.data = from.data;
    o.id = from.id;
    o.home = &buffers_;
    o.outcome = std::exchange(from.size, 0);
    return;
  }
  const auto taken = static_cast<std::uint32_t>(std::min<std::size_t>(o.size, from.size));
  std::memcpy(const_cast<void*>(o.data), from.data, taken);
  from.data += taken;
  from.size -= taken;
  if (from.size == 0) buffers_.come_home(from.id);
  o.outcome = taken;
}

socket_block& uring_driver::connection_of(const block& listener, int descriptor) noexcept {
  socket_address peer;
  ++calls_;
  // The entry that accepts many has no place for each one's address.
  if (::getpeername(descriptor, peer.get(), &peer.size) != 0) peer.size = 0;
  return accepted(listener, descriptor, peer.to_endpoint());
}

void uring_driver::arm(block& b) noexcept {
  if (b.kind == descriptor_kind::listener) {
    io_uring_sqe& e = entry_for(&b, multishot);
    io_uring_prep_multishot_accept(&e, b.descriptor, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    io_uring_sqe_set_data64(&e, reinterpret_cast<std::uintptr_t>(&b) | multishot);
  } else {
    if (buffers_.room() == 0) {
      if (!std::exchange(b.starved, true)) starved_.push_back(&b);
      return;
    }
    io_uring_sqe& e = entry_for(&b, multishot);
    // Not ahead of the reader on a local stream: descriptors could come with the next bytes. As a rule
    // nothing is there yet, so the kernel need not try before it waits.
    if (b.is_local_stream()) {
      io_uring_prep_recv(&e, b.descriptor, nullptr, 0, 0);
      if (!b.more_waits) e.ioprio |= IORING_RECVSEND_POLL_FIRST;
    } else {
      io_uring_prep_recv_multishot(&e, b.descriptor, nullptr, 0, 0);
    }
    io_uring_sqe_set_data64(&e, reinterpret_cast<std::uintptr_t>(&b) | multishot);
    e.flags |= IOSQE_BUFFER_SELECT;
    e.buf_group = uring_buffers::group;
  }
  ++b.with_kernel;
  b.armed = true;
}

void uring_driver::pause(block& b) noexcept {
  if (b.pausing) return;
  b.pausing = true;
  submit_cancel(&b, multishot);
}

// As many as a buffer each may serve, and some more: many a stream that waits has nothing to say.
void uring_driver::feed_starved() noexcept {
  constexpr std::size_t readers_a_buffer = 4;
  const std::size_t count = std::min(starved_.size(), buffers_.room() * readers_a_buffer);
  for (std::size_t i = 0; i < count; ++i) {
    block& b = *starved_[i];
    b.starved = false;
    if (is_waited_for(b) && !b.armed) arm(b);
  }
  starved_.erase(starved_.begin(), starved_.begin() + static_cast<std::ptrdiff_t>(count));
}

// Nothing else goes on that could bring a buffer home: leases are held by streams that are stuck themselves.
void uring_driver::relieve_starved() noexcept {
  if (buffers_.room() != 0 || buffers_.grow()) return;
  for (block* b : starved_) {
    b->starved = false;
    if (is_waited_for(*b)) submit_poll(*b, b->reader);
  }
  starved_.clear();
}

void uring_driver::on_multishot(block& b, const io_uring_cqe& c) noexcept {
  // First whether it goes on, then what it brought: the last completion may bring something too.
  const bool goes_on = (c.flags & IORING_CQE_F_MORE) != 0;
  if (!goes_on) b.armed = b.pausing = false;
  b.more_waits = (c.flags & IORING_CQE_F_SOCK_NONEMPTY) != 0;

  const bool is_listener = b.kind == descriptor_kind::listener;
  uring_buffers::piece got{};
  if (is_listener && c.res >= 0)
    got.id = static_cast<std::uint32_t>(c.res);
  else if (!is_listener)
    got = buffers_.take(c);
  const bool brought = is_listener ? c.res >= 0 : got.data != nullptr;

  op& o = b.reader;
  if (brought && !b.closing && !b.has_waiting() && is_waited_for(b)) {
    give(b, o, got);
    complete(o, o.outcome);
    if (got.size != 0) b.push(got);
  } else if (brought) {
    b.push(got);
  }
  if (b.closing) {
    drop_waiting(b);
    if (!goes_on) kernel_let_go(b);
    return;
  }
  // An empty pool is the driver's own affair, and so is a pause that it asked for.
  if (!brought && c.res != -ENOBUFS && c.res != -ECANCELED) {
    if (c.res < 0)
      b.failure = c.res;
    else
      b.ended = true;
  }

  if (is_waited_for(b) && deliver(b, o)) {
    complete(o, o.outcome);
  } else if (b.reader_entry == readiness && b.has_news()) {
    submit_cancel(&o, readiness);  // It waits for what has come by another way.
  } else if (is_waited_for(b) && !b.armed && b.reader_cancelled) {
    complete(o, -ECANCELED);
  } else if (is_waited_for(b) && !b.armed && !b.starved) {
    await_more(b, o);
  }
  // Nobody took it: an error of accept says nothing about the next one.
  if (is_listener) b.failure = 0;
  const std::size_t most = is_listener ? block::connections_max : block::pieces_max;
  if (b.armed && !b.pausing && b.count_waiting() >= most) pause(b);
  if (!goes_on) kernel_let_go(b);
}

}  // namespace soquete::kernel
