// Mode idle: memory of the server for each connection that waits, having done one echo.
#include <unistd.h>

#include "crowd.hpp"
#include "server.hpp"

namespace load {

void idle_memory(const options& o) {
  server watched(o.server);
  crowd all(o);
  all.grow(1);  // What is touched once, for all connections, is not counted.
  std::uint64_t before = watched.resident_bytes();
  all.grow(o.connections);
  usleep(100'000);  // The server may still be tidying up after the last echo.
  std::uint64_t after = watched.resident_bytes();
  if (before == 0 || after == 0) fail("the server's memory cannot be read");
  double growth = after > before ? static_cast<double>(after - before) : 0;
  std::printf("{\"count\": %zu, \"bytes\": %.1f}\n", o.connections,
              growth / static_cast<double>(o.connections));
}

}  // namespace load
