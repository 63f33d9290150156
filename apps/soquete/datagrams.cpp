// soquete listen udp://... and unix://...,dgram: a session for each sender.
#include <soquete/scope.hpp>
#include <soquete/udp_serve.hpp>

#include "address_options.hpp"
#include "end_name.hpp"
#include "locale.hpp"
#include "session.hpp"

namespace command {
namespace {

using namespace soquete;

// Told of what is dropped, on whichever loop.
void tell_refused(session& all) {
  if (++all.turned_away != 1) return;
  all.out.complain(
      _("there are {} sessions, as many as there may be: datagrams of others are dropped\n"
        "  try: {} for more, or idle=TIME to end silent ones earlier",
        all.how.address.max_sessions, with_option(all.how.address.text, "max=N")));
}

std::size_t sessions_max(const options& how) {
  if (how.is_single()) return 1;
  return how.max_connections != 0 ? how.max_connections : how.address.max_sessions;
}

template <class Session>
task<result<void>> hold(session& all, Session& client, scope& server) {
  const std::uint64_t number = ++all.connections;
  if (all.how.is_single()) {
    if (number != 1) co_return {};
    all.out.say(_("the first datagram has come from {}", shown(client.peer())));
  }
  // Whom one program answers, all of that is meant for it.
  co_await converse(all, peer(records(client)), number);
  if (all.how.is_single()) server.cancel();
  co_return {};
}

// UDP ------------------------------------------------------------------------------------------------------

// What a loop's server tells.
class watcher {
 public:
  watcher(session& all, loop& here) : all_(all), here_(here) {
    told.ready = [this](std::span<const endpoint> at) { all_.place_ready(here_, at); };
    told.refused = [this](const endpoint&) { tell_refused(all_); };
    told.ended = [this](const udp::session& one, const error*) {
      all_.messages_dropped += one.counts().dropped;
    };
  }
  udp::serve_watch told;

 private:
  session& all_;
  loop& here_;
};

udp::serve_options limits_of(const options& how) {
  const place& on = how.address;
  udp::serve_options limits;
  limits.drain = {};  // Sessions have no end that could be waited for.
  limits.idle = {};   // Seen to where both sides of a conversation are known.
  limits.max_sessions = sessions_max(how);
  limits.max_per_address = how.max_per_address;
  limits.bind = {.device = on.device,
                 .mark = on.mark,
                 .receive_buffer = on.receive_buffer,
                 .send_buffer = on.send_buffer,
                 .v6_only = on.v6_only};
  return limits;
}

task<result<void>> serve_udp(session& all) {
  loop& here = co_await this_loop();
  const options& how = all.how;
  watcher watch(all, here);
  udp::serve_options limits = limits_of(how);
  limits.watch = &watch.told;
  const std::vector<std::string> places = how.address.places();
  const auto at_each_place = [&](scope& s) -> task<result<void>> {
    const auto handle = [&all, &s](udp::session& client) { return hold(all, client, s); };
    for (const std::string& on : places) s.spawn(udp::serve(on, handle, limits));
    co_return {};
  };
  co_return co_await with_scope(at_each_place);
}

// Local datagrams ------------------------------------------------------------------------------------------

task<result<std::vector<local::datagram>>> open_names(const place& on) {
  std::vector<local::datagram> all;
  for (const std::string& at : on.places())
    all.push_back(co_await ok(local::bind(at, {.mode = on.mode.value_or(private_mode)})));
  for (local::datagram& one : all) co_await ok(set_buffers(one.options(), on));
  co_return all;
}

task<result<void>> serve_local(session& all) {
  loop& here = co_await this_loop();
  std::vector<local::datagram> opened = co_await ok(open_names(all.how.address));
  std::vector<endpoint> at;
  for (const local::datagram& one : opened)
    if (const auto name = one.local()) at.push_back(*name);
  all.announce(here, at);
  std::vector<std::unique_ptr<local_server>> servers;
  const auto serving = [&](scope& s) -> task<result<void>> {
    const auto handle = [&all, &s](local_session& client) { return hold(all, client, s); };
    for (local::datagram& one : opened) {
      local_limits limits{.max_sessions = sessions_max(all.how),
                          .refused = [&all] { tell_refused(all); },
                          .dropped = [&all] { ++all.messages_dropped; }};
      servers.push_back(std::make_unique<local_server>(here, std::move(one), std::move(limits), handle));
      s.spawn(servers.back()->run());
    }
    co_return {};
  };
  co_return co_await with_scope(serving);
}

}  // namespace

task<result<void>> serve_datagrams(session& all) {
  task<result<void>> work = all.how.address.is_local() ? serve_local(all) : serve_udp(all);
  auto served = co_await std::move(work);
  if (!served) all.fail(cannot_listen(all.how.address, served.error()));
  co_return served;
}

}  // namespace command
