// Connections served by recv and send, whoever tells when: one recv at a time, one buffer for all.
#ifndef BENCH_CALLS_H
#define BENCH_CALLS_H

#include <unistd.h>

#include "listen.h"

enum { buffer_size_max = 256 * 1024, echo_buffer = 64 * 1024, descriptors_max = 1 << 16 };

// Exists only while the peer reads more slowly than it writes; the connection is not read meanwhile.
struct backlog {
  char* data;
  size_t length, sent;
};

static char buffer[buffer_size_max];
static struct backlog* backlogs[descriptors_max];
static uint64_t discarded[descriptors_max];
static struct role role;

// What each of the two pollers brings: to be told of input from now on; of room instead; of input again; of
// nothing.
static void watch_new(int fd);
static void watch_room(int fd);
static void watch_input(int fd);
static void forget(int fd);

static void drop(int fd) {
  forget(fd);
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
    watch_new(fd);
  }
}

// Keeps what the socket did not take, and waits for room instead of input.
static void keep(int fd, const char* data, size_t length) {
  struct backlog* b = calloc(1, sizeof *b);
  if (!b || !(b->data = malloc(length))) die("malloc", ENOMEM);
  memcpy(b->data, data, length);
  b->length = length;
  backlogs[fd] = b;
  watch_room(fd);
}

// True: all of it is written, and it may be read again.
static bool write_more(int fd) {
  struct backlog* b = backlogs[fd];
  ssize_t n = send(fd, b->data + b->sent, b->length - b->sent, MSG_NOSIGNAL);
  if (n < 0) {
    if (errno != EAGAIN && errno != EINTR) drop(fd);
    return false;
  }
  b->sent += (size_t)n;
  if (b->sent < b->length) return false;
  free(b->data);
  free(b);
  backlogs[fd] = NULL;
  watch_input(fd);
  return true;
}

// True: the buffer was filled, so there may be more.
static bool read_once(int fd) {
  size_t room = role.sink ? buffer_size_max : echo_buffer;
  ssize_t n = recv(fd, buffer, room, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (n <= 0) {
    if (n == 0 && role.sink) (void)!send(fd, &discarded[fd], sizeof discarded[fd], MSG_NOSIGNAL);
    drop(fd);
    return false;
  }
  bool is_full = (size_t)n == room;
  if (role.sink) {
    discarded[fd] += (uint64_t)n;
    return is_full;
  }
  ssize_t sent = send(fd, buffer, (size_t)n, MSG_NOSIGNAL);
  if (sent == n) return is_full;
  if (sent < 0 && errno != EAGAIN && errno != EINTR) {
    drop(fd);
    return false;
  }
  if (sent < 0) sent = 0;
  keep(fd, buffer + sent, (size_t)(n - sent));
  return false;
}

#endif
