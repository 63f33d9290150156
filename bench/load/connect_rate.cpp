// Mode connect: CPU of the server for each connection that is opened, echoes once, and is reset.
#include "clock.hpp"
#include "crowd.hpp"

namespace load {

void connect_rate(const options& o) {
  crowd window(o);
  window.members().reserve(o.connections);
  for (std::size_t i = 0; i < o.connections; ++i) window.open();
  stopwatch watch(o);
  double count = 0;
  while (watch.tick(now_ns())) {
    window.turn([&](conversation& c) {
      c.close_with_reset();
      window.reopen(c);
      count += watch.running();
    });
  }
  if (count == 0) fail("no connection in the measured time");
  std::printf("{\"count\": %.0f, \"cpu_ns\": %.1f, \"per_second\": %.1f}\n", count, watch.cpu_ns() / count,
              count / watch.seconds());
}

}  // namespace load
