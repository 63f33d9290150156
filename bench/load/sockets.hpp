// Client sockets to a server on this machine.  tcp(7), unix(7)
#pragma once

#include <netinet/tcp.h>
#include <unistd.h>

#include "place.hpp"

namespace load {

// A blocking one waits for the answer; the other's is known once it is writable. -1 if refused, or if nobody
// has made the path yet.
inline int open_client(const place& to, bool blocking) {
  int fd = socket(to.name()->sa_family, SOCK_STREAM | SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK), 0);
  if (fd < 0) fail_errno("socket");
  int one = 1;
  if (!to.is_local()) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(fd, to.name(), to.size()) == 0 || errno == EINPROGRESS) return fd;
  if (errno != ECONNREFUSED && errno != ENOENT) fail_errno("connect");
  close(fd);
  return -1;
}

// Ends with a reset, so that no port waits in TIME_WAIT. A local stream just closes.
inline void reset(int fd) {
  linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fd);
}

// A server needs a moment to start; five seconds are too long.
inline int connect_patiently(const place& to) {
  for (int i = 0; i < 2500; ++i) {
    int fd = open_client(to, true);
    if (fd >= 0) return fd;
    usleep(2000);  // Peers have no way to say that they listen; five seconds in all.
  }
  fail("no server");
}

inline void wait_for_server(const place& at) { reset(connect_patiently(at)); }

}  // namespace load
