// Mode echo: CPU of the server for each message, and how long an answer takes.
#include <algorithm>

#include "clock.hpp"
#include "crowd.hpp"

namespace load {

namespace {

double percentile_us(std::vector<std::uint32_t>& ns, double part) {
  if (ns.empty()) return 0;
  auto at = ns.begin() + static_cast<std::ptrdiff_t>(static_cast<double>(ns.size() - 1) * part);
  std::nth_element(ns.begin(), at, ns.end());
  return *at / 1e3;
}

}  // namespace

void echo(const options& o) {
  crowd all(o);
  all.grow(o.connections);
  std::vector<std::uint32_t> latencies;
  latencies.reserve(1 << 20);
  std::uint64_t now = now_ns();
  auto ask = [&](conversation& c) {
    c.asked_at = now;
    c.speak();
  };
  for (conversation& c : all.members()) ask(c);
  stopwatch watch(o);
  // At least one message a connection: a slow server with many is measured for longer.
  while (watch.tick(now = now_ns(), latencies.size() >= o.connections)) {
    all.turn([&](conversation& c) {
      now = now_ns();
      if (watch.running()) latencies.push_back(static_cast<std::uint32_t>(now - c.asked_at));
      ask(c);
    });
  }
  double messages = static_cast<double>(latencies.size());
  std::printf(
      "{\"count\": %.0f, \"cpu_ns\": %.1f, \"per_second\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f}\n",
      messages, watch.cpu_ns() / messages, messages / watch.seconds(), percentile_us(latencies, 0.5),
      percentile_us(latencies, 0.99));
}

}  // namespace load
