// A simulated TCP connection: how it comes about, and what comes to its ends.
#include <algorithm>
#include <cerrno>

#include "sim/block.hpp"
#include "sim/connection.hpp"
#include "sim/machine.hpp"

namespace soquete::sim {
namespace {

using namespace std::chrono_literals;

// SYNs after 1, 3, 7, 15, 31 and 63 seconds; after 127 nobody is there.  tcp_syn_retries, tcp(7)
constexpr unsigned attempts_max = 7;
// Unanswered bytes are sent again for that long.  tcp_retries2, tcp(7)
constexpr moment patience = 924s;
// How long whoever has asked for a connection may be held up before it is heard of, in microseconds.
constexpr std::uint64_t late_max = 10'000;

}  // namespace

void connection::happen(network&, unsigned what) noexcept {
  switch (what) {
    case syn: return syn_came();
    case again: return ask_again();
    case refusal: record_landing(1); return fail_to_connect(ECONNREFUSED);
    case middle: return break_in_the_middle();
    case piece_event:
    case piece_event + 1: return pieces_came(what - piece_event);
    case give_up:
    case give_up + 1: return given_up(what - give_up);
    case probe:
    case probe + 1: return probed(what - probe);
    case heard:
      if (ends_[0].owner != nullptr) ends_[0].owner->connected(take_error(0));
      return;
    default: break;
  }
  const unsigned side = what - credit_event;
  way& w = ways_[side];
  w.credit_expected = false;
  if (is_cut(1 - side)) {
    w.credit_stalled = true;
    return;
  }
  pump(side);
  end& me = ends_[side];
  if (me.owner != nullptr && room_left(w) != 0) me.owner->wake_writer();
  if (is_hungry(side)) expect_credit(side);
}

void connection::ask() {
  note(0, noted::asked, ends_[0].name.port(), ends_[1].name.port());
  send_syn();
}

void connection::send_syn() {
  ++attempts_;
  asked_at_ = net_.now();
  const bool is_lost = ways_[0].along == nullptr || ways_[0].along->loses() || net_.strikes(fault::loss);
  if (is_lost) {
    if (net_.tape) record_request(net_.now());
    return lose_syn(ends_[1].at == nullptr ? "no host has this address" : "lost on the way");
  }
  const moment due = net_.now() + ways_[0].along->delay();
  if (net_.tape) record_request(due);
  net_.events.add(due, *this, syn);
}

void connection::lose_syn(std::string_view why) {
  note(0, noted::lost);
  record_drop(0, why);
  const moment wait = 1s * (1 << (attempts_ - 1));
  net_.events.add(std::max(asked_at_ + wait, net_.now()), *this, again);
}

void connection::ask_again() {
  if (ends_[0].now != state::opening) return;
  if (attempts_ == attempts_max) return fail_to_connect(ETIMEDOUT);
  send_syn();
}

void connection::syn_came() {
  machine* const there = ends_[1].at;
  if (is_cut(0)) return lose_syn("lost where the link is cut");
  if (!there->is_up()) return lose_syn("the host is down");
  // A socket that asks for its own port meets itself: TCP calls it a simultaneous open.
  if (there == ends_[0].at && ends_[0].name == ends_[1].name) {
    if (ends_[0].owner != nullptr) ends_[0].owner->connected(0);
    return;
  }
  block* const listener =
      net_.strikes(fault::refuse) ? nullptr : there->find_listener(ends_[1].name, ends_[0].name);
  if (listener == nullptr) {
    if (is_cut(1)) return lose_syn("refused, but the link back is cut");
    note(1, noted::refused);
    const moment due = net_.now() + ways_[1].along->delay();
    record_landing(0);
    if (net_.tape) record_refusal(due);
    net_.events.add(due, *this, refusal);
    return;
  }
  // One more than asked for, as on Linux.  listen(2)
  if (listener->waiting.size() > static_cast<std::size_t>(std::max(listener->backlog, 0)))
    return lose_syn("the queue of the listener is full");
  record_landing(0);
  ways_[0].window = receive_room(listener->value(option::receive_buffer), *ways_[0].along);
  for (way& w : ways_) w.edge = w.advertised = w.window;
  ends_[1].now = state::opening;
  fly(1, 0, flag::syn);
}

void connection::fail_to_connect(int cause) {
  end& me = ends_[0];
  if (me.now != state::opening) return;
  me.now = state::gone;
  me.broken = true;
  ends_[1].now = state::gone;
  note(0, noted::refused, static_cast<std::uint64_t>(cause));
  if (me.owner != nullptr) me.owner->connected(cause);
}

// The second and the third packet.
void connection::handshake(unsigned side) {
  if (side == 1) {
    if (ends_[0].now != state::opening) return send_reset(0);
    ends_[0].now = state::open;
    note(0, noted::connected);
    fly(0, 0, flag::syn);
    if (ends_[0].owner != nullptr && !is_heard_late()) ends_[0].owner->connected(0);
    return;
  }
  if (ends_[1].now != state::opening) return;
  block* const listener = ends_[1].at->find_listener(ends_[1].name, ends_[0].name);
  if (listener == nullptr) {
    // Where it closes at this very moment Linux may say nothing.  Seen on 6.18: docs/simulation.md
    return net_.strikes(fault::order, chances_) ? forget() : send_reset(1);
  }
  ends_[1].now = state::open;
  note(1, noted::connected);
  listener->waiting.push(shared<connection>(this));
  listener->wake_reader();
}

// Whoever sends to it hears of a reset.
void connection::forget() noexcept {
  note(1, noted::lost);
  ends_[1].now = state::gone;
  suspect(0);
}

// Then a reset may come first; the connect is told of it, as SO_ERROR is.  connect(2)
bool connection::is_heard_late() {
  if (!net_.strikes(fault::order, chances_)) return false;
  net_.events.add(net_.now() + std::chrono::microseconds(chances_.log_between(1, late_max)), *this, heard);
  return true;
}

bool connection::is_cut(unsigned side) const noexcept {
  if (ways_[side].along->is_cut()) return true;
  if (ends_[0].at == ends_[1].at) return false;
  return net_.is_cut(ends_[0].name.addr()) || net_.is_cut(ends_[1].name.addr());
}

bool connection::is_stopped(unsigned side) const noexcept {
  return is_cut(side) || !ends_[1 - side].at->is_up();
}

void connection::pieces_came(unsigned side) {
  way& w = ways_[side];
  if (w.flying.empty()) return;
  if (is_stopped(side)) {
    w.stalled = true;
    if (net_.tape)
      net_.tape->hold(number_, side,
                      is_cut(side) ? "held up where the link is cut" : "held up: the host is down");
    if (w.flying.front().what == flag::syn && side == 1) {
      // The client hears nothing, and asks in vain until its patience ends.
      attempts_ = attempts_max;
      net_.events.add(std::max(asked_at_ + 127s, net_.now()), *this, again);
    }
    if (w.gives_up || ends_[side].now == state::gone) return;
    w.gives_up = true;
    const block* const owner = ends_[side].owner;
    const std::int64_t limit = owner != nullptr ? owner->value(option::user_timeout) : 0;
    net_.events.add(net_.now() + (limit > 0 ? moment(std::chrono::milliseconds(limit)) : patience), *this,
                    give_up + side);
    return;
  }
  w.stalled = false;
  while (!w.flying.empty() && w.flying.front().at <= net_.now()) {
    record_landing(side);
    deliver(side, w.flying.pop());
  }
}

void connection::deliver(unsigned side, const piece& one) {
  const unsigned there = 1 - side;
  end& to = ends_[there];
  way& w = ways_[side];
  switch (one.what) {
    case flag::syn: return handshake(side);
    case flag::reset: note(there, noted::reset); return reset_came(there, ECONNRESET);
    case flag::fin:
      note(there, noted::finished);
      to.finished = true;
      if (net_.tape && to.now != state::gone)
        record_acknowledgement(there, net_.now() + ways_[there].along->how().delay.least);
      if (to.owner != nullptr) to.owner->wake_reader();
      return end_came(there);
    case flag::none: break;
  }
  const std::uint64_t size = one.until - w.arrived;
  w.arrived = one.until;
  note(there, noted::came, size);
  if (to.now == state::open) {
    tell_sender(side);
    if (to.owner != nullptr) to.owner->wake_reader();
    return;
  }
  // Nobody there takes it: the answer is a reset, but never to one.
  if (ends_[side].now != state::gone) send_reset(there);
}

void connection::given_up(unsigned side) {
  way& w = ways_[side];
  w.gives_up = false;
  if (!w.stalled || !is_stopped(side)) return;
  note(side, noted::lost);
  reset_came(side, ETIMEDOUT);
}

void connection::suspect(unsigned side) noexcept {
  end& me = ends_[side];
  if (me.owner == nullptr || me.now != state::open || me.owner->value(option::keep_alive) == 0) return;
  if (std::exchange(me.suspects, true)) return;
  const std::int64_t seconds =
      me.owner->value(option::keep_alive_idle) +
      me.owner->value(option::keep_alive_interval) * me.owner->value(option::keep_alive_count);
  net_.events.add(net_.now() + std::chrono::seconds(seconds), *this, probe + side);
}

// The probes of keep-alive have had no answer, or that of a machine that knows nothing of it.
void connection::probed(unsigned side) {
  ends_[side].suspects = false;
  if (is_stopped(side) || is_stopped(1 - side)) return reset_came(side, ETIMEDOUT);
  if (ends_[1 - side].now == state::gone) reset_came(side, ECONNRESET);
}

void connection::resume() noexcept {
  for (unsigned side : {0U, 1U}) {
    way& w = ways_[side];
    if (w.along == nullptr) continue;
    if (w.stalled && !is_stopped(side)) {
      w.stalled = false;
      // Sent again sooner or later.
      net_.events.add(net_.now() + w.along->delay(), *this, piece_event + side);
    }
    if (w.credit_stalled && !is_cut(1 - side)) {
      w.credit_stalled = false;
      w.credit_expected = true;
      net_.events.add(net_.now() + ways_[1 - side].along->delay(), *this, credit_event + side);
    }
  }
}

}  // namespace soquete::sim
