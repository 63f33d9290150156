// How fast the simulated network is: events a second on one core, and virtual seconds a second.
#include <chrono>
#include <cstdio>
#include <ctime>
#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>

using namespace soquete;
using namespace std::chrono_literals;

namespace {

task<result<void>> echo(tcp::stream peer) {
  for (;;) {
    lease data = co_await ok(peer.receive());
    if (data.empty()) co_return {};
    co_await ok(peer.send(data));
  }
}

// One byte there and back, `count` times.
task<result<void>> ping(int count) {
  tcp::stream peer = co_await ok(tcp::connect("server:7"));
  for (int i = 0; i != count; ++i) {
    co_await ok(peer.send("x"));
    lease got = co_await ok(peer.receive());
  }
  co_return {};
}

task<result<void>> answer() {
  auto s = co_await ok(udp::bind(":9"));
  for (;;) {
    udp::received got = co_await ok(s.receive());
    co_await ok(s.send_to(got.from(), got.text()));
  }
}

task<result<void>> ask(int count) {
  auto s = co_await ok(udp::connect("server:9"));
  for (int i = 0; i != count; ++i) {
    co_await ok(s.send("x"));
    udp::received got = co_await ok(s.receive());
  }
  co_return {};
}

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

template <class Scenario>
void measure(const char* name, Scenario scenario) {
  sim::world w(1);
  const double begun = processor_seconds();
  scenario(w);
  w.run_for(24h);
  const double took = processor_seconds() - begun;
  if (!w.failure().empty()) std::printf("%s\n", w.failure().c_str());
  std::printf("%-34s %9.0f events, %6.2f s: %5.2f million events/s, %8.0f virtual s/s\n", name,
              static_cast<double>(w.events()), took, static_cast<double>(w.events()) / took / 1e6,
              std::chrono::duration<double>(w.now()).count() / took);
}

void many_clients(sim::world& w, int clients, int count) {
  w.host("server").spawn([] { return tcp::serve(":7", echo); });
  for (int i = 0; i != clients; ++i)
    w.host("client" + std::to_string(i)).spawn([count] { return ping(count); });
}

}  // namespace

int main() {
  measure("TCP, one client, 200,000 echoes", [](sim::world& w) { many_clients(w, 1, 200'000); });
  measure("TCP, 1,000 hosts, 200 echoes each", [](sim::world& w) { many_clients(w, 1'000, 200); });
  measure("TCP, 10,000 hosts, 20 echoes each", [](sim::world& w) { many_clients(w, 10'000, 20); });
  measure("UDP, one client, 200,000 echoes", [](sim::world& w) {
    w.host("server").spawn(answer);
    w.host("client").spawn([] { return ask(200'000); });
  });
}
