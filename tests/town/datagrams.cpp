// UDP in the town.
#include "town/folk.hpp"

namespace soquete::town {
namespace {

task<result<void>> echo_session(udp::session& guest) {
  for (;;) {
    udp::received got = co_await ok(guest.receive());
    co_await ok(guest.send(got.payload()));
  }
}

task<result<void>> ask(sim::world& w, const plan& p) {
  auto peer = co_await ok(udp::connect("bell:9"));
  const unsigned questions = p.times + 2;
  bool is_answered_late = false;
  for (unsigned i = 1; i <= questions; ++i) {
    static_cast<void>(co_await peer.send("question"));
    const auto got = co_await within(1s, peer.receive());
    w.always(!got || got->text() == "question", "the same datagram");
    w.always(got || got.error() != std::errc::operation_canceled || co_await detail::is_cancelled(),
             "nobody cancels");
    is_answered_late = i == questions && got.has_value();
    co_await ok(sleep(i + 1 == questions ? 20s : 1s));  // Long enough for the session to end.
  }
  w.sometimes(is_answered_late, "an answer in a second session");
  if (!p.gets_better) co_return {};
  co_await ok(wait_until(w, better_days));
  static_cast<void>(co_await peer.send("question"));  // It may be told of an earlier refusal.
  static_cast<void>(co_await peer.send("question"));
  const auto at_last = co_await within(1s, peer.receive());
  w.always(at_last.has_value(), "an answer by datagram in better days");
  co_return {};
}

}  // namespace

void build_datagrams(sim::world& w, const plan& p) {
  sim::host& bell = w.host("bell");
  sim::host& visitor = w.host("visitor");
  bell.spawn(staying(w, [] { return udp::serve("[::]:9", echo_session, {.idle = 10s, .max_sessions = 1}); }));
  visitor.spawn(unless_it_fails([&w, p] { return ask(w, p); }));
}

}  // namespace soquete::town
