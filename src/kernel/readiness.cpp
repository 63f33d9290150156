// Completions over readiness.
#include "kernel/readiness.hpp"

#include <cerrno>

#include "kernel/datagrams_ahead.hpp"
#include "kernel/messages.hpp"
#include "kernel/transfer.hpp"

namespace soquete::kernel {

struct readiness_driver::block final : watched_block {
  using watched_block::watched_block;

  poll_token token;
  bool watched = false;
  bool is_level = false;  // Told of as long as it is readable.
  bool writer_parked = false;
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
  made->wake = [](waiter* w) noexcept {
    block& b = *static_cast<block*>(w);
    static_cast<readiness_driver&>(b.home).poked(b);
  };
  ++open_;
  return *made;
}

void readiness_driver::close(socket_block& closed) noexcept {
  auto& b = static_cast<block&>(closed);
  drop_ahead(b, messages_);
  forget(b);
  remove_path(b);
  close_descriptor(b);
  if (!b.poke_queued) free(b);
}

owned_descriptor readiness_driver::release(socket_block& released) {
  auto& b = static_cast<block&>(released);
  owned_descriptor out = b.carried != nullptr ? std::move(*b.carried) : owned_descriptor();
  owned_descriptor whole(b.descriptor);
  std::vector<std::byte> unread = out.take_unread();
  carry_ahead(b, messages_, unread);
  whole.set_unread(std::move(unread));
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
    case opcode::splice_out:
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
  if (look && queue().may_complete_inline() && try_it(b)) return true;
  if (b.readable) poke(b);
  if (!poller_->is_edge_triggered() || o.code == opcode::readable) set_interest(b);
  return false;
}

// True: the operation has failed, because the descriptor cannot be watched.
bool readiness_driver::watch(block& b, op& o) noexcept {
  ++calls_;
  // A file never waits. Not every poller refuses one: kqueue(2) would wait for it to grow.
  const int added = b.kind == descriptor_kind::file ? -EPERM : add(b);
  if (added == -EPERM) {
    b.always_ready = b.readable = b.hung_up = true;
    return false;
  }
  if (added < 0) return o.outcome = added, true;
  b.watched = true;
  return false;
}

// A read from a local stream ends where descriptors or credentials came, whatever waits behind them: it being
// short shows nothing, and no edge will tell. As long as somebody waits for each event, the level tells;
// after that reads go on until they would wait. To ask recvmsg(2) instead costs twice as much.
int readiness_driver::add(block& b) noexcept {
  const bool is_cut = b.kind == descriptor_kind::stream && b.domain == family::local;
  if (is_cut) {
    const int added = poller_->add_level(b.descriptor, b.token);
    b.is_level = b.short_is_all = added != -ENOSYS;
    if (b.is_level) return added;
  }
  return poller_->add(b.descriptor, b.token);
}

bool readiness_driver::try_it(block& b) noexcept {
  if (b.ahead == nullptr) ++calls_;
  return try_reading(b);
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
  if (!b.watched) return;
  if (poller_->is_edge_triggered() && std::exchange(b.is_level, false)) b.short_is_all = false;
  poller_->want(b.descriptor, b.token, b.reader_parked, b.writer_parked);
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
    if (event.readable) {
      // It would be told again and again.
      if (b->is_level && !b->reader_parked && poller_->is_edge_triggered()) set_interest(*b);
      take_news(*b, event.hung_up);
    }
    if (event.writable && b->writer_parked && try_writing(*b)) complete(b->writer, b->writer.outcome);
  }
}

void readiness_driver::poked(block& b) noexcept {
  b.poke_queued = false;
  if (b.closing) return free(b);
  if (!b.reader_parked) return;
  const bool done = try_it(b);
  if (!poller_->is_edge_triggered()) set_interest(b);
  if (done) b.reader.wake(&b.reader);
}

}  // namespace soquete::kernel
