// A scenario on a simulated network, and the hash of what happens in it, which everybody should find the
// same.
#pragma once

#include <cstdint>
#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>

namespace history {

using namespace soquete;
using namespace std::chrono_literals;

inline task<result<void>> echo(tcp::stream peer) {
  for (;;) {
    lease data = co_await ok(within(5min, peer.receive()));
    if (data.empty()) co_return {};
    co_await ok(peer.send(data));
  }
}

inline task<result<void>> ask(sim::world& w) {
  for (int i = 0; i != 3; ++i) {
    auto peer = co_await within(10s, tcp::connect("server:7"));
    if (!peer) continue;
    const std::string sent = w.bytes(2'000);
    if (!co_await within(10s, peer->send(sent))) continue;
    static_cast<void>(co_await within(10s, peer->receive()));
  }
  co_return {};
}

/// Of a hundred seeds, with all kinds of faults.
inline std::uint64_t hash() {
  return sim::check({.seeds = 100},
                    [](sim::world& w) {
                      sim::host& server = w.host("server");
                      sim::host& client = w.host("client", {.clock_skew = -2s});
                      w.link(server, client, {.delay = {1ms, 40ms}, .window = {16, 4096}, .loss = 0.1});
                      w.faults(sim::swarm());
                      server.spawn([] { return tcp::serve("[::]:7", echo); });
                      client.spawn([&w] { return ask(w); });
                      w.run_for(1h);
                    })
      .trace_hash;
}

}  // namespace history
