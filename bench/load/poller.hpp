// Which of many sockets have something.  epoll(7)
#pragma once

#include <sys/epoll.h>

#include <cstdint>

#include "fail.hpp"

namespace load {

class poller {
 public:
  poller() : fd_(epoll_create1(EPOLL_CLOEXEC)) {
    if (fd_ < 0) fail_errno("epoll_create1");
  }
  poller(const poller&) = delete;

  void watch(int descriptor, std::uint32_t which) {
    epoll_event e{.events = EPOLLIN, .data = {.u32 = which}};
    if (epoll_ctl(fd_, EPOLL_CTL_ADD, descriptor, &e) < 0) fail_errno("epoll_ctl");
  }

  // Calls `on_event(which)` for each that can be read. False: none for so long.
  template <class OnEvent>
  bool wait(int milliseconds, OnEvent on_event) {
    epoll_event events[512];
    int count = epoll_wait(fd_, events, 512, milliseconds);
    if (count < 0) fail_errno("epoll_wait");
    for (int i = 0; i < count; ++i) on_event(events[i].data.u32);
    return count > 0;
  }

 private:
  int fd_;
};

}  // namespace load
