// The io_uring driver: operations, from their start to what the kernel says of them.
#include "kernel/uring.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

#include "kernel/datagrams_ahead.hpp"
#include "kernel/messages.hpp"
#include "kernel/transfer.hpp"
#include "kernel/uring_block.hpp"

namespace soquete::kernel {
namespace {

bool is_sending(opcode code) noexcept {
  return code == opcode::send || code == opcode::send_some || code == opcode::send_parts ||
         code == opcode::send_messages || code == opcode::splice_out || code == opcode::connect;
}

}  // namespace

driver_counts uring_driver::counts() const noexcept {
  return {open_, buffers_.leases() + chunks_.leases() + messages_.leases(),
          buffers_.memory() + chunks_.memory() + messages_.memory(), calls_};
}

socket_block& uring_driver::make_block() {
  ++open_;
  auto* made = new block(*this);
  made->wake = [](waiter* w) noexcept {
    block& b = *static_cast<block*>(w);
    static_cast<uring_driver&>(b.home).poked(b);
  };
  return *made;
}

// Operations at their start.

bool uring_driver::start(op& o) noexcept {
  auto& b = static_cast<block&>(*o.on);
  assert(!b.closing);
  b.cancelled(o) = false;
  return is_sending(o.code) ? start_sending(b, o) : start_reading(b, o);
}

bool uring_driver::start_reading(block& b, op& o) noexcept {
  if (b.carried != nullptr) return read_carried(b, o), true;
  if (b.is_of_messages()) return start_reading_messages(b, o);
  if (b.armed && o.code == opcode::splice_in) return pause(b), false;  // What it still brings comes first.
  const bool by_multishot =
      (b.kind == descriptor_kind::stream || b.is_our_own_listener()) &&
      (o.code == opcode::receive_lease || o.code == opcode::accept || o.code == opcode::receive);
  const bool is_here = b.has_news();
  if (is_here && o.code == opcode::readable) return o.outcome = 0, true;
  if (!by_multishot && !is_here) {
    if (queue().may_complete_inline() && try_by_call(b, o)) return true;
    submit_poll(b, o);
    return false;
  }
  if (is_here) {
    const bool at_once = queue().may_complete_inline();
    deliver(b, o);
    if (at_once) return true;
    complete(o, o.outcome);
    return false;
  }
  if (b.armed || b.starved) return false;  // Perhaps pausing: then its last completion serves this reader.
  await_more(b, o);
  return false;
}

void uring_driver::await_more(block& b, op& o) noexcept {
  if (o.code == opcode::receive)
    submit_receive(b, o);
  else if (o.code == opcode::splice_in)
    submit_poll(b, o);
  else
    arm(b);
}

bool uring_driver::start_reading_messages(block& b, op& o) noexcept {
  b.reader_parked = true;
  if (b.readable || o.code == opcode::readable) {
    if (queue().may_complete_inline()) {
      if (try_it(b)) return true;
    } else {
      poke(b);
    }
  }
  if (!b.watched) watch(b);
  return false;
}

bool uring_driver::try_it(block& b) noexcept {
  if (b.ahead == nullptr) ++calls_;
  return try_reading(b);
}

void uring_driver::poked(block& b) noexcept {
  b.poke_queued = false;
  if (b.forgotten) {
    delete &b;
    return;
  }
  if (!b.reader_parked) return;
  if (try_it(b)) return b.reader.wake(&b.reader);
  if (!b.watched) watch(b);
}

bool uring_driver::start_sending(block& b, op& o) noexcept {
  if (o.code == opcode::connect) {
    ++calls_;
    if (connect_now(o) == progress::done) return true;
    submit_poll(b, o);
    return false;
  }
  // With one connection busy and nothing else to submit, a call is cheaper than an entry and its completion;
  // with more, the entries of a turn share one system call.
  const bool quiet = last_reaped_ == 1 && queue().empty() && io_uring_sq_ready(&ring_) == 0;
  const bool by_entry = is_socket(b.kind) && o.code == opcode::send;
  if ((!by_entry || quiet) && queue().may_complete_inline() && try_by_call(b, o)) return true;
  if (by_entry)
    submit_send(b, o);
  else
    submit_poll(b, o);
  return false;
}

// True: done.
bool uring_driver::try_by_call(block& b, op& o) noexcept {
  ++calls_;
  std::int64_t got = -EINVAL;
  bool drained = false;
  switch (o.code) {
    case opcode::connect: got = connect_verdict(b); break;
    case opcode::send:
    case opcode::send_some:
    case opcode::splice_out:
    case opcode::send_parts: return send_now(o) == progress::done;
    case opcode::send_messages: return send_messages(b, o);
    default: got = read_now(b, o, drained);
  }
  if (got == -EAGAIN) return false;
  o.outcome = got;
  return true;
}

// True: done.
bool uring_driver::send_messages(block& b, op& o) noexcept {
  const progress how = send_messages_now(o);
  if (const int refused = std::exchange(b.refused, 0); refused != 0) {
    b.reader_parked = false;
    complete(b.reader, refused);
  }
  return how == progress::done;
}

void uring_driver::cancel(op& o) noexcept {
  auto& b = static_cast<block&>(*o.on);
  b.cancelled(o) = true;
  // What is in the kernel ends with its own completion. A reader that waits for a multishot just stops
  // waiting: the bytes that still come are kept for the next one.
  if (const tag kind = b.entry_of(o); kind != ignored) return submit_cancel(&o, kind);
  // Left there it would drop the descriptors that come with the next bytes.
  if (b.armed && b.is_local_stream() && b.is_reader(o)) return pause(b);
  if (b.is_reader(o)) b.reader_parked = false;
  complete(o, -ECANCELED);
}

void uring_driver::close(socket_block& closed) noexcept {
  auto& b = static_cast<block&>(closed);
  assert(!b.reader.is_pending() && !b.writer.is_pending());
  drop_waiting(b);
  drop_ahead(b, messages_);
  remove_path(b);
  if (b.starved) std::erase(starved_, &b);
  b.closing = true;
  ++closing_;
  // close(2) would not end what is in the kernel (liburing issue 932), so that comes first.
  if (b.with_kernel == 0) return forget(b);
  // Until then a listener would go on to accept, and hold its address. One that others have as well, such as
  // a service manager, goes on to listen for them.
  if (b.kind == descriptor_kind::listener && !b.was_open) ::shutdown(b.descriptor, SHUT_RDWR);
  if (b.armed) submit_cancel(&b, multishot);
  if (b.watched) submit_cancel(&b, watching);
  // At once, and not with the next turn: the peer should not wait for its FIN until we find time for one.
  enter_now();
}

owned_descriptor uring_driver::release(socket_block& released) {
  auto& b = static_cast<block&>(released);
  assert(!b.reader.is_pending() && !b.writer.is_pending());
  if (b.starved) std::erase(starved_, &b);
  if (b.armed) pause(b);
  if (b.watched) submit_cancel(&b, watching);
  // The kernel ends it at once; what it brings until then belongs to the socket.
  while (b.with_kernel != 0) enter_and_wait();
  owned_descriptor whole(b.descriptor);
  std::vector<std::byte> unread;
  std::vector<owned_descriptor> accepted_before;
  if (b.carried != nullptr) {
    unread = b.carried->take_unread();
    accepted_before = b.carried->take_accepted();
  }
  for (; b.has_waiting(); b.pop_front()) {
    if (b.kind == descriptor_kind::listener) {
      accepted_before.emplace_back(static_cast<int>(b.front().id));
    } else {
      unread.insert(unread.end(), b.front().data, b.front().data + b.front().size);
      buffers_.come_home(b.front().id);
    }
  }
  carry_ahead(b, messages_, unread);
  whole.set_unread(std::move(unread));
  whole.set_accepted(std::move(accepted_before));
  --open_;
  free(b);
  return whole;
}

void uring_driver::drop_waiting(block& b) noexcept {
  for (; b.has_waiting(); b.pop_front()) {
    if (b.kind == descriptor_kind::listener) {
      reset_descriptor(static_cast<int>(b.front().id));
    } else {
      // The kernel answers unread bytes with a reset; these it believes to have been read.
      b.reset_on_close = true;
      buffers_.come_home(b.front().id);
    }
  }
}

void uring_driver::kernel_let_go(block& b) noexcept {
  assert(b.with_kernel != 0);
  if (--b.with_kernel == 0 && b.closing) forget(b);
}

void uring_driver::forget(block& b) noexcept {
  close_descriptor(b);
  --open_;
  --closing_;
  free(b);
}

void uring_driver::free(block& b) noexcept {
  b.forgotten = true;
  if (!b.poke_queued) delete &b;
}

// Completions.

void uring_driver::on_completion(const io_uring_cqe& c) noexcept {
  void* const whom = reinterpret_cast<void*>(c.user_data & ~static_cast<std::uint64_t>(tag_mask));
  switch (static_cast<tag>(c.user_data & tag_mask)) {
    case multishot: return on_multishot(*static_cast<block*>(whom), c);
    case entry: return on_entry(*static_cast<slot*>(whom), c);
    case watching: return on_news(*static_cast<block*>(whom), c);
    case readiness: {
      auto& o = *static_cast<slot*>(whom);
      auto& b = static_cast<block&>(*o.on);
      b.entry_of(o) = ignored;
      on_ready(o, c.res);
      return kernel_let_go(b);
    }
    case waking:
      wake_.clear();
      is_woken_ = true;
      if ((c.flags & IORING_CQE_F_MORE) == 0) watch_wake_ups();
      return;
    default: return;
  }
}

void uring_driver::on_news(block& b, const io_uring_cqe& c) noexcept {
  const bool goes_on = (c.flags & IORING_CQE_F_MORE) != 0;
  if (!goes_on) b.watched = false;
  if (!b.closing && c.res >= 0) {
    take_news(b, (c.res & (POLLRDHUP | POLLHUP | POLLERR | POLLPRI)) != 0);
  } else if (b.reader_parked && c.res != -ECANCELED) {
    b.reader_parked = false;
    complete(b.reader, c.res);
  }
  if (!goes_on) kernel_let_go(b);
}

void uring_driver::on_entry(op& o, const io_uring_cqe& c) noexcept {
  auto& b = static_cast<block&>(*o.on);
  b.entry_of(o) = ignored;
  if (b.is_reader(o)) {
    b.more_waits = (c.flags & IORING_CQE_F_SOCK_NONEMPTY) != 0;
    complete(o, c.res);
  } else if (c.res < 0) {
    complete(o, c.res);
  } else {
    o.moved += static_cast<std::size_t>(c.res);
    if (o.moved == o.size)
      complete(o, static_cast<std::int64_t>(o.moved));
    else if (b.writer_cancelled)
      complete(o, -ECANCELED);
    else
      submit_send(b, o);
  }
  kernel_let_go(b);
}

void uring_driver::on_ready(op& o, std::int32_t outcome) noexcept {
  auto& b = static_cast<block&>(*o.on);
  if (b.is_reader(o) && b.has_news()) {
    if (o.code == opcode::readable)
      o.outcome = 0;
    else
      deliver(b, o);
    return complete(o, o.outcome);
  }
  if (outcome < 0) return complete(o, outcome);
  // A connection is left for the next accept, here or elsewhere.
  if (b.cancelled(o) && o.code == opcode::accept) return complete(o, -ECANCELED);
  if (try_by_call(b, o)) return complete(o, o.outcome);
  if (b.cancelled(o)) return complete(o, -ECANCELED);
  submit_poll(b, o);
}

}  // namespace soquete::kernel
