// What the two hand-written servers share: arguments and a listening socket.  socket(7), tcp(7), unix(7)
#ifndef BENCH_LISTEN_H
#define BENCH_LISTEN_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "die.h"

// "echo" sends everything back. "sink" discards, and answers the end of the stream with its length: 8 bytes.
struct role {
  const char* where;  // "8080" or "/run/x"
  bool sink;
  bool spins;  // Asks again and again instead of sleeping: SPIN in the environment.
};

static inline struct role read_arguments(int argc, char** argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: %s PORT|PATH [sink]\n", argv[0]);
    exit(2);
  }
  return (struct role){
      .where = argv[1], .sink = argc > 2 && strcmp(argv[2], "sink") == 0, .spins = getenv("SPIN") != NULL};
}

static inline int listen_on_port(uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) die("socket", errno);
  int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  // Accepted sockets inherit it: one system call fewer for each, and a direct descriptor has no other way.
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, (struct sockaddr*)&name, sizeof name) < 0) die("bind", errno);
  return fd;
}

static inline int listen_on_path(const char* path) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) die("socket", errno);
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
  if (bind(fd, (struct sockaddr*)&name, sizeof name) < 0) die("bind", errno);
  return fd;
}

static inline int listen_on(const char* where) {
  int fd = where[0] == '/' ? listen_on_path(where) : listen_on_port((uint16_t)atoi(where));
  if (listen(fd, 4096) < 0) die("listen", errno);
  return fd;
}

#endif
