// soquete listen ADDR [PEER]
#include <soquete/deadline.hpp>
#include <soquete/local_serve.hpp>
#include <soquete/scope.hpp>
#include <soquete/serve.hpp>

#include "end_name.hpp"
#include "locale.hpp"
#include "session.hpp"

namespace command {
namespace {

using namespace soquete;
using namespace std::chrono_literals;

// What the three kinds of connections differ in ------------------------------------------------------------

tcp::listen_options tcp_options(const place& on) {
  constexpr int fast_open_queue = 256;
  return {.backlog = on.backlog,
          .device = on.device,
          .mark = on.mark,
          .receive_buffer = on.receive_buffer,
          .send_buffer = on.send_buffer,
          .fast_open_queue = on.fast_open ? fast_open_queue : 0,
          .v6_only = on.v6_only,
          .no_delay = on.no_delay.value_or(true),
          .multipath = on.multipath};
}

local::listen_options local_options(const place& on) {
  return {.backlog = on.backlog, .mode = on.mode.value_or(private_mode)};
}

// All the addresses that the text stands for.
task<result<std::vector<tcp::listener>>> open_addresses(const place& on) {
  std::vector<tcp::listener> all;
  const where parsed = co_await ok(where::parse(on.where, &zone_number));
  std::optional<error> why;
  for (const auto& one : parsed.alternatives()) {
    // "localhost" is two addresses, of which one port.
    for (endpoint at : co_await ok(literal_endpoints(one, purpose::listen))) {
      if (at.port() == 0 && !all.empty())
        if (const auto first = all.front().local()) at = endpoint(at.addr(), first->port());
      auto got = co_await tcp::listen(at, tcp_options(on));
      if (!got && one.what == where::kind::any_host && got.error() == std::errc::address_family_not_supported)
        got = co_await tcp::listen(endpoint(address::any_v4(), at.port()), tcp_options(on));
      if (got)
        all.push_back(std::move(*got));
      else if (got.error() != std::errc::address_family_not_supported &&
               (got.error() != std::errc::address_not_available || one.what != where::kind::host))
        co_return fail(std::move(got.error()));
      else
        why = std::move(got.error());
    }
  }
  if (all.empty()) co_return fail(why ? std::move(*why) : error(fault::bad_address, step::listen));
  co_return all;
}

// Each that the text stands for.
template <class Kind>
task<result<std::vector<typename Kind::listener>>> open_places(const place& on) {
  std::vector<typename Kind::listener> all;
  for (const std::string& at : on.places()) all.push_back(co_await ok(Kind::listen(at, on)));
  co_return all;
}

struct tcp_clients {
  using listener = tcp::listener;
  using stream = tcp::stream;
  using watch = tcp::serve_watch;
  using options = tcp::serve_options;

  static task<result<std::vector<listener>>> open(const place& on) {
    if (!on.is_open()) return open_addresses(on);
    return open_places<tcp_clients>(on);
  }
  static task<result<listener>> listen(const std::string& at, const place& on) {
    return tcp::listen(at, tcp_options(on));
  }
  static options limits_of(const command::options& how) {
    options limits;
    limits.max_per_address = how.max_per_address;
    limits.listen = tcp_options(how.address);
    return limits;
  }
  template <class Handler>
  static task<result<void>> serve(const std::string& at, const Handler& handler, const options& limits) {
    return tcp::serve(at, handler, limits);
  }
  static std::string name_of(const stream& client) { return shown(client.peer()); }
  static void turn_away(stream& client) { client.abort(); }
};

template <class Connection>
struct local_clients {
  using listener = local::listener_of<Connection>;
  using stream = Connection;
  using watch = local::serve_watch;
  using options = local::serve_options;
  static constexpr bool are_streams = std::is_same_v<Connection, local::stream>;

