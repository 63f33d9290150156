// Opening TCP sockets: connect and listen, step by step.
#include "tcp_open.hpp"

#include <cerrno>
#include <soquete/deadline.hpp>

#include "connecting.hpp"
#include "inherited.hpp"
#include "known_endpoints.hpp"

namespace soquete::tcp {
namespace {

result<socket> open_socket(loop& here, const endpoint& at, bool multipath) {
  const family which = at.addr().is_v4() ? family::v4 : family::v6;
  auto block = here.net().open(which, multipath ? transport::multipath_stream : transport::stream);
  if (!block) return fail(std::move(block.error()));
  detail::tell(**block, step::open, 0, nullptr, which == family::v4 ? "IPv4" : "IPv6", nullptr);
  return socket(**block);
}

// Options that are asked for, in turn; the first that fails ends it.
class option_list {
 public:
  explicit option_list(socket& s) : options_(s.block()) {}
  template <class Set>
  void add(bool wanted, Set set) {
    if (wanted && done_) done_ = set(options_);
  }
  result<void> done() { return std::move(done_); }

 private:
  socket_options options_;
  result<void> done_;
};

result<void> prepare(socket& s, const connect_options& o) {
  option_list all(s);
  all.add(o.no_delay, [](auto& to) { return to.set_no_delay(true); });
  all.add(o.receive_buffer > 0, [&](auto& to) { return to.set_receive_buffer(o.receive_buffer); });
  all.add(o.send_buffer > 0, [&](auto& to) { return to.set_send_buffer(o.send_buffer); });
  all.add(o.mark != 0, [&](auto& to) { return to.set_mark(o.mark); });
  all.add(!o.device.empty(), [&](auto& to) { return to.set_bound_device(o.device); });
  all.add(o.fast_open, [](auto& to) { return to.set_fast_open_connect(true); });
  return all.done();
}

result<void> prepare(socket& s, const listen_options& o, bool is_v6) {
  option_list all(s);
  all.add(o.reuse_address, [](auto& to) { return to.set_reuse_address(true); });
  all.add(o.reuse_port, [](auto& to) { return to.set_reuse_port(true); });
  all.add(is_v6, [&](auto& to) { return to.set_v6_only(o.v6_only); });
  all.add(o.no_delay, [](auto& to) { return to.set_no_delay(true); });
  all.add(o.receive_buffer > 0, [&](auto& to) { return to.set_receive_buffer(o.receive_buffer); });
  all.add(o.send_buffer > 0, [&](auto& to) { return to.set_send_buffer(o.send_buffer); });
  all.add(o.mark != 0, [&](auto& to) { return to.set_mark(o.mark); });
  all.add(!o.device.empty(), [&](auto& to) { return to.set_bound_device(o.device); });
  all.add(o.defer.count() > 0, [&](auto& to) { return to.set_defer_accept(o.defer); });
  all.add(o.fast_open_queue > 0, [&](auto& to) { return to.set_fast_open(o.fast_open_queue); });
  return all.done();
}

result<void> bind_to(socket& s, const endpoint& at) {
  auto bound = s.net().bind(s.block(), at);
  detail::tell(s.block(), step::bind, 0, &at, {}, bound ? nullptr : &bound.error());
  if (!bound) bound.error().set_subject(to_string(at));
  return bound;
}

result<socket> open_bound(loop& here, const endpoint& on, const listen_options& options) {
  auto s = open_socket(here, on, options.multipath);
  if (!s) return fail(about(std::move(s.error()), step::open, to_string(on)));
  if (auto prepared = prepare(*s, options, on.addr().is_v6()); !prepared)
    return fail(std::move(prepared.error()));
  if (auto bound = bind_to(*s, on); !bound) return fail(std::move(bound.error()));
  // Of those that share the address. Where the system does not know it, it goes without.
  if (options.reuse_port && here.processor() >= 0)
    static_cast<void>(socket_options(s->block()).set_incoming_cpu(here.processor()));
  return s;
}

task<result<stream>> connect_one(endpoint to, connect_options options) {
  loop& here = co_await this_loop();
  socket s = co_await ok(open_socket(here, to, options.multipath));
  co_await ok(prepare(s, options));
  if (!options.from.empty()) {
    const endpoint from = co_await ok(endpoint::parse(options.from, &zone_number));
    co_await ok(bind_to(s, from));
  }
  result<void> connected = co_await connecting(s.block(), to);
  if (!connected) co_return fail(about(std::move(connected.error()), step::connect, to_string(to)));

  // A client that is given the very port it asks for talks to itself: TCP calls it a simultaneous open.
  const auto ours = s.local();
  const bool is_own_port = ours && ours->port() == to.port();
  if (is_own_port && (ours->addr() == to.addr() || to.addr().is_unspecified()))
    co_return fail(about({std::errc::connection_refused}, step::connect, to_string(to)));
  s.block().peer_address = to.addr();
  s.block().peer_port = to.port();
  s.block().has_peer = true;
  co_return stream(std::move(s));
}

task<result<stream>> connect_any(where to, std::string text, connect_options options) {
  loop& here = co_await this_loop();
  std::optional<error> why;
  std::vector<attempt> attempts;
  bool is_list = to.alternatives().size() > 1;  // One address says all by itself.
  const auto told = [&] {
    if (is_list)
      for (attempt& one : attempts) why->add_attempt(std::move(one));
    return fail(std::move(*why));
  };
  for (const where::alternative& one : to.alternatives()) {
    if (one.what == where::kind::descriptor) co_return stream::adopt(here, one.descriptor);
    endpoints_to_try candidates = look_up_endpoints(here.net(), one);
    if (candidates.after.count() > 0) {
      auto waited = co_await sleep(candidates.after);
      if (!waited) co_return fail(about(std::move(waited.error()), step::resolve, text));
    }
    if (!candidates.all) {
      if (!why) why = about(candidates.all.error(), step::resolve, text);
      attempts.push_back({to_string(one), candidates.all.error().code(), candidates.after});
      continue;
    }
    is_list |= candidates.all->size() > 1;
    for (const endpoint& candidate : *candidates.all) {
      if (!candidate.is_ip()) continue;
      const time_point begun = here.net().now();
      auto got = co_await connect_one(candidate, options);
      if (got) co_return got;
      if (!why) {
        why = about(got.error(), got.error().during(), text);
      } else {
        why->set_step(got.error().during());
      }
      attempts.push_back({to_string(candidate), got.error().code(), here.net().now() - begun});
      if (got.error() == std::errc::operation_canceled || got.error() == std::errc::timed_out) {
        if (co_await detail::is_cancelled()) {
          why->set_step(step::connect);
          co_return told();
        }
      }
    }
  }
  if (why) co_return told();
  error none(fault::unsupported, step::connect);
  co_return fail(std::move(none.set_subject(text).set_detail("TCP connects to host:port or fd:N")));
}

task<result<stream>> fails(error why) { co_return fail(std::move(why)); }

task<result<listener>> listen_first(where on, listen_options options) {
  loop& here = co_await this_loop();
  auto opened = open_listeners(here, on, options);
  if (!opened) co_return fail(std::move(opened.error()));
  co_return std::move(opened->all.front());
}

task<result<listener>> listen_failing(error why) { co_return fail(std::move(why)); }

task<result<listener>> listen_one(endpoint on, listen_options options) {
  loop& here = co_await this_loop();
  co_return open_listener(here, on, options);
}

}  // namespace

result<where> parse_where(std::string_view text) { return where::parse(text, &zone_number); }

result<listener> open_listener(loop& here, const endpoint& on, const listen_options& options) {
  auto s = open_bound(here, on, options);
  if (!s) return fail(std::move(s.error()));
  auto listening = s->net().listen(s->block(), options.backlog);
  detail::tell(s->block(), step::listen, options.backlog, &on, {}, listening ? nullptr : &listening.error());
  // Two sockets may be bound to one address, but not listen on it: the conflict can show as late as here.
  if (!listening) return fail(about(std::move(listening.error()), step::listen, to_string(on)));
  return listener(std::move(*s));
}

namespace {

// With SO_REUSEPORT a second server could start on the same address and silently take half of the clients. So
// the address is tried without it first. It is only bound: a client that connected would be reset.
result<void> find_unshared(loop& here, const endpoint& at, listen_options options) {
  if (at.port() == 0) return {};
  options.reuse_port = false;
  trace_sink* const trace = std::exchange(here.net().trace, nullptr);
  auto tried = open_bound(here, at, options);
  here.net().trace = trace;
  if (!tried) return fail(std::move(tried.error()));
  return {};
}

result<listener> open_for(loop& here, const endpoint& at, listen_options options, sharing with) {
  if (with == sharing::among_loops) {
    if (auto unshared = find_unshared(here, at, options); !unshared) return fail(std::move(unshared.error()));
    options.reuse_port = true;
  }
  return open_listener(here, at, options);
}

result<opened_listeners> open_alternative(loop& here, const where::alternative& one,
                                          const listen_options& options, sharing with, int tries = 16) {
  opened_listeners opened;
  std::vector<listener>& all = opened.all;
  const auto keep = [&all](result<listener> got) -> result<void> {
    if (!got) return fail(std::move(got.error()));
    all.push_back(std::move(*got));
    return {};
  };
  if (one.what == where::kind::descriptor || one.what == where::kind::inherited) {
    result<int> number = one.descriptor;
    if (one.what == where::kind::inherited) number = inherited_descriptor(one.name);
    if (!number) return fail(std::move(number.error()));
    if (auto kept = keep(listener::adopt(here, *number)); !kept)
      return fail(about(std::move(kept.error()), step::adopt, to_string(one)));
    opened.are_inherited = true;
    return opened;
  }
  auto endpoints = known_endpoints(here.net(), one);
  if (!endpoints) return fail(std::move(endpoints.error()));
  std::optional<error> why;
  for (endpoint at : *endpoints) {
    if (!at.is_ip()) {
      error unsupported(fault::unsupported, step::listen);
      return fail(std::move(unsupported.set_subject(to_string(one)).set_detail("TCP listens on host:port")));
    }
    // Several addresses of one name get one port, also when the system chooses it.
    const bool follows = at.port() == 0 && !all.empty();
    if (follows) {
      auto first = all.front().local();
      if (!first) return fail(std::move(first.error()));
      at = endpoint(at.addr(), first->port());
    }
    auto got = open_for(here, at, options, with);
    // What is free on one address may be taken on the other: once more, with another port.
    if (!got && follows && got.error() == std::errc::address_in_use && tries > 1)
      return open_alternative(here, one, options, with, tries - 1);
    // A host without IPv6 serves what it has.
    if (!got && one.what == where::kind::any_host && got.error() == std::errc::address_family_not_supported)
      got = open_for(here, endpoint(address::any_v4(), at.port()), options, with);
    const bool lacks_family = !got && endpoints->size() > 1 &&
                              (got.error() == std::errc::address_family_not_supported ||
                               got.error() == std::errc::address_not_available);
    if (lacks_family) {
      why = std::move(got.error());
      continue;
    }
    if (auto kept = keep(std::move(got)); !kept) return fail(std::move(kept.error()));
  }
  if (all.empty()) return fail(std::move(*why));
  return opened;
}

}  // namespace

result<opened_listeners> open_listeners(loop& here, const where& on, const listen_options& options,
                                        sharing with) {
  result<opened_listeners> got = fail(fault::bad_address, step::listen);
  for (const where::alternative& one : on.alternatives()) {
    got = open_alternative(here, one, options, with);
    if (got) break;
  }
  return got;
}

task<result<stream>> connect(std::string_view to, connect_options options) {
  auto parsed = parse_where(to);
  if (!parsed) return fails(std::move(parsed.error()));
  return connect_any(std::move(*parsed), std::string(to), options);
}

task<result<stream>> connect(endpoint to, connect_options options) {
  if (!to.is_ip()) return fails(error(fault::unsupported, step::connect));
  return connect_one(to, options);
}

task<result<listener>> listen(std::string_view on, listen_options options) {
  auto parsed = parse_where(on);
  if (!parsed) return listen_failing(std::move(parsed.error()));
  return listen_first(std::move(*parsed), options);
}

task<result<listener>> listen(endpoint on, listen_options options) {
  if (!on.is_ip()) return listen_failing(error(fault::unsupported, step::listen));
  return listen_one(on, options);
}

}  // namespace soquete::tcp
