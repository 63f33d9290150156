// What the two hand-written servers of datagrams share: arguments and a bound socket.  socket(7), udp(7)
#ifndef BENCH_BIND_H
#define BENCH_BIND_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "datagrams.h"
#include "die.h"

enum role { role_echo, role_batch, role_sink, role_gro, role_gso };

static inline enum role read_role(int argc, char** argv) {
  static const char* const names[] = {"echo", "batch", "sink", "gro", "gso"};
  for (int i = 0; argc > 2 && i < 5; ++i)
    if (strcmp(argv[2], names[i]) == 0) return (enum role)i;
  fprintf(stderr, "usage: %s PORT echo|batch|sink|gro|gso\n", argv[0]);
  exit(2);
}

static inline int bind_to(uint16_t port, enum role role) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) die("socket", errno);
  int size = receive_buffer, one = 1;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  if (role == role_gro && setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof one) < 0) die("UDP_GRO", errno);
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, (struct sockaddr*)&name, sizeof name) < 0) die("bind", errno);
  return fd;
}

// The size of the datagrams of a run; 0: it is only one.
static inline size_t segment_of(struct msghdr* received) {
  for (struct cmsghdr* c = CMSG_FIRSTHDR(received); c; c = CMSG_NXTHDR(received, c)) {
    int segment;
    if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO) continue;
    memcpy(&segment, CMSG_DATA(c), sizeof segment);
    return (size_t)segment;
  }
  return 0;
}

// What tells the kernel to cut up a run.
struct segment_size {
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(uint16_t))];
};

static inline void cut_into(struct msghdr* sent, struct segment_size* words, uint16_t size) {
  sent->msg_control = words->control;
  sent->msg_controllen = sizeof words->control;
  struct cmsghdr* c = CMSG_FIRSTHDR(sent);
  c->cmsg_level = IPPROTO_UDP;
  c->cmsg_type = UDP_SEGMENT;
  c->cmsg_len = CMSG_LEN(sizeof size);
  memcpy(CMSG_DATA(c), &size, sizeof size);
}

#endif
