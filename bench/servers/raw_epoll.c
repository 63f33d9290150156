// The ceiling on epoll, by hand: level-triggered, one recv an event.  epoll(7)
#include <sys/epoll.h>

#include "calls.h"

enum { events_max = 512 };

static int poller;

static void watch(int operation, int fd, uint32_t events) {
  struct epoll_event e = {.events = events, .data.fd = fd};
  if (epoll_ctl(poller, operation, fd, &e) < 0) die("epoll_ctl", errno);
}

static void watch_new(int fd) { watch(EPOLL_CTL_ADD, fd, EPOLLIN); }
static void watch_room(int fd) { watch(EPOLL_CTL_MOD, fd, EPOLLOUT); }
static void watch_input(int fd) { watch(EPOLL_CTL_MOD, fd, EPOLLIN); }
static void forget(int fd) { (void)fd; }  // close(2) does.

int main(int argc, char** argv) {
  role = read_arguments(argc, argv);
  int listener = listen_on(role.where);
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (poller < 0) die("epoll_create1", errno);
  watch_new(listener);
  struct epoll_event events[events_max];
  for (;;) {
    int count = epoll_wait(poller, events, events_max, role.spins ? 0 : -1);
    if (count < 0 && errno != EINTR) die("epoll_wait", errno);
    for (int i = 0; i < count; ++i) {
      int fd = events[i].data.fd;
      if (fd == listener)
        accept_some(listener);
      else if (backlogs[fd])
        write_more(fd);
      else
        read_once(fd);
    }
  }
}