  static task<result<std::vector<listener>>> open(const place& on) { return open_places<local_clients>(on); }
  static task<result<listener>> listen(const std::string& at, const place& on) {
    if constexpr (are_streams)
      return local::listen(at, local_options(on));
    else
      return local::listen_seqpacket(at, local_options(on));
  }
  static options limits_of(const command::options& how) {
    options limits;
    limits.listen = local_options(how.address);
    return limits;
  }
  template <class Handler>
  static task<result<void>> serve(const std::string& at, const Handler& handler, const options& limits) {
    if constexpr (are_streams)
      return local::serve(at, handler, limits);
    else
      return local::serve_seqpacket(at, handler, limits);
  }
  static std::string name_of(const stream& client) { return shown(client.peer_credentials()); }
  static void turn_away(stream& client) { client.close(); }
};

// One client -----------------------------------------------------------------------------------------------

template <class Kind>
task<result<void>> accept_into(typename Kind::listener& from, typename Kind::stream& place, scope& s) {
  auto got = co_await ok(from.accept());
  // Two listeners may have had a client in the same moment: the second is turned away.
  if (place.is_open()) {
    Kind::turn_away(got);
  } else {
    place = std::move(got);
    s.cancel();
  }
  co_return {};
}

template <class Kind>
task<result<typename Kind::stream>> accept_one(session& all) {
  loop& here = co_await this_loop();
  auto opened = co_await Kind::open(all.how.address);
  if (!opened) {
    all.fail(cannot_listen(all.how.address, opened.error()));
    co_return fail(std::move(opened.error()));
  }
  std::vector<endpoint> at;
  for (const auto& one : *opened)
    if (const auto local = one.local()) at.push_back(*local);
  all.announce(here, at);
  typename Kind::stream client;
  auto first = [&](scope& s) -> task<result<void>> {
    for (auto& one : *opened) s.spawn(accept_into<Kind>(one, client, s));
    co_return {};
  };
  co_await ok(with_scope(first));
  co_return client;
}

template <class Kind>
task<result<void>> serve_one(session& all) {
  auto client = co_await ok(accept_one<Kind>(all));
  const std::uint64_t number = ++all.connections;
  all.out.say(_("connected: {}", Kind::name_of(client)));
  if (auto ready = prepare(client, all.how.address); !ready) {
    all.fail(cannot_listen(all.how.address, ready.error()));
    co_return {};
  }
  co_await converse(all, peer(std::move(client)), number);
  co_return {};
}

// Many clients ---------------------------------------------------------------------------------------------

template <class Kind>
task<result<void>> serve_client(session& all, typename Kind::stream client) {
  const std::uint64_t number = ++all.connections;
  if (auto ready = prepare(client, all.how.address); !ready) {
    ++all.failed;
    all.out.complain(cannot_listen(all.how.address, ready.error()).text);
    Kind::turn_away(client);
    co_return {};
  }
  peer address(std::move(client));
  co_await converse(all, std::move(address), number);
  co_return {};
}

// A run that may not last longer leaves no time to finish either.
template <class Kind>
task<result<void>> serve_client_until(time_point end, session& all, typename Kind::stream client) {
  loop& here = co_await this_loop();
  co_return co_await within(end - here.now(), serve_client<Kind>(all, std::move(client)));
}

// What a loop's server tells.
template <class Watch>
class watcher {
 public:
  watcher(session& all, loop& here) : all_(all), here_(here) {
    told.ready = [this](std::span<const endpoint> at) { all_.place_ready(here_, at); };
    told.accept_paused = [this](const error& why) { paused(why); };
    told.draining = [this](std::size_t) { draining(); };
  }
  Watch told;

 private:
  void paused(const error& why) {
    const time_point now = here_.now();
    if (last_pause_ && now - *last_pause_ < 10s) return;
    last_pause_ = now;
    all_.out.complain(
        _("cannot accept clients for now: {}\n  they wait until others have left\n"
          "  try: ulimit -n 65536, before soquete is started",
          cause_of(why.code())));
  }
  void draining() {
    if (!all_.is_ending.exchange(true))
      all_.out.say(_("no more clients are accepted; the others have {} to finish (Ctrl-C again: at once)",
                     shown(all_.how.drain)));
  }

  session& all_;
  loop& here_;
  std::optional<time_point> last_pause_;
};

template <class Kind>
task<result<void>> serve_all(session& all) {
  loop& here = co_await this_loop();
  const options& how = all.how;
  watcher<typename Kind::watch> watch(all, here);
  const std::optional<time_point> end = how.timeout ? std::optional(here.now() + *how.timeout) : std::nullopt;
  typename Kind::options limits = Kind::limits_of(how);
  limits.max_connections = how.max_connections;
  limits.drain = how.drain;
  limits.watch = &watch.told;
  auto handle = [&all, end](typename Kind::stream client) -> task<result<void>> {
    return end ? serve_client_until<Kind>(*end, all, std::move(client))
               : serve_client<Kind>(all, std::move(client));
  };
  const std::vector<std::string> places = how.address.places();
  const auto at_each_place = [&](scope& s) -> task<result<void>> {
    for (const std::string& at : places) s.spawn(Kind::serve(at, handle, limits));
    co_return {};
  };
  auto served = co_await with_scope(at_each_place);
  if (!served) {
    all.fail(cannot_listen(how.address, served.error()));
    co_return served;
  }
  co_return {};
}

template <class Kind>
task<result<void>> serve(session& all) {
  return all.how.is_single() ? serve_one<Kind>(all) : serve_all<Kind>(all);
}

task<result<void>> fail_to_listen(session& all) {
  all.fail(not_passed(all.how.address, true));
  co_return {};
}

}  // namespace

task<result<void>> listen(session& all) {
  const place& on = all.how.address;
  if (on.missing) return fail_to_listen(all);
  if (on.has_sessions()) return serve_datagrams(all);
  if (!on.is_local()) return serve<tcp_clients>(all);
  return on.kind.what == carrier::records ? serve<local_clients<local::seqpacket>>(all)
                                          : serve<local_clients<local::stream>>(all);
}

}  // namespace command
