// Mode check: clients that do not read, that finish early, that vanish. A server worth measuring survives
// them.
#include <poll.h>

#include <vector>

#include "crowd.hpp"
#include "sockets.hpp"

namespace load {

namespace {

// What four socket buffers may hold, twice over. A server that swallows more has no bound.
constexpr std::size_t flood_max = 64 << 20;

// Its value at any place of an endless stream.
char expected(std::size_t at) { return static_cast<char>(at * 31 + (at >> 8) * 7 + (at >> 16)); }

struct client {
  int fd = -1;
  std::size_t sent = 0;
};

void send_piece(client& c) {
  char piece[32 * 1024];
  for (std::size_t i = 0; i < sizeof piece; ++i) piece[i] = expected(c.sent + i);
  ssize_t n = send(c.fd, piece, sizeof piece, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n < 0 && errno != EAGAIN) fail_errno("send");
  if (n > 0) c.sent += static_cast<std::size_t>(n);
  if (c.sent > flood_max) fail("no back-pressure: 64 MiB taken from a client that does not read");
}

// Clients that write and do not read, until the server has taken nothing from any of them for 300 ms.
std::vector<client> flood(const place& at, std::size_t count) {
  std::vector<client> clients(count);
  std::vector<pollfd> writable(count);
  for (std::size_t i = 0; i < count; ++i) {
    clients[i].fd = open_client(at, true);
    writable[i] = {.fd = clients[i].fd, .events = POLLOUT, .revents = 0};
  }
  while (poll(writable.data(), count, 300) > 0)
    for (std::size_t i = 0; i < count; ++i)
      if (writable[i].revents) send_piece(clients[i]);
  return clients;
}

// Everything must come back in order, and then the end of the stream.
void drain(const client& c) {
  std::vector<char> buffer(100'000);
  std::size_t got = 0;
  for (;;) {
    ssize_t n = recv(c.fd, buffer.data(), buffer.size(), 0);
    if (n < 0) fail_errno("recv");
    if (n == 0) break;
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
      if (buffer[i] != expected(got + i)) fail("wrong bytes after a slow reader");
    got += static_cast<std::size_t>(n);
  }
  if (got != c.sent) fail("bytes lost after a half-close");
}

}  // namespace

void check_manners(const options& o) {
  crowd others(o);
  others.grow(8);
  std::vector<client> slow = flood(o.at, 20);
  others.grow(8);  // Served while twenty do not read.
  for (const client& rude : flood(o.at, 2)) reset(rude.fd);
  for (const client& c : slow) {
    shutdown(c.fd, SHUT_WR);
    drain(c);
    close(c.fd);
  }
  others.grow(o.connections);  // And after resets in the middle.
  std::printf("{\"flooded\": %zu}\n", slow[0].sent);
}

}  // namespace load
