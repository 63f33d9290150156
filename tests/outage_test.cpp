// The same server, unchanged, on a simulated network: 2,000 histories of delay, loss, resets and cuts.
#include <gtest/gtest.h>
#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>

using namespace soquete;
using namespace std::chrono_literals;

// The code of examples/echo_server.cpp.
task<result<void>> echo(tcp::stream peer) {
  for (;;) {
    lease data = co_await ok(peer.receive());
    if (data.empty()) co_return {};
    co_await ok(peer.send(data));
  }
}

task<result<void>> send_all(tcp::stream& to, const std::string& message) {
  co_await ok(to.send(message));
  co_return to.finish();
}

task<result<std::string>> fetch_echo(std::string_view where, std::string message) {
  tcp::stream peer = co_await ok(tcp::connect(where));
  std::string got;
  auto both = [&](scope& s) -> task<result<void>> {
    s.spawn(send_all(peer, message));
    for (;;) {
      lease data = co_await ok(peer.receive());
      if (data.empty()) co_return {};
      got += data.text();
    }
  };
  co_await ok(with_scope(both));
  co_return got;
}

TEST(echo, survives_a_bad_network) {
  sim::check({.seeds = 2'000}, [](sim::world& w) {
    sim::host& server = w.host("server");  // a name in the simulated DNS
    sim::host& client = w.host("client", {.descriptor_limit = 64, .clock_skew = 3min});
    w.link(server, client, {.delay = {1ms, 40ms}, .bytes_per_second = 10'000'000, .window = {1, 64 * 1024}});
    w.faults(sim::swarm().without(sim::fault::crash));

    server.spawn([] { return tcp::serve("[::]:7", echo); });
    client.spawn([&]() -> task<result<void>> {
      std::string sent = w.bytes(64 * 1024);
      auto got = co_await within(30s, fetch_echo("server:7", sent));  // thirty virtual seconds
      w.always(!got || *got == sent, "exact bytes or an error");
      w.sometimes(got.has_value(), "it can succeed");
      w.sometimes(!got && got.error() == std::errc::connection_reset, "a reset was seen");
      w.sometimes(!got && got.error().during() == step::resolve, "a name was not to be had");
      co_return {};
    });
    w.at(5s, [&] { w.partition(server, client); });
    w.at(15s, [&] { w.heal(); });
    w.run_for(1h);  // ends early when idle; reports deadlock, livelock and leaks of every kind
  });
}
