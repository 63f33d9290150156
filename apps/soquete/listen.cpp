// soquete listen ADDR [PEER]
#include <soquete/deadline.hpp>
#include <soquete/event.hpp>
#include <soquete/scope.hpp>
#include <soquete/serve.hpp>

#include "locale.hpp"
#include "session.hpp"

namespace command {
namespace {

using namespace soquete;
using namespace std::chrono_literals;

tcp::listen_options listening(const place& on) {
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

// One client -----------------------------------------------------------------------------------------------

// Opens all the addresses that the text stands for.
task<result<std::vector<tcp::listener>>> open_listeners(const place& on) {
  std::vector<tcp::listener> all;
  if (on.what == scheme::descriptor) {
    all.push_back(co_await ok(tcp::listen(on.text)));
    co_return all;
  }
  const where parsed = co_await ok(where::parse(on.where, &zone_number));
  std::optional<error> why;
  for (const auto& one : parsed.alternatives()) {
    // "localhost" is two addresses, of which one port.
    for (endpoint at : co_await ok(literal_endpoints(one, purpose::listen))) {
      if (at.port() == 0 && !all.empty())
        if (const auto first = all.front().local()) at = endpoint(at.addr(), first->port());
      auto got = co_await tcp::listen(at, listening(on));
      if (!got && one.what == where::kind::any_host && got.error() == std::errc::address_family_not_supported)
        got = co_await tcp::listen(endpoint(address::any_v4(), at.port()), listening(on));
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

task<result<void>> accept_into(tcp::listener& from, tcp::stream& place, scope& s) {
  auto got = co_await ok(from.accept());
  // Both addresses may have had a client in the same moment: the second is turned away.
  if (place.is_open()) {
    got.abort();
  } else {
    place = std::move(got);
    s.cancel();
  }
  co_return {};
}

task<result<tcp::stream>> accept_one(session& all) {
  loop& here = co_await this_loop();
  auto opened = co_await open_listeners(all.how.address);
  if (!opened) {
    all.fail(cannot_listen(all.how.address, opened.error()));
    co_return fail(std::move(opened.error()));
  }
  std::vector<endpoint> at;
  for (const tcp::listener& one : *opened)
    if (const auto local = one.local()) at.push_back(*local);
  all.announce(here, at);
  tcp::stream client;
  auto first = [&](scope& s) -> task<result<void>> {
    for (tcp::listener& one : *opened) s.spawn(accept_into(one, client, s));
    co_return {};
  };
  co_await ok(with_scope(first));
  co_return client;
}

task<result<void>> serve_one(session& all) {
  tcp::stream client = co_await ok(accept_one(all));
  const std::uint64_t number = ++all.connections;
  if (client.peer().is_ip()) all.out.say(_("connected: {}", to_string(client.peer())));
  if (auto ready = prepare(client, all.how.address); !ready) {
    all.fail(cannot_listen(all.how.address, ready.error()));
    co_return {};
  }
  co_await converse(all, peer(std::move(client)), number);
  co_return {};
}

// Many clients ---------------------------------------------------------------------------------------------

task<result<void>> serve_client(session& all, tcp::stream client) {
  const std::uint64_t number = ++all.connections;
  if (auto ready = prepare(client, all.how.address); !ready) {
    ++all.failed;
    all.out.complain(cannot_listen(all.how.address, ready.error()).text);
    client.abort();
    co_return {};
  }
  peer address(std::move(client));
  co_await converse(all, std::move(address), number);
  co_return {};
}

// A run that may not last longer leaves no time to finish either.
task<result<void>> serve_client_until(time_point end, session& all, tcp::stream client) {
  loop& here = co_await this_loop();
  co_return co_await within(end - here.now(), serve_client(all, std::move(client)));
}

// What a loop's server tells.
class watcher {
 public:
  watcher(session& all, loop& here) : all_(all), here_(here) {
    told.listening = [this](const endpoint& at) { listening(at); };
    told.accept_paused = [this](const error& why) { paused(why); };
    told.draining = [this](std::size_t) { draining(); };
  }
  tcp::serve_watch told;

  // A name may stand for several addresses. They are told one by one, but in one turn: who waits for the
  // first wakes after the last. Only one of the loops is told.
  task<result<void>> announce() {
    static_cast<void>(co_await listens_.wait());
    all_.announce(here_, at_);
    co_return {};
  }

 private:
  void listening(const endpoint& at) {
    at_.push_back(at);
    listens_.notify_all();
  }
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
  std::vector<endpoint> at_;
  event listens_;
  std::optional<time_point> last_pause_;
};

task<result<void>> serve_all(session& all) {
  loop& here = co_await this_loop();
  const options& how = all.how;
  watcher watch(all, here);
  const std::optional<time_point> end = how.timeout ? std::optional(here.now() + *how.timeout) : std::nullopt;
  tcp::serve_options limits;
  limits.max_connections = how.max_connections;
  limits.max_per_address = how.max_per_address;
  limits.drain = how.drain;
  limits.listen = listening(how.address);
  limits.watch = &watch.told;
  auto handle = [&all, end](tcp::stream client) -> task<result<void>> {
    return end ? serve_client_until(*end, all, std::move(client)) : serve_client(all, std::move(client));
  };
  const std::string_view on = how.address.what == scheme::tcp ? how.address.where : how.address.text;
  const auto announced = [&](scope& s) -> task<result<void>> {
    s.spawn(watch.announce());
    s.spawn(tcp::serve(on, handle, limits));
    co_return {};
  };
  auto served = co_await with_scope(announced);
  if (!served) {
    all.fail(cannot_listen(how.address, served.error()));
    co_return served;
  }
  co_return {};
}

}  // namespace

task<result<void>> listen(session& all) {
  if (all.how.address.has_sessions()) return serve_datagrams(all);
  if (all.how.is_single()) return serve_one(all);
  return serve_all(all);
}

}  // namespace command
