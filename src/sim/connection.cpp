// A simulated TCP connection: what its ends do.
#include "sim/connection.hpp"

#include <algorithm>
#include <cerrno>

#include "sim/block.hpp"
#include "sim/machine.hpp"

namespace soquete::sim {
namespace {

constexpr std::size_t piece_max = 64 * 1024;
constexpr std::size_t usual_send_room = 256 * 1024;
constexpr std::size_t grown_send_room = 4 * 1024 * 1024;
constexpr std::size_t first_receive_room = 32 * 1024;
constexpr std::int64_t header_size = 40;

std::size_t option_or(const block& b, option which, std::size_t usual) noexcept {
  const std::int64_t set = b.value(which);
  return set > 0 ? static_cast<std::size_t>(set) : usual;
}

}  // namespace

connection::connection(network& net, block& asking, const endpoint& from, const endpoint& to, machine* there)
    : net_(net),
      draws_(net.seed, purpose::connection, ++net.connections_made),
      chances_(net.seed, purpose::handshake, net.connections_made),
      number_(net.connections_made) {
  ends_[0].at = &asking.at;
  ends_[0].owner = &asking;
  ends_[0].name = from;
  ends_[0].now = state::opening;
  ends_[1].at = there;
  ends_[1].name = to;
  if (there != nullptr) {
    ways_[0].along = &net.between(asking.at, *there);
    ways_[1].along = &net.between(*there, asking.at);
    ways_[0].room = send_room(asking);
    ways_[1].window = receive_room(asking.value(option::receive_buffer), *ways_[1].along);
  }
  net_.add(*this);
}

connection::~connection() { net_.remove(*this); }

void connection::note(unsigned side, noted what, std::uint64_t a, std::uint64_t b) {
  net_.note(*ends_[side].at, what, number_ << 1 | side, a ^ b << 32);
}

// Linux lets it grow, sooner or later, unless it was set.  tcp_wmem, tcp(7)
std::size_t connection::send_room(const block& of) noexcept {
  const std::size_t room = option_or(of, option::send_buffer, usual_send_room);
  const bool grows = room == usual_send_room && net_.strikes(fault::pieces, draws_);
  return grows ? static_cast<std::size_t>(draws_.log_between(room, grown_send_room)) : room;
}

// Linux lets it begin small, unless it was set.  tcp_rmem, tcp(7)
std::size_t connection::receive_room(std::int64_t set, link& along) noexcept {
  if (set > 0) return static_cast<std::size_t>(set);
  const std::size_t room = along.draw_window();
  const bool begins_small = room > first_receive_room && net_.strikes(fault::pieces, draws_);
  return begins_small ? static_cast<std::size_t>(draws_.log_between(first_receive_room, room)) : room;
}

std::size_t connection::room_left(const way& w) const noexcept {
  const std::uint64_t used = w.written - w.acknowledged;
  return used >= w.room ? 0 : w.room - static_cast<std::size_t>(used);
}

std::int64_t connection::readable(unsigned side) const noexcept {
  const end& me = ends_[side];
  const way& w = ways_[1 - side];
  const bool would_wait =
      me.now == state::opening || me.now == state::none ||
      (w.arrived == w.read && !me.finished && !me.broken && me.error == 0 && !me.stopped_receiving);
  return would_wait ? -EAGAIN : 0;
}

std::int64_t connection::receive(unsigned side, mutable_bytes into) noexcept {
  end& me = ends_[side];
  way& w = ways_[1 - side];
  const std::uint64_t there = w.arrived - w.read;
  if (there != 0) {
    std::size_t size = std::min(into.size(), static_cast<std::size_t>(there));
    if (size > 1 && net_.strikes(fault::pieces)) size = static_cast<std::size_t>(draws_.log_between(1, size));
    w.held.pop(into.first(size));
    w.read += size;
    // As TCP does, little room is not told of.  RFC 9293 section 3.8.6.2.2
    const std::uint64_t gained = w.read + w.window - w.advertised;
    if (gained >= std::max<std::uint64_t>(1, w.window / 2) || w.advertised == w.arrived)
      tell_sender(1 - side);
    return static_cast<std::int64_t>(size);
  }
  if (me.finished) return 0;
  if (me.error != 0) return -take_error(side);
  if (me.broken || me.stopped_receiving) return 0;
  return -EAGAIN;
}

std::int64_t connection::send(unsigned side, bytes from) noexcept {
  end& me = ends_[side];
  way& w = ways_[side];
  if (me.error != 0) return -take_error(side);
  if (me.broken || me.stopped_sending) return -EPIPE;
  if (me.now == state::opening) return -EAGAIN;
  settle(side);
  std::size_t size = std::min(room_left(w), from.size());
  if (size == 0) return expect_credit(side), -EAGAIN;
  if (size > 1 && net_.strikes(fault::pieces)) size = static_cast<std::size_t>(draws_.log_between(1, size));
  w.held.push(from.first(size));
  w.written += size;
  pump(side);
  return static_cast<std::int64_t>(size);
}

int connection::shutdown(unsigned side, direction which) noexcept {
  end& me = ends_[side];
  if (me.now != state::open) return me.broken || me.now == state::opening ? -ENOTCONN : 0;
  // Both ways have ended: for TCP there is no connection any more.
  if (me.finished && ways_[side].end_sent && ends_[1 - side].finished) return -ENOTCONN;
  if (which != direction::sending) {
    me.stopped_receiving = true;
    if (me.owner != nullptr) me.owner->wake_reader();
  }
  if (which != direction::receiving && !me.stopped_sending) {
    me.stopped_sending = true;
    ways_[side].wants_end = true;
    pump(side);
  }
  return 0;
}

void connection::close(unsigned side, bool reset) noexcept {
  end& me = ends_[side];
  const way& incoming = ways_[1 - side];
  me.owner = nullptr;
  me.stopped_sending = true;
  if (me.now == state::opening) {
    // Whatever still comes is answered by a reset.
    me.now = state::gone;
    return;
  }
  if (me.now != state::open) return;
  if (reset || incoming.arrived != incoming.read) return send_reset(side);
  me.now = state::closed;
  ways_[side].wants_end = true;
  pump(side);
  end_came(side);
}

void connection::vanish(unsigned side) noexcept {
  ends_[side].owner = nullptr;
  ends_[side].now = state::gone;
  ends_[side].broken = true;
  suspect(1 - side);
}

void connection::accepted_by(block& by) noexcept {
  ends_[1].owner = &by;
  ways_[1].room = send_room(by);
}

void connection::break_in_the_middle() noexcept {
  for (unsigned side : {0U, 1U}) {
    note(side, noted::reset);
    record_drop(side, "overtaken by a reset");
    if (net_.tape && ends_[side].now != state::gone) record_reset_from_the_way(side);
    ways_[side].flying.clear();
    reset_came(side, ECONNRESET);
  }
}

void connection::send_reset(unsigned side) {
  end& me = ends_[side];
  way& w = ways_[side];
  me.now = state::gone;
  me.broken = true;
  // What has not left yet is forgotten; what is on its way still comes, unless the reset overtakes it.
  w.held.cut(static_cast<std::size_t>(w.sent - w.read));
  w.written = w.sent;
  w.wants_end = false;
  if (net_.strikes(fault::loss)) {
    record_drop(side, "overtaken by the reset");
    w.flying.clear();
    w.held.cut(static_cast<std::size_t>(w.arrived - w.read));
    w.written = w.sent = w.arrived;
  }
  fly(side, 0, flag::reset);
}

void connection::reset_came(unsigned at, int cause) {
  end& me = ends_[at];
  way& w = ways_[at];
  if (me.now == state::gone || me.now == state::none) return;
  if (me.now == state::opening && at == 0) return fail_to_connect(cause == ECONNRESET ? ECONNREFUSED : cause);
  me.now = state::gone;
  me.broken = true;
  me.error = me.finished && cause == ECONNRESET ? EPIPE : cause;
  w.held.cut(static_cast<std::size_t>(w.sent - w.read));
  w.written = w.sent;
  w.wants_end = false;
  record_drop(at, cause == ETIMEDOUT ? "given up" : "in vain: the connection is reset");
  w.flying.clear();
  if (me.owner == nullptr) return;
  if (at == 0 && me.owner->lost_unheard(me.error)) me.error = 0;
  me.owner->wake_reader();
  me.owner->wake_writer();
}

void connection::end_came(unsigned at) {
  // Both have closed and heard of it: nothing is left to do.
  const end& me = ends_[at];
  if (me.now == state::closed && me.finished && ways_[at].end_sent) ends_[at].now = state::gone;
}

tcp_info connection::info(unsigned side) noexcept {
  if (ways_[side].along != nullptr) settle(side);
  const end& me = ends_[side];
  const way& out = ways_[side];
  tcp_info told;
  if (me.now == state::opening) told.now = tcp_info::state::syn_sent;
  if (me.now == state::open) {
    told.now = me.stopped_sending ? (me.finished ? tcp_info::state::last_ack : tcp_info::state::fin_wait_2)
               : me.finished      ? tcp_info::state::close_wait
                                  : tcp_info::state::established;
  }
  told.bytes_acknowledged = out.acknowledged;
  told.bytes_received = ways_[1 - side].arrived;
  told.not_sent = static_cast<std::uint32_t>(out.written - out.sent);
  if (out.along != nullptr) {
    const auto there = std::chrono::duration_cast<std::chrono::microseconds>(out.along->how().delay.least);
    told.round_trip = told.round_trip_min = there * 2;
  }
  return told;
}

std::string connection::describe() const {
  constexpr std::array<std::string_view, 5> names{"none", "opening", "open", "closed", "gone"};
  std::string text;
  for (unsigned side : {0U, 1U}) {
    if (side == 1) text += "  ";
    text.append(to_string(ends_[side].name)).append(" ");
    text.append(names[static_cast<std::size_t>(ends_[side].now)]);
    const way& w = ways_[side];
    if (const auto unread = w.written - w.read; unread != 0)
      text.append(" (").append(std::to_string(unread)).append(" bytes under way)");
  }
  return text;
}

void connection::pump(unsigned side) {
  way& w = ways_[side];
  const end& me = ends_[side];
  if (me.now != state::open && me.now != state::closed) return;
  settle(side);
  while (w.sent < w.written && w.sent < w.edge) {
    std::size_t size = static_cast<std::size_t>(std::min(w.written, w.edge) - w.sent);
    size = std::min(size, piece_max);
    if (size > 1 && net_.strikes(fault::pieces)) size = static_cast<std::size_t>(draws_.log_between(1, size));
    w.sent += size;
    fly(side, size, flag::none);
  }
  if (w.wants_end && !w.end_sent && w.sent == w.written) {
    w.end_sent = true;
    fly(side, 0, flag::fin);
    if (me.now == state::closed) end_came(side);
  }
  if (is_hungry(side)) expect_credit(side);
}

void connection::fly(unsigned side, std::size_t size, flag what) {
  way& w = ways_[side];
  if (w.along == nullptr) return;
  moment at = w.along->leave(net_.now(), size + header_size) + w.along->delay();
  // Lost and sent again, once or several times.
  if (net_.strikes(fault::loss)) {
    at += std::chrono::milliseconds(200 << draws_.below(4));
    net_.unusual = remark::sent_again;
  }
  if (net_.strikes(fault::delay)) {
    at += std::chrono::milliseconds(draws_.log_between(1, 10'000));
    net_.unusual = remark::slow;
  }
  at = std::max(at, w.last_at);
  w.last_at = at;
  w.flying.push({w.sent, at, what});
  note(side, noted::left, size, static_cast<std::uint64_t>(what));
  net_.events.add(at, *this, piece_event + side);
  if (what == flag::none && net_.strikes(fault::reset)) net_.events.add(at, *this, middle);
  if (net_.tape) [[unlikely]]
    record_piece(side, size, what, at);
}

void connection::settle(unsigned side) noexcept {
  way& w = ways_[side];
  if (w.credits.empty() || is_cut(1 - side)) return;
  while (!w.credits.empty() && w.credits.front().at <= net_.now()) {
    const credit one = w.credits.pop();
    w.acknowledged = std::max(w.acknowledged, one.arrived);
    w.edge = std::max(w.edge, one.edge);
  }
}

void connection::tell_sender(unsigned side) {
  way& w = ways_[side];
  moment at = net_.now() + ways_[1 - side].along->delay();
  if (!w.credits.empty()) at = std::max(at, w.credits.back().at);
  w.advertised = w.read + w.window;
  if (!w.credits.empty() && w.credits.back().at == at)
    w.credits.back() = {at, w.arrived, w.advertised};
  else
    w.credits.push({at, w.arrived, w.advertised});
  if (is_hungry(side)) expect_credit(side);
  if (net_.tape) [[unlikely]]
    record_acknowledgement(1 - side, at);
}

bool connection::is_hungry(unsigned side) const noexcept {
  const way& w = ways_[side];
  const block* owner = ends_[side].owner;
  if (ends_[side].now == state::gone) return false;
  return (w.sent < w.written && w.sent >= w.edge) || (owner != nullptr && owner->is_writing());
}

void connection::expect_credit(unsigned side) {
  way& w = ways_[side];
  if (w.credit_expected || w.credits.empty()) return;
  w.credit_expected = true;
  net_.events.add(std::max(w.credits.front().at, net_.now()), *this, credit_event + side);
}

}  // namespace soquete::sim
