// The driver of one simulated host: the control plane, which answers at once.
#include <algorithm>
#include <cerrno>

#include "sim/driver.hpp"

namespace soquete::sim {
namespace {

error unsupported(step during, std::string_view what) {
  error why(soquete::fault::unsupported, during);
  why.set_detail(std::string(what) + " not simulated");
  return why;
}

error of_errno(int cause, step during) {
  return {std::error_code(cause < 0 ? -cause : cause, std::generic_category()), during};
}

result<void> told(int cause, step during) {
  if (cause != 0) return fail(of_errno(cause, during));
  return {};
}

}  // namespace

result<block*> host_driver::make_block(family where, transport how) {
  auto made = std::make_unique<block>(*this, at_);
  const int number = at_.take_descriptor(*made);
  if (number < 0) return fail(of_errno(number, step::open));
  block* const b = made.release();
  b->descriptor = number;
  b->numbers = 1;
  b->is_held = true;
  prepare(*b, where, how);
  ++open_;
  net_.note(at_, noted::opened, static_cast<std::uint64_t>(number - machine::first_descriptor));
  return b;
}

void host_driver::prepare(block& made, family where, transport how) noexcept {
  block* const b = &made;
  b->domain = where;
  b->carries = how;
  const bool is_of_messages = how == transport::datagram || how == transport::sequenced;
  b->kind = is_of_messages ? descriptor_kind::datagram : descriptor_kind::stream;
  b->value(option::linger) = -1;
  b->value(option::keep_alive_idle) = 7200;  // tcp(7)
  b->value(option::keep_alive_interval) = 75;
  b->value(option::keep_alive_count) = 9;
  b->value(option::multicast_hops) = 1;  // ip(7)
  b->value(option::multicast_loop) = 1;
  b->value(option::multicast_all) = block::unset;
  b->poke.of = b;
  b->poke.wake = [](waiter* w) noexcept {
    block& poked = *static_cast<block::poke_waiter*>(w)->of;
    static_cast<host_driver&>(poked.home).poked(poked);
  };
}

result<socket_block*> host_driver::open(family where, transport how) {
  if (is_dead_) return fail(std::errc::operation_canceled, step::open);
  if (how == transport::multipath_stream) return fail(unsupported(step::open, "MPTCP is"));
  if (const int cause = meddled(request::open); cause != 0) return fail(of_errno(cause, step::open));
  if (where == family::local) {
    auto made = make_local(how);
    if (!made) return fail(std::move(made.error()));
    return static_cast<socket_block*>(*made);
  }
  if (how == transport::sequenced) return fail(std::errc::not_supported, step::open);
  bool has_family = false;
  for (const address& one : at_.addresses) has_family |= one.is_v4() == (where == family::v4);
  if (!has_family) return fail(std::errc::address_family_not_supported, step::open);
  auto made = make_block(where, how);
  if (!made) return fail(std::move(made.error()));
  return static_cast<socket_block*>(*made);
}

result<socket_block*> host_driver::watch_signals(std::span<const int> signals) {
  if (is_dead_) return fail(std::errc::operation_canceled, step::open);
  if (const int cause = meddled(request::watch); cause != 0) return fail(of_errno(cause, step::open));
  auto made = make_block(family::v4, transport::stream);
  if (!made) return fail(std::move(made.error()));
  (*made)->kind = descriptor_kind::other;
  (*made)->signals.assign(signals.begin(), signals.end());
  return static_cast<socket_block*>(*made);
}

// To everybody who watches for it, as to processes of their own. One that has not been taken yet is not
// doubled. signal(7)
bool host_driver::raise(int signal) {
  bool is_watched = false;
  const auto is_it = [signal](int one) { return one == signal; };
  for (block* const b : at_.descriptors()) {
    if (b == nullptr || std::none_of(b->signals.begin(), b->signals.end(), is_it)) continue;
    is_watched = true;
    if (std::none_of(b->raised.begin(), b->raised.end(), is_it)) b->raised.push(signal);
    b->wake_reader();
  }
  if (is_watched) net_.note(at_, noted::raised, static_cast<std::uint64_t>(signal));
  return is_watched;
}

std::int64_t host_driver::take_signal(block& b) noexcept {
  if (b.signals.empty()) return -EINVAL;
  return b.raised.empty() ? -EAGAIN : b.raised.pop();
}

result<void> host_driver::join(socket_block& socket, const group_membership& which) {
  if (const int cause = meddled(request::set_option); cause != 0) return told(cause, step::set_option);
  const auto& b = data_of(socket);
  if (b.local || b.kind != descriptor_kind::datagram)
    return fail(std::errc::no_protocol_option, step::set_option);
  return told(at_.groups.join(b, which), step::set_option);
}

result<void> host_driver::leave(socket_block& socket, const group_membership& which) {
  if (const int cause = meddled(request::set_option); cause != 0) return told(cause, step::set_option);
  return told(at_.groups.leave(data_of(socket), which), step::set_option);
}

result<void> host_driver::bind(socket_block& socket, const endpoint& where) {
  if (const int cause = meddled(request::bind); cause != 0) return fail(of_errno(cause, step::bind));
  auto& b = data_of(socket);
  return told(b.local ? bind_local(b, where) : at_.bind(b, where), step::bind);
}

result<void> host_driver::listen(socket_block& socket, int backlog) {
  if (const int cause = meddled(request::listen); cause != 0) return fail(of_errno(cause, step::listen));
  auto& b = data_of(socket);
  if (b.local) {
    const int cause = listen_local(b, backlog);
    socket.kind = b.kind;
    return told(cause, step::listen);
  }
  if (b.kind == descriptor_kind::datagram) return fail(std::errc::operation_not_supported, step::listen);
  if (b.wire) return fail(std::errc::invalid_argument, step::listen);
  if (b.bound.is_empty()) {
    const address any = b.domain == family::v4 ? address::any_v4() : address::any_v6();
    if (const int cause = at_.bind(b, endpoint(any, 0)); cause != 0) return told(cause, step::listen);
  }
  if (const int cause = at_.may_listen(b); cause != 0) return told(cause, step::listen);
  constexpr int backlog_max = 4096;  // net.core.somaxconn, listen(2)
  b.backlog = backlog < 0 || backlog > backlog_max ? backlog_max : backlog;
  socket.kind = b.kind = descriptor_kind::listener;
  return {};
}

result<endpoint> host_driver::local(const socket_block& socket) const {
  if (const int cause = meddled(request::local); cause != 0) return fail(of_errno(cause, step::get_option));
  const auto& b = data_of(socket);
  if (!is_socket(b.kind)) return fail(std::errc::not_a_socket, step::get_option);
  if (b.local) return b.local->name;
  if (b.wire && b.side == 0) return b.shown(b.wire->name(0));
  if (!b.bound.is_empty()) return b.shown(b.bound);
  return endpoint(b.domain == family::v4 ? address::any_v4() : address::any_v6(), 0);
}

result<endpoint> host_driver::peer(const socket_block& socket) const {
  if (const int cause = meddled(request::peer); cause != 0) return fail(of_errno(cause, step::get_option));
  const auto& b = data_of(socket);
  if (!is_socket(b.kind)) return fail(std::errc::not_a_socket, step::get_option);
  if (b.local && b.local->peer() != nullptr) return b.local->peer()->name;
  if (b.wire && b.wire->is_open(b.side)) return b.shown(b.wire->name(1 - b.side));
  if (!b.peer.is_empty()) return b.shown(b.peer);
  return fail(std::errc::not_connected, step::get_option);
}

result<void> host_driver::disconnect(socket_block& socket) {
  if (const int cause = meddled(request::dissociate); cause != 0) return told(cause, step::connect);
  auto& b = data_of(socket);
  if (b.kind != descriptor_kind::datagram)
    return fail(unsupported(step::connect, "disconnecting a stream is"));
  if (b.carries == transport::sequenced) return fail(std::errc::invalid_argument, step::connect);
  if (b.local) return b.local->connect(nullptr), result<void>();
  b.peer = endpoint();
  socket.has_peer = b.has_peer = false;
  return {};
}

result<tcp_info> host_driver::info(const socket_block& socket) const {
  if (const int cause = meddled(request::get_option); cause != 0)
    return fail(of_errno(cause, step::get_option));
  const auto& b = data_of(socket);
  if (b.local) return fail(std::errc::operation_not_supported, step::get_option);
  if (b.kind == descriptor_kind::datagram) return fail(std::errc::no_protocol_option, step::get_option);
  tcp_info told_of;
  if (b.kind == descriptor_kind::listener) told_of.now = tcp_info::state::listen;
  return b.wire ? b.wire->info(b.side) : told_of;
}

result<void> host_driver::shutdown(socket_block& socket, direction which) {
  auto& b = data_of(socket);
  if (is_dead_) return fail(std::errc::not_connected, step::shutdown);
  if (const int cause = meddled(request::shutdown); cause != 0) return fail(of_errno(cause, step::shutdown));
  if (!is_socket(b.kind)) return fail(std::errc::not_a_socket, step::shutdown);
  if (b.local && b.carries != transport::datagram) return told(b.local->shutdown(which), step::shutdown);
  if (b.kind == descriptor_kind::datagram) {
    if (b.peer.is_empty() && !(b.local && b.local->peer() != nullptr))
      return fail(std::errc::not_connected, step::shutdown);
    return fail(unsupported(step::shutdown, "half-closed datagram sockets are"));
  }
  if (!b.wire) return fail(std::errc::not_connected, step::shutdown);
  return told(b.wire->shutdown(b.side, which), step::shutdown);
}

// Its peers hear nothing of it.
void host_driver::vanish(block& b) noexcept {
  b.forgotten = true;
  if (b.wire) b.wire->vanish(b.side);
  if (b.local) b.local->vanish();
  while (!b.waiting.empty()) b.waiting.pop()->vanish(1);
  b.arrived.clear();
  const auto give_up = [this](block& hand) {
    for (op* const o : {static_cast<op*>(&hand.reader), static_cast<op*>(&hand.writer)})
      if (o->now == op::state::in_flight) cancel(*o);
  };
  give_up(b);
  for (block* const twin : b.twins) give_up(*twin);
}

void host_driver::lose_memory() noexcept {
  if (held_ != nullptr) let_go(*held_);
  // First: what is let go of from here on means nothing any more.
  is_dead_ = true;
  home_->driver = nullptr;
  const std::vector<block*> all = at_.descriptors();
  std::vector<block*> unheld = std::exchange(afloat_, std::vector<block*>());
  for (block* const b : unheld) vanish(*b);
  for (std::size_t place = 0; place != all.size(); ++place) {
    block* const b = all[place];
    if (b == nullptr) continue;
    const bool is_first = !b->forgotten;
    if (is_first) vanish(*b);
    net_.note(at_, noted::closed, place);
    if (is_first) at_.unbind(*b);
    at_.free_descriptor(machine::first_descriptor + static_cast<int>(place));
    if (is_first && !b->is_held && b->twins.empty()) unheld.push_back(b);
  }
  for (block* const b : unheld) retire(*b);
  at_.driver = nullptr;
  // What follows is the program's own tidying up, on a machine that nobody can reach.
  net_.note(at_, noted::crashed, at_.life);
}

}  // namespace soquete::sim
