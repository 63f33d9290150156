// Mode datagrams: CPU of the server for each datagram that it sends back, and how long an answer takes. Each
// client has a window of them in flight.
#include <vector>

#include "asker.hpp"
#include "clock.hpp"
#include "datagram_server.hpp"
#include "latencies.hpp"
#include "losses.hpp"
#include "poller.hpp"

namespace load {

namespace {

constexpr int silence_ms = 200;  // What has not come back by then is lost: an answer takes microseconds.

}  // namespace

void datagrams(const options& o) {
  if (o.size < 8) fail("a datagram holds at least 8 bytes");
  wait_for_answer(o.at, "?");
  payload words(o.size);
  poller events;
  std::vector<asker> clients;
  clients.reserve(o.connections);
  std::uint64_t now = now_ns(), sent = 0, seen = 0;
  auto fill = [&](asker& c) {
    for (; c.in_flight() < o.window; ++sent) c.ask(now);
  };
  for (std::uint32_t i = 0; i < o.connections; ++i) {
    clients.emplace_back(o.at, i, words, o.size);
    events.watch(clients.back().descriptor(), i);
  }
  latencies taken;
  // One answer of each in turn: so the questions of different clients follow one another.
  auto on_answer = [&](std::uint32_t which, bool counts) {
    std::optional<std::uint64_t> asked_at = clients[which].receive();
    if (!asked_at) return;
    ++seen;
    now = now_ns();
    if (counts && *asked_at != 0) taken.add(now - *asked_at);
  };
  for (asker& c : clients) fill(c);
  stopwatch watch(o);
  int silences = 0;
  while (watch.tick(now = now_ns(), taken.count() >= o.connections * o.window)) {
    bool came = events.wait(silence_ms, [&](std::uint32_t which) {
      on_answer(which, watch.running());
      fill(clients[which]);
    });
    if (came) {
      silences = 0;
      continue;
    }
    if (++silences == 20) fail("nothing came back for 4 s");
    for (asker& c : clients) {
      c.give_up();
      fill(c);
    }
  }
  while (seen < sent && events.wait(silence_ms, [&](std::uint32_t which) { on_answer(which, false); })) {}
  double messages = static_cast<double>(taken.count());
  std::printf(
      "{\"count\": %.0f, \"cpu_ns\": %.1f, \"per_second\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
      "\"lost\": %.0f}\n",
      messages, watch.cpu_ns() / messages, messages / watch.seconds(), taken.percentile_us(0.5),
      taken.percentile_us(0.99), losses(sent, seen));
}

}  // namespace load
