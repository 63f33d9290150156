// soquete listen udp://...: a session for each sender.
#include <soquete/scope.hpp>
#include <soquete/udp_serve.hpp>

#include "locale.hpp"
#include "session.hpp"

namespace command {
namespace {

using namespace soquete;

// What a loop's server tells.
class watcher {
 public:
  watcher(session& all, loop& here) : all_(all), here_(here) {
    told.listening = [this](const endpoint& at) {
      at_.push_back(at);
      listens_.notify_all();
    };
    told.refused = [this](const endpoint&) { refused(); };
    told.ended = [this](const udp::session& one, const error*) {
      all_.messages_dropped += one.counts().dropped;
    };
  }
  udp::serve_watch told;

  // A name may stand for several addresses. They are told one by one, but in one turn: who waits for the
  // first wakes after the last. Only one of the loops is told.
  task<result<void>> announce() {
    static_cast<void>(co_await listens_.wait());
    all_.announce(here_, at_);
    co_return {};
  }

 private:
  void refused() {
    if (++all_.turned_away != 1) return;
    all_.out.complain(
        _("there are {} sessions, as many as there may be: datagrams of others are dropped\n"
          "  try: {},max=N for more, or idle=TIME to end silent ones earlier",
          all_.how.address.max_sessions, all_.how.address.text));
  }

  session& all_;
  loop& here_;
  std::vector<endpoint> at_;
  event listens_;
};

udp::serve_options limits_of(const options& how) {
  const place& on = how.address;
  udp::serve_options limits;
  limits.drain = {};  // Sessions have no end that could be waited for.
  limits.idle = {};   // Seen to where both sides of a conversation are known.
  limits.max_sessions = how.is_single()            ? 1
                        : how.max_connections != 0 ? how.max_connections
                                                   : on.max_sessions;
  limits.max_per_address = how.max_per_address;
  limits.bind = {.device = on.device,
                 .mark = on.mark,
                 .receive_buffer = on.receive_buffer,
                 .send_buffer = on.send_buffer,
                 .v6_only = on.v6_only};
  return limits;
}

task<result<void>> hold(session& all, udp::session& client, scope& server) {
  const std::uint64_t number = ++all.connections;
  if (all.how.is_single()) {
    if (number != 1) co_return {};
    all.out.say(_("the first datagram has come from {}", to_string(client.peer())));
  }
  // Whom one program answers, all of that is meant for it.
  co_await converse(all, peer(records(client)), number);
  if (all.how.is_single()) server.cancel();
  co_return {};
}

}  // namespace

task<result<void>> serve_datagrams(session& all) {
  loop& here = co_await this_loop();
  const options& how = all.how;
  watcher watch(all, here);
  udp::serve_options limits = limits_of(how);
  limits.watch = &watch.told;
  const std::string_view on = how.address.what == scheme::udp ? how.address.where : how.address.text;
  const auto announced = [&](scope& s) -> task<result<void>> {
    const auto handle = [&all, &s](udp::session& client) { return hold(all, client, s); };
    s.spawn(watch.announce());
    s.spawn(udp::serve(on, handle, limits));
    co_return {};
  };
  auto served = co_await with_scope(announced);
  if (!served) {
    all.fail(cannot_listen(how.address, served.error()));
    co_return served;
  }
  co_return {};
}

}  // namespace command
