// Client sockets to a port of this machine.  tcp(7)
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fail.hpp"

namespace load {

// A blocking one waits for the answer; the other's is known once it is writable. -1 if refused.
inline int open_client(std::uint16_t port, bool blocking) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK), 0);
  if (fd < 0) fail_errno("socket");
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0 || errno == EINPROGRESS) return fd;
  if (errno != ECONNREFUSED) fail_errno("connect");
  close(fd);
  return -1;
}

// Ends with a reset, so that no port waits in TIME_WAIT.
inline void reset(int fd) {
  linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fd);
}

// A server needs a moment to start; five seconds are too long.
inline void wait_for_server(std::uint16_t port) {
  for (int i = 0; i < 2500; ++i) {
    int fd = open_client(port, true);
    if (fd >= 0) {
      reset(fd);
      return;
    }
    usleep(2000);  // Peers have no way to say that they listen; five seconds in all.
  }
  fail("no server");
}

}  // namespace load
