// The ceiling of a relay, by hand: a thread each way, which moves pages through a pipe, or copies 256 KiB at
// a time. splice(2), tcp(7)
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "listen.h"

enum { pipe_size = 1024 * 1024, buffer_size = 256 * 1024 };

struct way {
  int from, to;
};

static bool splices;

static void move_pages(struct way w) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) die("pipe", errno);
  fcntl(ends[1], F_SETPIPE_SZ, pipe_size);
  for (;;) {
    ssize_t n = splice(w.from, NULL, ends[1], NULL, pipe_size, SPLICE_F_MOVE);
    if (n <= 0) break;
    while (n > 0) {
      ssize_t moved = splice(ends[0], NULL, w.to, NULL, (size_t)n, SPLICE_F_MOVE);
      if (moved <= 0) break;
      n -= moved;
    }
    if (n > 0) break;
  }
  close(ends[0]);
  close(ends[1]);
}

static void copy_bytes(struct way w) {
  char* buffer = malloc(buffer_size);
  if (!buffer) die("malloc", ENOMEM);
  for (;;) {
    ssize_t n = recv(w.from, buffer, buffer_size, 0);
    if (n <= 0 || send(w.to, buffer, (size_t)n, MSG_NOSIGNAL) != n) break;
  }
  free(buffer);
}

static void* run(void* context) {
  struct way* w = context;
  if (splices)
    move_pages(*w);
  else
    copy_bytes(*w);
  shutdown(w->to, SHUT_WR);
  return NULL;
}

static int connect_to(uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || connect(fd, (struct sockaddr*)&name, sizeof name) < 0) die("connect", errno);
  return fd;
}

int main(int argc, char** argv) {
  if (argc < 4) die("usage: raw_relay PORT TARGET splice|copy", EINVAL);
  signal(SIGPIPE, SIG_IGN);  // splice(2) knows no MSG_NOSIGNAL.
  splices = strcmp(argv[3], "splice") == 0;
  int listener = listen_on(argv[1]);
  fcntl(listener, F_SETFL, 0);  // Threads may wait.
  for (;;) {
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0) continue;
    int server = connect_to((uint16_t)atoi(argv[2]));
    struct way there = {client, server}, back = {server, client};
    pthread_t other;
    if (pthread_create(&other, NULL, run, &back) != 0) die("pthread_create", EAGAIN);
    run(&there);
    pthread_join(other, NULL);
    close(client);
    close(server);
  }
}
