// The driver of one simulated host: operations and time.
#include "sim/driver.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>

namespace soquete::sim {
namespace {

constexpr std::size_t receive_max = 64 * 1024;
// So that a clock that is behind still shows a positive time.
constexpr auto clock_begins = std::chrono::hours(24 * 1000);

}  // namespace

void block::wake_reader() noexcept {
  static_cast<host_driver&>(home).wake_reader(*this);
  for (block* const twin : twins) static_cast<host_driver&>(home).wake_reader(*twin);
}

void block::wake_writer() noexcept {
  static_cast<host_driver&>(home).wake_writer(*this);
  for (block* const twin : twins) static_cast<host_driver&>(home).wake_writer(*twin);
}

void block::connected(int cause) noexcept {
  static_cast<host_driver&>(home).connected(*this, cause);
  for (block* const twin : twins) static_cast<host_driver&>(home).connected(*twin, cause);
}

bool block::lost_unheard(int cause) noexcept {
  bool is_told = host_driver::lost_unheard(*this, cause);
  for (block* const twin : twins) is_told |= host_driver::lost_unheard(*twin, cause);
  return is_told;
}

bool block::is_reading() const noexcept {
  return reader_parked ||
         std::any_of(twins.begin(), twins.end(), [](auto* one) { return one->reader_parked; });
}

bool block::is_writing() const noexcept {
  return writer_parked ||
         std::any_of(twins.begin(), twins.end(), [](auto* one) { return one->writer_parked; });
}

host_driver::host_driver(run_queue& queue, machine& on)
    : driver(queue), net_(on.net), at_(on), home_(new handle_home(*this)) {
  assert(!at_.is_up());
  home_->keep();
  net_.scratch.resize(receive_max);
  at_.driver = this;
  ++at_.life;
  net_.note(at_, noted::started, at_.life);
}

host_driver::host_driver(run_queue& queue, std::unique_ptr<network> own, machine& on)
    : host_driver(queue, on) {
  own_ = std::move(own);
}

host_driver::~host_driver() {
  home_->driver = nullptr;
  home_->let_go();
  // What is left belongs to those who have kept a descriptor for too long.
  for (block* const b : at_.driver == this ? at_.descriptors() : std::vector<block*>()) {
    if (b == nullptr || b->is_held || !b->twins.empty() || --b->numbers != 0) continue;
    vanish(*b);
    retire(*b);
  }
  for (block* const b : afloat_) {
    vanish(*b);
    retire(*b);
  }
  assert(open_ == 0);
  if (at_.driver == this) at_.driver = nullptr;
}

driver_counts host_driver::counts() const noexcept {
  return {open_, bytes_.leases() + messages_.leases(), bytes_.memory() + messages_.memory(), 0};
}

time_point host_driver::now() const noexcept {
  return time_point(std::chrono::duration_cast<clock::duration>(clock_begins + at_.skew + net_.now()));
}

moment host_driver::moment_of(time_point shown) const noexcept {
  if (shown == time_point::max()) return moment::max();
  return std::chrono::duration_cast<moment>(shown.time_since_epoch()) - clock_begins - at_.skew;
}

void host_driver::turn(time_point until) noexcept {
  if (net_.is_driven) return;
  const moment latest = moment_of(until);
  net_.go_on(std::min(latest, net_.now()));
  for (;;) {
    if (!queue().empty()) return;
    std::unique_lock lock(mutex_);
    if (std::exchange(woken_, false)) return;
    if (net_.events.next() > latest) {
      if (latest != moment::max()) return net_.pass_until(latest);
      // Nothing can happen any more but what another thread brings about.
      changed_.wait(lock, [this] { return woken_; });
      continue;
    }
    lock.unlock();
    net_.go_on(latest);
  }
}

void host_driver::wake() noexcept {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_one();
  if (net_.is_driven) at_.make_ready();
}

void host_driver::note_end(const block& b, const op& o) {
  net_.note(at_, noted::ended,
            static_cast<std::uint64_t>(b.descriptor - machine::first_descriptor) << 8 |
                static_cast<std::uint64_t>(o.code),
            static_cast<std::uint64_t>(o.outcome));
}

bool host_driver::start(op& o) noexcept {
  auto& b = static_cast<block&>(*o.on);
  if (is_dead_) {
    o.outcome = -ECANCELED;
    if (queue().may_complete_inline()) return true;
    complete(o, o.outcome);  // Whoever does not listen is at least seen to run in circles.
    at_.make_ready();
    return false;
  }
  const bool is_done = begin(b, o);
  if (is_done)
    note_end(b, o);
  else if (net_.hand != nullptr)
    net_.hand->waits(b, o);
  return is_done;
}

bool host_driver::begin(block& b, op& o) noexcept {
  if (const int cause = meddled(request_of(o)); cause != 0) {
    fail_with(o, cause);
    if (queue().may_complete_inline()) return true;
    note_end(b, o);
    complete(o, o.outcome);
    at_.make_ready();
    return false;
  }
  return &o == &b.writer ? start_writing(b, o) : start_reading(b, o);
}

int host_driver::meddled(request what) const noexcept {
  if (net_.hand == nullptr || is_dead_) return 0;
  const int cause = net_.hand->fails(what);
  if (cause != 0)
    net_.note(at_, noted::meddled, static_cast<std::uint64_t>(what), static_cast<std::uint64_t>(cause));
  return cause;
}

request host_driver::request_of(const op& o) noexcept {
  switch (o.code) {
    case opcode::receive:
    case opcode::splice_in:
    case opcode::receive_lease: return request::receive;
    case opcode::send:
    case opcode::splice_out:
    case opcode::send_some:
    case opcode::send_parts: return request::send;
    case opcode::accept: return request::accept;
    case opcode::connect:
      return static_cast<const block&>(*o.on).is_of_streams() ? request::connect : request::associate;
    case opcode::receive_messages: return request::receive_messages;
    case opcode::send_messages: return request::send_messages;
    case opcode::readable:
    case opcode::signal: break;
  }
  return request::wait;
}

// Datagrams tell each for itself: clause 23.
void host_driver::fail_with(op& o, int cause) noexcept {
  o.outcome = -cause;
  if (o.code != opcode::send_messages || o.on->kind != descriptor_kind::datagram) return;
  auto* const all = static_cast<outgoing_message*>(const_cast<void*>(o.data));
  for (; o.moved < o.size; ++o.moved) all[o.moved].outcome = -cause;
  o.outcome = static_cast<std::int64_t>(o.moved);
}

void host_driver::break_off(op& o, int cause) noexcept {
  auto& b = static_cast<block&>(*o.on);
  (&o == &b.reader ? b.reader_parked : b.writer_parked) = false;
  fail_with(o, cause);
  note_end(b, o);
  complete(o, o.outcome);
  at_.make_ready();
}

bool host_driver::start_reading(block& b, op& o) noexcept {
  if (b.carried != nullptr && read_carried(b, o)) return true;
  b.reader_parked = true;
  const bool may_be_told_now = queue().may_complete_inline() && !net_.strikes(fault::order);
  if (may_be_told_now) return try_reading(b);
  wake_reader(b);
  return false;
}

bool host_driver::start_writing(block& b, op& o) noexcept {
  // To connect a datagram socket exchanges nothing, so it never waits.
  const bool is_of_names_only = o.code == opcode::connect && b.carries == transport::datagram;
  const bool may_be_told_now =
      is_of_names_only || (queue().may_complete_inline() && !net_.strikes(fault::order));
  block& open = b.data();
  const bool is_done = o.code == opcode::connect ? start_connecting(open, o) : send(open, o);
  if (!is_done) {
    b.writer_parked = true;
    // It may have found no room before it was known to want some.
    if (open.wire) open.wire->expect_room(open.side);
    return false;
  }
  if (may_be_told_now) return true;
  note_end(b, o);
  complete(o, o.outcome);
  at_.make_ready();
  return false;
}

// Tries the parked reader. True: it is done and no longer parked.
bool host_driver::try_reading(block& b) noexcept {
  op& o = b.reader;
  block& open = b.data();
  std::int64_t got = -EOPNOTSUPP;
  switch (o.code) {
    case opcode::receive: got = receive(open, o); break;
    case opcode::receive_lease: got = receive_lease(open, o); break;
    case opcode::accept: got = accept(open, o); break;
    case opcode::receive_messages: got = receive_messages(open, o); break;
    case opcode::readable: got = readable(open); break;
    case opcode::signal: got = take_signal(open); break;
    default: break;
  }
  if (got == -EAGAIN) return false;
  b.reader_parked = false;
  o.outcome = got;
  return true;
}

bool host_driver::try_writing(block& b) noexcept {
  op& o = b.writer;
  if (o.code == opcode::connect || !send(b.data(), o)) return false;
  b.writer_parked = false;
  return true;
}

void host_driver::wake_reader(block& b) noexcept {
  if (!b.reader_parked || b.poke_queued) return;
  b.poke_queued = true;
  queue().push(b.poke);
  at_.make_ready();
}

void host_driver::poked(block& b) noexcept {
  b.poke_queued = false;
  if (b.closing) return free(b);
  if (!b.reader_parked || !try_reading(b) || is_held(b.reader)) return;
  note_end(b, b.reader);
  b.reader.wake(&b.reader);
}

void host_driver::wake_writer(block& b) noexcept {
  if (!b.writer_parked || !try_writing(b) || is_held(b.writer)) return;
  note_end(b, b.writer);
  complete(b.writer, b.writer.outcome);
  at_.make_ready();
}

void host_driver::connected(block& b, int cause) noexcept {
  if (!b.writer_parked || b.writer.code != opcode::connect) return;
  b.writer_parked = false;
  b.writer.outcome = -cause;
  if (is_held(b.writer)) return;
  note_end(b, b.writer);
  complete(b.writer, -cause);
  at_.make_ready();
}

// A kernel that is asked for the result, by SO_ERROR, says what has become of the connection since.
bool host_driver::lost_unheard(block& b, int cause) noexcept {
  op& o = b.writer;
  const bool is_unheard = o.code == opcode::connect && o.now == op::state::queued && o.outcome == 0;
  if (is_unheard) o.outcome = -cause;
  return is_unheard;
}

bool host_driver::is_held(op& o) noexcept {
  if (net_.hand == nullptr || !net_.hand->holds(o)) return false;
  held_ = &o;
  at_.make_ready();
  return true;
}

void host_driver::let_go(op& o) noexcept {
  assert(&o == held_);
  held_ = nullptr;
  note_end(static_cast<block&>(*o.on), o);
  complete(o, o.outcome);
  at_.make_ready();
}

void host_driver::cancel(op& o) noexcept {
  if (&o == held_) return;
  if (net_.hand != nullptr) net_.hand->gives_up(o);
  auto& b = static_cast<block&>(*o.on);
  (&o == &b.reader ? b.reader_parked : b.writer_parked) = false;
  complete(o, -ECANCELED);
  at_.make_ready();
}

bool host_driver::start_connecting(block& b, op& o) noexcept {
  const endpoint& asked = *static_cast<const endpoint*>(o.data);
  const auto done = [&o](int cause) { return o.outcome = -cause, true; };
  if (b.local) return done(connect_local(b, asked));
  if (!asked.is_ip()) return done(EAFNOSUPPORT);
  if (b.domain == family::v4 && asked.addr().is_v6()) return done(EAFNOSUPPORT);
  address where = asked.addr().unmapped();
  if (where.is_v4() && b.domain == family::v6 && b.value(option::v6_only) != 0) return done(ENETUNREACH);
  const bool is_broadcast = at_.is_broadcast(where);
  if (b.is_of_streams() && (where.is_multicast() || is_broadcast)) return done(ENETUNREACH);
  if (is_broadcast && b.value(option::broadcast) == 0) return done(EACCES);
  if (wants_zone(where) && where.zone() == 0 && b.value(option::multicast_interface) == 0)
    return done(EINVAL);
  if (where.is_unspecified()) where = where.is_v4() ? address::loopback_v4() : address::loopback_v6();
  const endpoint to(where, asked.port());
  if (b.is_of_streams() && b.wire) return done(b.wire->is_open(b.side) ? EISCONN : EALREADY);
  if (b.kind == descriptor_kind::listener) return done(EISCONN);
  if (net_.strikes(fault::exhaust)) return done(net_.faults.below(2) == 0 ? EADDRNOTAVAIL : ENOBUFS);
  address source;
  if (!at_.source_for(where, source)) return done(ENETUNREACH);
  if (b.bound.is_empty())
    if (const int cause = at_.bind_for(b, to); cause != 0) return done(-cause);
  if (!b.is_of_streams()) {
    b.peer = to;
    return done(0);
  }
  const endpoint from = b.bound.addr().is_unspecified() ? endpoint(source, b.bound.port()) : b.bound;
  machine* const there = at_.has(where) ? &at_ : net_.find(where);
  b.wire = shared<connection>(new connection(net_, b, from, to, there));
  b.wire->ask();
  return false;
}

// True: done.
bool host_driver::send(block& b, op& o) noexcept {
  if (o.code == opcode::send_messages) return b.local ? send_local_messages(b, o) : send_datagrams(b, o);
  if (!b.has_bytes() || (!b.local && !b.wire)) return o.outcome = -EPIPE, true;
  const auto send_part = [&](bytes part) -> std::int64_t {
    while (!part.empty()) {
      const std::int64_t sent = b.local ? b.local->send(part) : b.wire->send(b.side, part);
      if (sent < 0) return sent;
      o.moved += static_cast<std::size_t>(sent);
      if (o.code == opcode::send_some) return 0;
      part = part.subspan(static_cast<std::size_t>(sent));
    }
    return 0;
  };
  std::int64_t how = 0;
  if (o.code == opcode::send_parts) {
    std::size_t skip = o.moved;
    for (const bytes& part : std::span(static_cast<const bytes*>(o.data), o.size)) {
      const std::size_t from = std::min(skip, part.size());
      skip -= from;
      how = send_part(part.subspan(from));
      if (how < 0) break;
    }
  } else {
    how = send_part(bytes(static_cast<const std::byte*>(o.data), o.size).subspan(o.moved));
  }
  if (how == -EAGAIN) return false;
  o.outcome = how < 0 ? how : static_cast<std::int64_t>(o.moved);
  return true;
}

std::int64_t host_driver::receive_bytes(block& b, mutable_bytes into) noexcept {
  if (b.local && b.has_bytes()) return b.local->receive(into, nullptr);
  return b.wire ? b.wire->receive(b.side, into) : -ENOTCONN;
}

std::int64_t host_driver::receive(block& b, op& o) noexcept {
  return receive_bytes(b, {static_cast<std::byte*>(const_cast<void*>(o.data)), o.size});
}

std::int64_t host_driver::receive_lease(block& b, op& o) noexcept {
  const std::int64_t got = receive_bytes(b, net_.scratch);
  if (got > 0) bytes_.lend(bytes(net_.scratch).first(static_cast<std::size_t>(got)), o);
  return got;
}

std::int64_t host_driver::readable(const block& b) const noexcept {
  if (b.local) return b.local->readable();
  if (!b.signals.empty()) return b.raised.empty() ? -EAGAIN : 0;
  if (b.kind == descriptor_kind::listener) return b.waiting.empty() ? -EAGAIN : 0;
  if (b.kind == descriptor_kind::datagram) return b.arrived.empty() && b.pending_error == 0 ? -EAGAIN : 0;
  return b.wire ? b.wire->readable(b.side) : 0;
}

std::int64_t host_driver::accept(block& b, op& o) noexcept {
  if (b.kind != descriptor_kind::listener) return -EINVAL;
  if (b.local) return accept_local(b, o);
  if (b.waiting.empty()) return -EAGAIN;
  if (net_.strikes(fault::exhaust)) return net_.faults.below(2) == 0 ? -EMFILE : -ENFILE;
  auto made = make_block(b.domain, b.carries);
  if (!made) return -made.error().code().value();
  block& child = **made;
  child.wire = b.waiting.pop();
  child.side = 1;
  child.values = b.values;
  child.bound = child.wire->name(1);
  child.wire->accepted_by(child);
  const endpoint from = child.shown(child.wire->name(0));
  child.peer_address = from.addr();
  child.peer_port = from.port();
  child.has_peer = true;
  o.data = static_cast<socket_block*>(&child);
  return 0;
}

}  // namespace soquete::sim
