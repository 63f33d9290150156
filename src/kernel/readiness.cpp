// Completions over readiness.
#include "kernel/readiness.hpp"

#include <cerrno>

#include "kernel/messages.hpp"
#include "kernel/transfer.hpp"

namespace soquete::kernel {

struct readiness_driver::block final : socket_block {
  using socket_block::socket_block;

  struct poke_waiter : waiter {
    block* of = nullptr;
  } poke;
  poll_token token;
  bool watched = false;
  bool always_ready = false;  // A file: the poller refuses it, and it never waits.
  bool readable = false;      // A read may get something.
  bool hung_up = false;       // It will not become unreadable again: no second edge comes.
  bool reader_parked = false;
  bool writer_parked = false;
  bool poke_queued = false;
  bool closing = false;
};

readiness_driver::readiness_driver(run_queue& queue, std::unique_ptr<poller> events)
    : kernel_driver(queue), poller_(std::move(events)) {}

readiness_driver::~readiness_driver() {
  assert(open_ == 0);
  assert(chunks_.leases() == 0 && messages_.leases() == 0);
}

driver_counts readiness_driver::counts() const noexcept {
  return {open_, chunks_.leases() + messages_.leases(), chunks_.memory() + messages_.memory(), calls_};
}

socket_block& readiness_driver::make_block() {
  auto* made = new block(*this);
  if (free_places_.empty()) {
    free_places_.push_back(static_cast<std::uint32_t>(table_.size()));
    table_.push_back(nullptr);
    generations_.push_back(0);
  }
  const std::uint32_t place = free_places_.back();
  free_places_.pop_back();
  table_[place] = made;
  made->token = {place, ++generations_[place]};
  made->poke.of = made;
  made->poke.wake = [](waiter* w) noexcept {
    block& b = *static_cast<block::poke_waiter*>(w)->of;
    static_cast<readiness_driver&>(b.home).poked(b);
  };
  ++open_;
  return *made;
}

void readiness_driver::close(socket_block& closed) noexcept {
  auto& b = static_cast<block&>(closed);
  forget(b);
  remove_path(b);
  close_descriptor(b);
  if (!b.poke_queued) free(b);
}

owned_descriptor readiness_driver::release(socket_block& released) {
  auto& b = static_cast<block&>(released);
  owned_descriptor out = b.carried != nullptr ? std::move(*b.carried) : owned_descriptor();
  owned_descriptor whole(b.descriptor);
  whole.set_unread(out.take_unread());
  whole.set_accepted(out.take_accepted());
  forget(b);
  if (!b.poke_queued) free(b);
  return whole;
}

void readiness_driver::forget(block& b) noexcept {
  assert(!b.reader.is_pending() && !b.writer.is_pending());
  // A copy of the descriptor elsewhere would keep the registration alive beyond close(2).
  if (b.watched) poller_->remove(b.descriptor, b.token);
  table_[b.token.place] = nullptr;
  free_places_.push_back(b.token.place);
  b.closing = true;
}

void readiness_driver::free(block& b) noexcept {
  --open_;
  delete &b;
}

bool readiness_driver::start(op& o) noexcept {
  auto& b = static_cast<block&>(*o.on);
  switch (o.code) {
    case opcode::send:
    case opcode::send_some:
    case opcode::send_parts:
    case opcode::send_messages:
    case opcode::connect: return start_writing(b, o);
    default: return start_reading(b, o);
  }
}

bool readiness_driver::start_reading(block& b, op& o) noexcept {
  if (b.carried != nullptr) return read_carried(b, o), true;
  if (!b.watched && !b.always_ready && watch(b, o)) return true;
  b.reader_parked = true;
  // A signal descriptor or a foreign one may have been read behind our back: its edges prove nothing.
  const bool look = b.readable || o.code == opcode::readable || b.kind == descriptor_kind::other;
  if (look && queue().may_complete_inline() && try_reading(b)) return true;
  if (b.readable && !b.poke_queued) {
    b.poke_queued = true;
    queue().push(b.poke);
  }
  if (!poller_->is_edge_triggered() || o.code == opcode::readable) set_interest(b);
  return false;
}

// True: the operation has failed, because the descriptor cannot be watched.
bool readiness_driver::watch(block& b, op& o) noexcept {
  ++calls_;
  // A file never waits. Not every poller refuses one: kqueue(2) would wait for it to grow.
  const int added = b.kind == descriptor_kind::file ? -EPERM : poller_->add(b.descriptor, b.token);
  if (added == -EPERM) {
    b.always_ready = b.readable = b.hung_up = true;
    return false;
  }
  if (added < 0) return o.outcome = added, true;
  b.watched = true;
  return false;
}

// Tries the parked reader. True: it is done and no longer parked.
bool readiness_driver::try_reading(block& b) noexcept {
  op& o = b.reader;
  ++calls_;
  std::int64_t got = -EINVAL;
  bool drained = false;
  switch (o.code) {
    case opcode::receive:
      got = receive_now(b, const_cast<void*>(o.data), o.size);
      drained = got > 0 && static_cast<std::size_t>(got) < o.size && b.kind == descriptor_kind::stream;
      break;
    case opcode::receive_lease:
      got = receive_lease(b, o);
      drained = got > 0 && static_cast<std::size_t>(got) < o.size && b.kind == descriptor_kind::stream;
      break;
    case opcode::accept: got = accept(b, o); break;
    case opcode::receive_messages: got = receive_messages_now(b, messages_, o, drained); break;
    case opcode::readable: got = readable_now(b); break;
    case opcode::signal: got = signal_now(b); break;
    default: break;
  }
  // Fewer bytes than there was room for: nothing is left, so the next read waits for the next edge. Of
  // terminals and pipes in packet mode this is not true: there one read is one line or packet.
  if (got == -EAGAIN || (drained && !b.hung_up)) b.readable = b.always_ready;
  if (got == -EAGAIN) return false;
  b.reader_parked = false;
  o.outcome = got;
  return true;
}

std::int64_t readiness_driver::receive_lease(block& b, op& o) noexcept {
  const chunk_pool::room room = chunks_.take();
  const std::int64_t got = receive_now(b, room.data, room.size);
  o.size = room.size;
  if (got <= 0) {
    chunks_.give_back(room);
    return got;
  }
  chunks_.lend(room, static_cast<std::uint32_t>(got));
  o.data = room.data;
  o.id = room.id;
  o.home = &chunks_;
  return got;
}

std::int64_t readiness_driver::accept(block& b, op& o) noexcept {
  endpoint peer;
  const int descriptor = accept_now(b, peer);
  if (descriptor < 0) return descriptor;
  o.data = &accepted(b, descriptor, peer);
  return 0;
}

bool readiness_driver::start_writing(block& b, op& o) noexcept {
  if (!queue().may_complete_inline()) {
    // It has had its share of this turn. Asking to be told of a writable socket is a fair way to the end.
    if (o.code != opcode::connect && (b.watched || !watch(b, o)) && b.watched) {
      b.writer_parked = true;
      set_interest(b);
      return false;
    }
  }
  ++calls_;
  if (o.code == opcode::connect ? connect_now(o) == progress::done : send(b, o)) return true;
  if (!b.watched && watch(b, o)) return true;
  b.writer_parked = true;
  set_interest(b);
  return false;
}

// True: done.
bool readiness_driver::send(block& b, op& o) noexcept {
  if (o.code != opcode::send_messages) return send_now(o) == progress::done;
  const progress how = send_messages_now(o);
  if (const int refused = std::exchange(b.refused, 0); refused != 0) {
    b.reader_parked = false;
    if (!poller_->is_edge_triggered()) set_interest(b);
    complete(b.reader, refused);
  }
  return how == progress::done;
}

// Tries the parked writer. True: it is done and no longer parked.
bool readiness_driver::try_writing(block& b) noexcept {
  op& o = b.writer;
  ++calls_;
  if (o.code == opcode::connect)
    o.outcome = connect_verdict(b);
  else if (!send(b, o))
    return false;
  b.writer_parked = false;
  set_interest(b);
  return true;
}

void readiness_driver::set_interest(block& b) noexcept {
  if (b.watched) poller_->want(b.descriptor, b.token, b.reader_parked, b.writer_parked);
}

void readiness_driver::cancel(op& o) noexcept {
  auto& b = static_cast<block&>(*o.on);
  if (&o == &b.reader) {
    b.reader_parked = false;
    if (!poller_->is_edge_triggered()) set_interest(b);
  } else {
    b.writer_parked = false;
    set_interest(b);
  }
  complete(o, -ECANCELED);
}

void readiness_driver::turn(time_point until) noexcept {
  ++calls_;
  const time_point from = until == time_point::max() ? queue().now() : now();
  for (const ready_event& event : poller_->wait(from, until)) {
    block* b = event.token.place < table_.size() ? table_[event.token.place] : nullptr;
    if (b == nullptr || b->token.generation != event.token.generation) continue;
    if (event.readable) b->readable = true;
    // Of datagrams of the Internet it means an error, which passes once it has been told.
    const bool is_udp = b->kind == descriptor_kind::datagram && b->domain != family::local;
    if (event.hung_up && !is_udp) b->hung_up = true;
    if (event.readable && b->reader_parked && !b->poke_queued) {
      b->poke_queued = true;
      queue().push(b->poke);
    }
    if (event.writable && b->writer_parked && try_writing(*b)) complete(b->writer, b->writer.outcome);
  }
}

void readiness_driver::poked(block& b) noexcept {
  b.poke_queued = false;
  if (b.closing) return free(b);
  if (!b.reader_parked) return;
  const bool done = try_reading(b);
  if (!poller_->is_edge_triggered()) set_interest(b);
  if (done) b.reader.wake(&b.reader);
}

}  // namespace soquete::kernel
