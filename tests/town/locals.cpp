// Local sockets in the town, and connections that change hands.
#include <soquete/sim.hpp>

#include "town/folk.hpp"

namespace soquete::town {
namespace {

task<result<void>> echo_locally(local::stream peer) {
  for (;;) {
    lease data = co_await ok(within(5min, peer.receive()));
    if (data.empty()) co_return {};
    co_await ok(within(5min, peer.send(data)));
  }
}

task<result<void>> talk_locally(sim::world& w, const plan& p) {
  const std::string sent = w.bytes(p.bytes);
  for (unsigned i = 0; i != p.times; ++i) {
    auto peer = co_await within(10s, local::connect("unix:/run/echo"));
    if (peer) w.sometimes((co_await converse(w, *peer, sent)).has_value(), "an answer from a local echo");
    co_await ok(sleep(20s));
  }
  if (!p.gets_better) co_return {};
  co_await ok(wait_until(w, better_days));
  auto peer = co_await within(10s, local::connect("unix:/run/echo"));
  w.always(peer && (co_await converse(w, *peer, sent)), "an answer from a local echo in better days");
  co_return {};
}

// The door accepts, and gives what has come to a worker.
task<result<void>> pass_on(tcp::stream peer) {
  auto line = co_await ok(within(5s, local::connect_seqpacket("unix:@worker")));
  co_await ok(within(5s, give(line, peer.release())));
  co_return {};
}

task<result<void>> open_door() {
  tcp::listener door = co_await ok(tcp::listen("[::]:13"));
  for (;;) {
    auto peer = co_await door.accept();
    if (peer)
      static_cast<void>(co_await pass_on(std::move(*peer)));
    else
      co_await ok(sleep(1s));
  }
}

task<result<void>> work(local::seqpacket line) {
  owned_descriptor given = co_await ok(within(5s, take(line)));
  line.close();
  loop& here = co_await this_loop();
  auto peer = tcp::stream::adopt(here, std::move(given));
  if (!peer) co_return fail(std::move(peer.error()));
  co_return co_await echo(std::move(*peer));
}

// A server, and after a while the next, which takes its listener over.
task<result<void>> generation(std::chrono::seconds begin) {
  co_await ok(sleep(begin));
  for (;;) {
    auto ended = co_await tcp::serve("[::]:14", echo, {.handover = "unix:@next"});
    if (ended) co_return {};
    co_await ok(sleep(1s));
  }
}

}  // namespace

void build_locals(sim::world& w, const plan& p) {
  sim::host& house = w.host("house");
  sim::host& guest = w.host("guest");
  house.spawn(
      staying(w, [] { return local::serve("unix:/run/echo", echo_locally, {.max_connections = 1}); }));
  house.spawn(staying(w, [] { return local::serve_seqpacket("unix:@worker", work); }));
  house.spawn(unless_it_fails([] { return open_door(); }));
  house.spawn(unless_it_fails([] { return generation(0s); }));
  house.spawn(unless_it_fails([] { return generation(30s); }));
  house.spawn(unless_it_fails([&w, p] { return talk_locally(w, p); }));
  guest.spawn(unless_it_fails([&w, p] { return keep_talking(w, p, "house:13", w.bytes(p.bytes / 10)); }));
  guest.spawn(unless_it_fails([&w, p] { return keep_talking(w, p, "house:14", w.bytes(p.bytes / 10)); }));
}

}  // namespace soquete::town
