// Local sockets: streams, seqpackets and datagrams, and how to get them.
#include <soquete/local_datagram.hpp>
#include <soquete/local_seqpacket.hpp>

#include "connecting.hpp"
#include "local_open.hpp"

namespace soquete::local {
namespace {

// What each type is to the kernel.
template <class T>
constexpr transport carried_by = transport::stream;
template <>
constexpr transport carried_by<seqpacket> = transport::sequenced;
template <>
constexpr transport carried_by<datagram> = transport::datagram;
template <class T>
constexpr descriptor_kind kind_of =
    carried_by<T> == transport::stream ? descriptor_kind::stream : descriptor_kind::datagram;

template <class T>
result<T> made_of(result<socket> s) {
  if (!s) return fail(std::move(s.error()));
  return T(std::move(*s));
}

template <class T>
task<result<T>> connect_as(result<where> to, connect_options options) {
  if (!to) co_return fail(std::move(to.error()));
  co_return made_of<T>(co_await connect_any(std::move(*to), carried_by<T>, options));
}

template <class T>
task<result<T>> open_as(result<where> on, transport carries, path_claim how) {
  loop& here = co_await this_loop();
  if (!on) co_return fail(std::move(on.error()));
  auto opened = open_named(here, *on, carries, how);
  if (!opened) co_return fail(std::move(opened.error()));
  co_return T(std::move(opened->it));
}

template <class Connection>
task<result<listener_of<Connection>>> listen_as(result<where> on, const listen_options& o) {
  return open_as<listener_of<Connection>>(std::move(on), carried_by<Connection>,
                                          {o.mode, o.replace_stale, o.backlog});
}

template <class T>
task<result<std::pair<T, T>>> pair_of() {
  loop& here = co_await this_loop();
  const socket_pair both = co_await ok(here.net().pair(carried_by<T>));
  co_return std::pair<T, T>(T(socket(*both.first)), T(socket(*both.second)));
}

task<result<datagram>> autobind() {
  loop& here = co_await this_loop();
  socket s = co_await ok(open_socket(here, transport::datagram));
  auto bound = here.net().bind(s.block(), endpoint::local_unnamed());
  const endpoint chosen = s.local().value_or(endpoint::local_unnamed());
  detail::tell(s.block(), step::bind, 0, &chosen, {}, bound ? nullptr : &bound.error());
  co_await ok(std::move(bound));
  co_return datagram(std::move(s));
}

}  // namespace

result<stream> stream::adopt(loop& here, owned_descriptor taken) {
  return made_of<stream>(adopt_as(here, std::move(taken), transport::stream, descriptor_kind::stream));
}

task<result<stream>> stream::adopt(owned_descriptor taken) {
  loop& here = co_await this_loop();
  co_return adopt(here, std::move(taken));
}

result<void> stream::finish() { return detail::finish_sending(socket_.block()); }

result<seqpacket> seqpacket::adopt(loop& here, owned_descriptor taken) {
  return made_of<seqpacket>(
      adopt_as(here, std::move(taken), transport::sequenced, descriptor_kind::datagram));
}

result<void> seqpacket::finish() { return detail::finish_sending(socket_.block()); }

result<datagram> datagram::adopt(loop& here, owned_descriptor taken) {
  return made_of<datagram>(adopt_as(here, std::move(taken), transport::datagram, descriptor_kind::datagram));
}

result<void> datagram::connect(const endpoint& to) {
  slot& s = socket_.block().writer;
  s.code = opcode::connect;
  s.data = &to;
  // Nothing is exchanged, so it never waits.
  const bool waits = s.begin({}, nullptr);
  assert(!waits);
  static_cast<void>(waits);
  if (s.failed()) return fail(about(error(s.cause(), step::connect), step::connect, to_string(to)));
  return {};
}

template <class Connection>
result<listener_of<Connection>> listener_of<Connection>::adopt(loop& here, owned_descriptor taken) {
  return made_of<listener_of>(
      adopt_as(here, std::move(taken), carried_by<Connection>, descriptor_kind::listener));
}
template class listener_of<stream>;
template class listener_of<seqpacket>;

task<result<stream>> connect(std::string_view to, connect_options o) {
  return connect_as<stream>(parse_where(to), o);
}
task<result<stream>> connect(endpoint to, connect_options o) { return connect_as<stream>(where_of(to), o); }
task<result<seqpacket>> connect_seqpacket(std::string_view to, connect_options o) {
  return connect_as<seqpacket>(parse_where(to), o);
}
task<result<seqpacket>> connect_seqpacket(endpoint to, connect_options o) {
  return connect_as<seqpacket>(where_of(to), o);
}
task<result<datagram>> connect_datagram(std::string_view to, connect_options o) {
  return connect_as<datagram>(parse_where(to), o);
}
task<result<datagram>> connect_datagram(endpoint to, connect_options o) {
  return connect_as<datagram>(where_of(to), o);
}

task<result<listener>> listen(std::string_view on, listen_options o) {
  return listen_as<stream>(parse_where(on), o);
}
task<result<listener>> listen(endpoint on, listen_options o) { return listen_as<stream>(where_of(on), o); }
task<result<seqpacket_listener>> listen_seqpacket(std::string_view on, listen_options o) {
  return listen_as<seqpacket>(parse_where(on), o);
}
task<result<seqpacket_listener>> listen_seqpacket(endpoint on, listen_options o) {
  return listen_as<seqpacket>(where_of(on), o);
}

task<result<datagram>> bind(std::string_view to, bind_options o) {
  return open_as<datagram>(parse_where(to), transport::datagram, {o.mode, o.replace_stale, -1});
}
task<result<datagram>> bind(endpoint to, bind_options o) {
  if (to == endpoint::local_unnamed()) return autobind();
  return open_as<datagram>(where_of(to), transport::datagram, {o.mode, o.replace_stale, -1});
}

task<result<datagram>> open_datagram() {
  loop& here = co_await this_loop();
  co_return datagram(co_await ok(open_socket(here, transport::datagram)));
}

task<result<std::pair<stream, stream>>> pair() { return pair_of<stream>(); }
task<result<std::pair<seqpacket, seqpacket>>> seqpacket_pair() { return pair_of<seqpacket>(); }
task<result<std::pair<datagram, datagram>>> datagram_pair() { return pair_of<datagram>(); }

}  // namespace soquete::local
