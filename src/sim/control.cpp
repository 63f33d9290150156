// The driver of one simulated host: the control plane, which answers at once.
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
  b->domain = where;
  b->carries = how;
  const bool is_of_messages = how == transport::datagram || how == transport::sequenced;
  b->kind = is_of_messages ? descriptor_kind::datagram : descriptor_kind::stream;
  b->value(option::linger) = -1;
  b->value(option::keep_alive_idle) = 7200;  // tcp(7)
  b->value(option::keep_alive_interval) = 75;
  b->value(option::keep_alive_count) = 9;
  b->poke.of = b;
  b->poke.wake = [](waiter* w) noexcept {
    block& poked = *static_cast<block::poke_waiter*>(w)->of;
    static_cast<host_driver&>(poked.home).poked(poked);
  };
  ++open_;
  net_.note(at_, noted::opened, static_cast<std::uint64_t>(number - machine::first_descriptor));
  return b;
}

result<socket_block*> host_driver::open(family where, transport how) {
  if (is_dead_) return fail(std::errc::operation_canceled, step::open);
  if (how == transport::multipath_stream) return fail(unsupported(step::open, "MPTCP is"));
  if (where == family::local) {
    auto made = make_block(where, how);
    if (!made) return fail(std::move(made.error()));
    (*made)->local = shared<local_end>(new local_end(at_, how, *made));
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

result<socket_block*> host_driver::adopt(owned_descriptor taken) {
  const auto place = static_cast<std::size_t>(taken.descriptor() - machine::first_descriptor);
  if (taken.descriptor() < machine::first_descriptor || place >= at_.descriptors().size() ||
      at_.descriptors()[place] == nullptr)
    return fail(unsupported(step::adopt, "descriptors of the real system are"));
  if (!taken.unread().empty() || !taken.accepted().empty())
    return fail(unsupported(step::adopt, "bytes and connections that a descriptor brings along are"));
  static_cast<void>(taken.release());
  block& b = *at_.descriptors()[place];
  if (&b.home != this || !std::exchange(b.released, false))
    return fail(std::errc::bad_file_descriptor, step::adopt);
  return static_cast<socket_block*>(&b);
}

// It stays open under its number, for adopt(). Nothing of the real system has this number.
owned_descriptor host_driver::release(socket_block& released) {
  static_cast<block&>(released).released = true;
  delete std::exchange(released.path, nullptr);
  return owned_descriptor(released.descriptor);
}

result<socket_block*> host_driver::watch_signals(std::span<const int>) {
  return fail(unsupported(step::open, "signals are"));
}

result<void> host_driver::join(socket_block&, const group_membership&) {
  return fail(unsupported(step::set_option, "multicast is"));
}

result<void> host_driver::leave(socket_block&, const group_membership&) {
  return fail(unsupported(step::set_option, "multicast is"));
}

result<void> host_driver::bind(socket_block& socket, const endpoint& where) {
  auto& b = static_cast<block&>(socket);
  return told(b.local ? bind_local(b, where) : at_.bind(b, where), step::bind);
}

result<void> host_driver::listen(socket_block& socket, int backlog) {
  auto& b = static_cast<block&>(socket);
  if (b.local) return told(listen_local(b, backlog), step::listen);
  if (b.kind == descriptor_kind::datagram) return fail(std::errc::operation_not_supported, step::listen);
  if (b.wire) return fail(std::errc::invalid_argument, step::listen);
  if (b.bound.is_empty()) {
    const address any = b.domain == family::v4 ? address::any_v4() : address::any_v6();
    if (const int cause = at_.bind(b, endpoint(any, 0)); cause != 0) return told(cause, step::listen);
  }
  if (const int cause = at_.may_listen(b); cause != 0) return told(cause, step::listen);
  constexpr int backlog_max = 4096;  // net.core.somaxconn, listen(2)
  b.backlog = backlog < 0 || backlog > backlog_max ? backlog_max : backlog;
  b.kind = descriptor_kind::listener;
  return {};
}

result<endpoint> host_driver::local(const socket_block& socket) const {
  const auto& b = static_cast<const block&>(socket);
  if (b.local) return b.local->name;
  if (b.wire && b.side == 0) return b.shown(b.wire->name(0));
  if (!b.bound.is_empty()) return b.shown(b.bound);
  return endpoint(b.domain == family::v4 ? address::any_v4() : address::any_v6(), 0);
}

result<endpoint> host_driver::peer(const socket_block& socket) const {
  const auto& b = static_cast<const block&>(socket);
  if (b.local && b.local->peer() != nullptr) return b.local->peer()->name;
  if (b.wire && b.wire->is_open(b.side)) return b.shown(b.wire->name(1 - b.side));
  if (!b.peer.is_empty()) return b.shown(b.peer);
  return fail(std::errc::not_connected, step::get_option);
}

result<void> host_driver::disconnect(socket_block& socket) {
  auto& b = static_cast<block&>(socket);
  if (b.kind != descriptor_kind::datagram)
    return fail(unsupported(step::connect, "disconnecting a stream is"));
  if (b.carries == transport::sequenced) return fail(std::errc::invalid_argument, step::connect);
  if (b.local) return b.local->connect(nullptr), result<void>();
  b.peer = endpoint();
  b.has_peer = false;
  return {};
}

result<tcp_info> host_driver::info(const socket_block& socket) const {
  const auto& b = static_cast<const block&>(socket);
  if (b.local) return fail(std::errc::operation_not_supported, step::get_option);
  if (b.kind == descriptor_kind::datagram) return fail(std::errc::no_protocol_option, step::get_option);
  tcp_info told_of;
  if (b.kind == descriptor_kind::listener) told_of.now = tcp_info::state::listen;
  return b.wire ? b.wire->info(b.side) : told_of;
}

result<void> host_driver::shutdown(socket_block& socket, direction which) {
  auto& b = static_cast<block&>(socket);
  if (is_dead_) return fail(std::errc::not_connected, step::shutdown);
  if (b.local && b.carries != transport::datagram) return told(b.local->shutdown(which), step::shutdown);
  if (b.kind == descriptor_kind::datagram) {
    if (b.peer.is_empty() && !(b.local && b.local->peer() != nullptr))
      return fail(std::errc::not_connected, step::shutdown);
    return fail(unsupported(step::shutdown, "half-closed datagram sockets are"));
  }
  if (!b.wire) return fail(std::errc::not_connected, step::shutdown);
  return told(b.wire->shutdown(b.side, which), step::shutdown);
}

void host_driver::forget(block& b) noexcept {
  if (std::exchange(b.forgotten, true)) return;
  net_.note(at_, noted::closed, static_cast<std::uint64_t>(b.descriptor - machine::first_descriptor));
  at_.unbind(b);
  at_.free_descriptor(b.descriptor);
}

void host_driver::close(socket_block& closed) noexcept {
  auto& b = static_cast<block&>(closed);
  assert(!b.reader.is_pending() && !b.writer.is_pending());
  const bool resets = b.reset_on_close || b.value(option::linger) == 0;
  b.closing = true;
  if (!is_dead_) remove_path(b);
  forget(b);
  if (b.local) b.local->close();
  if (b.wire) b.wire->close(b.side, resets);
  // Connections that nobody has accepted are reset.
  while (!b.waiting.empty()) b.waiting.pop()->close(1, true);
  if (!b.poke_queued) free(b);
}

void host_driver::free(block& b) noexcept {
  --open_;
  delete &b;
}

void host_driver::lose_memory() noexcept {
  is_dead_ = true;
  const std::vector<block*> all = at_.descriptors();
  for (block* const b : all) {
    if (b == nullptr) continue;
    if (b->wire) b->wire->vanish(b->side);
    if (b->local) b->local->vanish();
    while (!b->waiting.empty()) b->waiting.pop()->vanish(1);
    b->arrived.clear();
    for (op* const o : {static_cast<op*>(&b->reader), static_cast<op*>(&b->writer)})
      if (o->now == op::state::in_flight) cancel(*o);
    forget(*b);
  }
  at_.driver = nullptr;
  // What follows is the program's own tidying up, on a machine that nobody can reach.
  net_.note(at_, noted::crashed, at_.life);
}

}  // namespace soquete::sim
