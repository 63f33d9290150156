// The ceiling on epoll, by hand: level-triggered, one recv an event, one buffer for all.  epoll(7)
#include <sys/epoll.h>
#include <unistd.h>

#include "listen.h"

enum { buffer_size_max = 256 * 1024, echo_buffer = 64 * 1024, descriptors_max = 1 << 16, events_max = 512 };

// Exists only while the peer reads more slowly than it writes; the connection is not read meanwhile.
struct backlog {
  char* data;
  size_t length, sent;
};

static char buffer[buffer_size_max];
static struct backlog* backlogs[descriptors_max];
static uint64_t discarded[descriptors_max];
static int poller;

static void watch(int operation, int fd, uint32_t events) {
  struct epoll_event e = {.events = events, .data.fd = fd};
  if (epoll_ctl(poller, operation, fd, &e) < 0) die("epoll_ctl", errno);
}

static void drop(int fd) {
  if (backlogs[fd]) free(backlogs[fd]->data);
  free(backlogs[fd]);
  backlogs[fd] = NULL;
  close(fd);
}

static void accept_some(int listener) {
  for (int i = 0; i < 64; ++i) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (fd >= descriptors_max) {
      close(fd);
      continue;
    }
    discarded[fd] = 0;
    watch(EPOLL_CTL_ADD, fd, EPOLLIN);
  }
}

// Keeps what the socket did not take, and waits for room instead of input.
static void keep(int fd, const char* data, size_t length) {
  struct backlog* b = calloc(1, sizeof *b);
  if (!b || !(b->data = malloc(length))) die("malloc", ENOMEM);
  memcpy(b->data, data, length);
  b->length = length;
  backlogs[fd] = b;
  watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
}

static void write_more(int fd) {
  struct backlog* b = backlogs[fd];
  ssize_t n = send(fd, b->data + b->sent, b->length - b->sent, MSG_NOSIGNAL);
  if (n < 0) {
    if (errno != EAGAIN && errno != EINTR) drop(fd);
    return;
  }
  b->sent += (size_t)n;
  if (b->sent < b->length) return;
  free(b->data);
  free(b);
  backlogs[fd] = NULL;
  watch(EPOLL_CTL_MOD, fd, EPOLLIN);
}

static void read_once(int fd, bool sink) {
  ssize_t n = recv(fd, buffer, sink ? buffer_size_max : echo_buffer, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    if (n == 0 && sink) (void)!send(fd, &discarded[fd], sizeof discarded[fd], MSG_NOSIGNAL);
    drop(fd);
    return;
  }
  if (sink) {
    discarded[fd] += (uint64_t)n;
    return;
  }
  ssize_t sent = send(fd, buffer, (size_t)n, MSG_NOSIGNAL);
  if (sent == n) return;
  if (sent < 0 && errno != EAGAIN && errno != EINTR) {
    drop(fd);
    return;
  }
  if (sent < 0) sent = 0;
  keep(fd, buffer + sent, (size_t)(n - sent));
}

int main(int argc, char** argv) {
  struct role role = read_arguments(argc, argv);
  int listener = listen_on(role.port);
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (poller < 0) die("epoll_create1", errno);
  watch(EPOLL_CTL_ADD, listener, EPOLLIN);
  struct epoll_event events[events_max];
  for (;;) {
    int count = epoll_wait(poller, events, events_max, -1);
    if (count < 0 && errno != EINTR) die("epoll_wait", errno);
    for (int i = 0; i < count; ++i) {
      int fd = events[i].data.fd;
      if (fd == listener)
        accept_some(listener);
      else if (backlogs[fd])
        write_more(fd);
      else
        read_once(fd, role.sink);
    }
  }
}
