// UDP sockets: opening, binding, connecting.
#include "udp_open.hpp"

#include <cerrno>
#include <soquete/deadline.hpp>

#include "inherited.hpp"
#include "known_endpoints.hpp"

namespace soquete::udp {
namespace {

error about(error why, step during, std::string_view whom) {
  return std::move(why.set_step(during).set_subject(whom));
}

// Nobody asked for it, so nothing is lost where a system cannot tell.
void tell_unasked(soquete::socket& s, bool is_bound_to_all) {
  if (is_bound_to_all) static_cast<void>(s.net().set(s.block(), option::tell_destination, 1));
}

result<socket> adopt_as(loop& here, owned_descriptor taken) {
  auto block = here.net().adopt(std::move(taken));
  if (!block) return fail(std::move(block.error()));
  soquete::socket opened(**block);
  if ((*block)->kind != descriptor_kind::datagram || (*block)->domain == family::local)
    return fail(std::errc::invalid_argument, step::adopt);
  const auto ours = opened.local();
  tell_unasked(opened, ours && ours->is_ip() && ours->addr().is_unspecified());
  return socket(std::move(opened));
}

result<soquete::socket> open_socket(loop& here, const endpoint& at) {
  const family which = at.addr().is_v4() ? family::v4 : family::v6;
  auto block = here.net().open(which, transport::datagram);
  if (!block) return fail(about(std::move(block.error()), step::open, to_string(at)));
  soquete::detail::tell(**block, step::open, static_cast<std::int64_t>(transport::datagram), nullptr,
                        which == family::v4 ? "IPv4" : "IPv6", nullptr);
  return soquete::socket(**block);
}

result<void> prepare(soquete::socket& s, const bind_options& o, const endpoint& at, bool is_bound) {
  datagram_options to(s.block());
  const bool is_v6 = at.addr().is_v6();
  result<void> done;
  const auto add = [&done](bool wanted, auto set) {
    if (wanted && done) done = set();
  };
  add(o.reuse_address, [&] { return to.set_reuse_address(true); });
  add(o.reuse_port, [&] { return to.set_reuse_port(true); });
  add(is_v6 && is_bound, [&] { return to.set_v6_only(o.v6_only); });
  add(o.receive_buffer > 0, [&] { return to.set_receive_buffer(o.receive_buffer); });
  add(o.send_buffer > 0, [&] { return to.set_send_buffer(o.send_buffer); });
  add(o.mark != 0, [&] { return to.set_mark(o.mark); });
  add(!o.device.empty(), [&] { return to.set_bound_device(o.device); });
  add(o.broadcast, [&] { return to.set_broadcast(true); });
  if (!done) return done;
  tell_unasked(s, is_bound && at.addr().is_unspecified());
  return {};
}

result<void> bind_to(soquete::socket& s, const endpoint& at) {
  auto bound = s.net().bind(s.block(), at);
  soquete::detail::tell(s.block(), step::bind, 0, &at, {}, bound ? nullptr : &bound.error());
  if (!bound) bound.error().set_subject(to_string(at));
  return bound;
}

}  // namespace

result<socket> bind_one(loop& here, const endpoint& at, const bind_options& options) {
  auto s = open_socket(here, at);
  if (!s) return fail(std::move(s.error()));
  if (auto prepared = prepare(*s, options, at, true); !prepared) return fail(std::move(prepared.error()));
  if (auto bound = bind_to(*s, at); !bound) return fail(std::move(bound.error()));
  return socket(std::move(*s));
}

namespace {

result<socket> connect_one(loop& here, const endpoint& to, const bind_options& options) {
  auto s = open_socket(here, to);
  if (!s) return fail(std::move(s.error()));
  if (auto prepared = prepare(*s, options, to, false); !prepared) return fail(std::move(prepared.error()));
  socket opened(std::move(*s));
  if (auto connected = opened.connect(to); !connected) return fail(std::move(connected.error()));
  return opened;
}

// What is open already.
result<socket> adopt_alternative(loop& here, const where::alternative& one) {
  result<int> number = one.descriptor;
  if (one.what == where::kind::inherited) number = inherited_descriptor(one.name);
  if (!number) return fail(std::move(number.error()));
  auto adopted = socket::adopt(here, owned_descriptor(*number));
  if (!adopted) return fail(about(std::move(adopted.error()), step::adopt, to_string(one)));
  return adopted;
}

// The first address of a place that can be had.
template <class Open>
result<socket> first_of(const result<std::vector<endpoint>>& place, const where::alternative& one,
                        Open open) {
  if (!place) return fail(about(place.error(), step::resolve, to_string(one)));
  result<socket> got = fail(fault::bad_address, step::none);
  for (const endpoint& at : *place) {
    got = at.is_ip() ? open(at) : result<socket>(fail(fault::unsupported, step::open));
    if (got) break;
  }
  return got;
}

bool is_open_already(const where::alternative& one) noexcept {
  return one.what == where::kind::descriptor || one.what == where::kind::inherited;
}

// A host without IPv6 serves what it has.
result<socket> bind_place(loop& here, const where::alternative& one, const endpoint& at,
                          const bind_options& options) {
  auto got = bind_one(here, at, options);
  if (!got && one.what == where::kind::any_host && got.error() == std::errc::address_family_not_supported)
    return bind_one(here, endpoint(address::any_v4(), at.port()), options);
  return got;
}

task<result<socket>> bind_first(where on, bind_options options) {
  loop& here = co_await this_loop();
  result<socket> got = fail(fault::bad_address, step::none);
  for (const where::alternative& one : on.alternatives()) {
    got = is_open_already(one) ? adopt_alternative(here, one)
                               : first_of(known_endpoints(here.net(), one), one, [&](const endpoint& at) {
                                   return bind_place(here, one, at, options);
                                 });
    if (got) break;
  }
  co_return got;
}

task<result<socket>> connect_first(where to, bind_options options) {
  loop& here = co_await this_loop();
  result<socket> got = fail(fault::bad_address, step::none);
  for (const where::alternative& one : to.alternatives()) {
    if (is_open_already(one)) {
      got = adopt_alternative(here, one);
    } else {
      const endpoints_to_try candidates = look_up_endpoints(here.net(), one);
      if (candidates.after.count() > 0) {
        auto waited = co_await sleep(candidates.after);
        if (!waited) co_return fail(about(std::move(waited.error()), step::resolve, to_string(one)));
      }
      got = first_of(candidates.all, one, [&](const endpoint& at) { return connect_one(here, at, options); });
    }
    if (got) break;
  }
  co_return got;
}

task<result<socket>> fails(error why) { co_return fail(std::move(why)); }

task<result<socket>> bind_at(endpoint on, bind_options options) {
  loop& here = co_await this_loop();
  co_return bind_one(here, on, options);
}

task<result<socket>> connect_at(endpoint to, bind_options options) {
  loop& here = co_await this_loop();
  co_return connect_one(here, to, options);
}

// The sockets of the other loops, on what the first has got. It has bound alone, without SO_REUSEPORT, so
// that nobody else has the address and would silently keep a part of the peers; the option is read again
// whenever another socket is to join.
result<void> bind_others(loop& here, opened_sockets& opened, bind_options options) {
  for (socket& first : opened.all) {
    auto at = first.local();
    if (!at) return fail(std::move(at.error()));
    if (auto shared = first.options().set_reuse_port(true); !shared) return shared;
    options.reuse_port = true;
    for (auto& of_loop : opened.of_others) {
      auto got = bind_one(here, *at, options);
      if (!got) return fail(std::move(got.error()));
      of_loop.push_back(got->release());
    }
  }
  return {};
}

result<opened_sockets> open_place(loop& here, const where::alternative& one, const bind_options& options,
                                  int tries = 16) {
  opened_sockets opened;
  if (is_open_already(one)) {
    auto adopted = adopt_alternative(here, one);
    if (!adopted) return fail(std::move(adopted.error()));
    opened.all.push_back(std::move(*adopted));
    opened.are_inherited = true;
    return opened;
  }
  auto endpoints = known_endpoints(here.net(), one);
  if (!endpoints) return fail(about(std::move(endpoints.error()), step::resolve, to_string(one)));
  std::optional<error> why;
  for (endpoint at : *endpoints) {
    if (!at.is_ip()) return fail(about(error(fault::unsupported), step::bind, to_string(one)));
    // Several addresses of one name get one port, also when the system chooses it.
    const bool follows = at.port() == 0 && !opened.all.empty();
    if (follows) {
      auto first = opened.all.front().local();
      if (!first) return fail(std::move(first.error()));
      at = endpoint(at.addr(), first->port());
    }
    auto got = bind_place(here, one, at, options);
    if (!got && follows && got.error() == std::errc::address_in_use && tries > 1)
      return open_place(here, one, options, tries - 1);
    const bool lacks_family = !got && endpoints->size() > 1 &&
                              (got.error() == std::errc::address_family_not_supported ||
                               got.error() == std::errc::address_not_available);
    if (!got && !lacks_family) return fail(std::move(got.error()));
    if (got)
      opened.all.push_back(std::move(*got));
    else
      why = std::move(got.error());
  }
  if (opened.all.empty()) return fail(std::move(*why));
  return opened;
}

}  // namespace

result<opened_sockets> open_sockets(loop& here, const where& on, const bind_options& options,
                                    unsigned loops) {
  result<opened_sockets> got = fail(fault::bad_address, step::bind);
  for (const where::alternative& one : on.alternatives()) {
    got = open_place(here, one, options);
    if (got) break;
  }
  if (!got || got->are_inherited || loops == 1) return got;
  got->of_others.resize(loops - 1);
  if (auto done = bind_others(here, *got, options); !done) return fail(std::move(done.error()));
  return got;
}

result<socket> socket::adopt(loop& here, owned_descriptor taken) { return adopt_as(here, std::move(taken)); }

task<result<socket>> socket::adopt(owned_descriptor taken) {
  loop& here = co_await this_loop();
  co_return adopt_as(here, std::move(taken));
}

result<void> socket::connect(const endpoint& to) {
  slot& s = socket_.block().writer;
  s.code = opcode::connect;
  s.data = &to;
  // Nothing is exchanged, so it never waits.
  const bool waits = s.begin({}, nullptr);
  assert(!waits);
  static_cast<void>(waits);
  if (s.failed()) return fail(about(error(s.cause(), step::connect), step::connect, to_string(to)));
  socket_.block().peer_address = to.addr();
  socket_.block().peer_port = to.port();
  socket_.block().has_peer = true;
  return {};
}

result<void> socket::join(const group_membership& which) {
  auto done = socket_.net().join(socket_.block(), which);
  if (!done) done.error().set_subject(to_string(which.group)).set_detail("MCAST_JOIN_GROUP");
  soquete::detail::tell(socket_.block(), step::set_option, 1, nullptr, "MCAST_JOIN_GROUP",
                        done ? nullptr : &done.error());
  return done;
}

result<void> socket::leave(const group_membership& which) {
  auto done = socket_.net().leave(socket_.block(), which);
  if (!done) done.error().set_subject(to_string(which.group)).set_detail("MCAST_LEAVE_GROUP");
  soquete::detail::tell(socket_.block(), step::set_option, 1, nullptr, "MCAST_LEAVE_GROUP",
                        done ? nullptr : &done.error());
  return done;
}

task<result<socket>> bind(std::string_view on, bind_options options) {
  auto parsed = where::parse(on, &zone_number);
  if (!parsed) return fails(std::move(parsed.error()));
  return bind_first(std::move(*parsed), options);
}

task<result<socket>> bind(endpoint on, bind_options options) {
  if (!on.is_ip()) return fails(error(fault::unsupported, step::bind));
  return bind_at(on, options);
}

task<result<socket>> connect(std::string_view to, bind_options options) {
  auto parsed = where::parse(to, &zone_number);
  if (!parsed) return fails(std::move(parsed.error()));
  return connect_first(std::move(*parsed), options);
}

task<result<socket>> connect(endpoint to, bind_options options) {
  if (!to.is_ip()) return fails(error(fault::unsupported, step::connect));
  return connect_at(to, options);
}

}  // namespace soquete::udp
