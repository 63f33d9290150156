// Mode bulk: CPU of a receiving server for each KiB of one stream that never waits.
#include <vector>

#include "clock.hpp"
#include "sockets.hpp"

namespace load {

void bulk(const options& o) {
  int fd = open_client(o.at, true);
  if (fd < 0) fail("connection refused");
  std::vector<char> piece(o.size, 'x');
  stopwatch watch(o);
  std::uint64_t total = 0, measured = 0;
  while (watch.tick(now_ns())) {
    ssize_t n = send(fd, piece.data(), piece.size(), MSG_NOSIGNAL);
    if (n <= 0) fail_errno("send");
    total += static_cast<std::uint64_t>(n);
    if (watch.running()) measured += static_cast<std::uint64_t>(n);
  }
  // The sink answers the end of the stream with the number of bytes that it has seen.
  shutdown(fd, SHUT_WR);
  std::uint64_t seen = 0;
  if (recv(fd, &seen, sizeof seen, MSG_WAITALL) != sizeof seen) fail("no answer to the end of the stream");
  if (seen != total) fail("the server saw another number of bytes than were sent");
  double kibibytes = static_cast<double>(measured) / 1024;
  std::printf("{\"count\": %.0f, \"cpu_ns\": %.2f, \"per_second\": %.1f}\n", kibibytes,
              watch.cpu_ns() / kibibytes, kibibytes / watch.seconds());
}

}  // namespace load
