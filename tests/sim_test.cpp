// The simulated network: hosts, time, determinism, and what is told when something goes wrong.  docs/simulation.md
#include <gtest/gtest.h>

#include <cstdlib>
#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>
#include <vector>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

task<result<void>> echo(tcp::stream peer) {
  for (;;) {
    lease data = co_await ok(peer.receive());
    if (data.empty()) co_return {};
    co_await ok(peer.send(data));
  }
}

task<result<std::string>> ask(std::string_view where, std::string_view word) {
  tcp::stream peer = co_await ok(tcp::connect(where));
  co_await ok(peer.send(word));
  co_await ok(peer.finish());
  std::string got;
  for (;;) {
    lease data = co_await ok(peer.receive());
    if (data.empty()) co_return got;
    got += data.text();
  }
}

TEST(sim_world, two_hosts_talk_and_time_passes_at_once) {
  sim::world w(1);
  sim::host& server = w.host("server");
  sim::host& client = w.host("client");
  w.link(server, client, {.delay = {1h, 1h}});
  std::string got;
  server.spawn([] { return tcp::serve("[::]:7", echo); });
  client.spawn([&]() -> task<result<void>> {
    got = co_await ok(ask("server:7", "hello"));
    co_return {};
  });
  w.run_for(24h);
  EXPECT_EQ(w.failure(), "");
  EXPECT_EQ(got, "hello");
  EXPECT_GE(w.now(), 4h);
  EXPECT_LT(w.now(), 24h);
}

}  // namespace
}  // namespace soquete::test
