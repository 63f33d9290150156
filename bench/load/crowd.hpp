// Many conversations on one epoll instance.
#pragma once

#include <sys/epoll.h>

#include <vector>

#include "conversation.hpp"
#include "fail.hpp"
#include "options.hpp"

namespace load {

class crowd {
 public:
  explicit crowd(const options& o)
      : at_(o.at),
        words_(o.size),
        size_(o.size),
        wait_ms_(o.spins ? 0 : 5000),
        poller_(epoll_create1(EPOLL_CLOEXEC)) {
    if (poller_ < 0) fail_errno("epoll_create1");
  }

  // Adds connections, of which each has one message answered. A few at a time: no listener's backlog
  // overflows.
  void grow(std::size_t count) {
    while (count > 0) {
      std::size_t batch = count < 32 ? count : 32, answered = 0;
      for (std::size_t i = 0; i < batch; ++i) open();
      while (answered < batch) turn([&](conversation&) { ++answered; });
      count -= batch;
    }
  }

  // Opens one connection without waiting for its answer.
  void open() {
    members_.emplace_back();
    reopen(members_.back());
  }
  void reopen(conversation& c) {
    c.open(poller_, at_, static_cast<std::uint32_t>(index_of(c)), words_, size_);
  }

  // Waits for events, or just looks when it spins, and calls `on_answer(conversation&)` for each message that
  // is back.
  template <class OnAnswer>
  void turn(OnAnswer on_answer) {
    epoll_event events[512];
    int count = epoll_wait(poller_, events, 512, wait_ms_);
    if (count < 0) fail_errno("epoll_wait");
    if (count == 0 && wait_ms_ > 0) fail("nothing came back for 5 s");
    for (int i = 0; i < count; ++i) {
      conversation& c = members_[events[i].data.u32];
      if (c.on_event(events[i].events)) on_answer(c);
    }
  }

  std::vector<conversation>& members() { return members_; }
  std::size_t index_of(const conversation& c) const { return static_cast<std::size_t>(&c - members_.data()); }

 private:
  place at_;
  payload words_;
  std::size_t size_;
  int wait_ms_, poller_;
  std::vector<conversation> members_;
};

}  // namespace load
