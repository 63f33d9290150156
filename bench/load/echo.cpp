// Mode echo: CPU of the server for each message, and how long an answer takes.
#include "clock.hpp"
#include "crowd.hpp"
#include "latencies.hpp"

namespace load {

void echo(const options& o) {
  crowd all(o);
  all.grow(o.connections);
  latencies taken;
  std::uint64_t now = now_ns();
  auto ask = [&](conversation& c) {
    c.asked_at = now;
    c.speak();
  };
  for (conversation& c : all.members()) ask(c);
  stopwatch watch(o);
  // At least one message a connection: a slow server with many is measured for longer.
  while (watch.tick(now = now_ns(), taken.count() >= o.connections)) {
    all.turn([&](conversation& c) {
      now = now_ns();
      if (watch.running()) taken.add(now - c.asked_at);
      ask(c);
    });
  }
  double messages = static_cast<double>(taken.count());
  std::printf(
      "{\"count\": %.0f, \"cpu_ns\": %.1f, \"per_second\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f}\n",
      messages, watch.cpu_ns() / messages, messages / watch.seconds(), taken.percentile_us(0.5),
      taken.percentile_us(0.99));
}

}  // namespace load
