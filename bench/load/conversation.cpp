// A conversation's sends and receives.  epoll(7)
#include "conversation.hpp"

#include <sys/epoll.h>

#include <algorithm>

#include "sockets.hpp"

namespace load {

void conversation::open(int poller, const place& at, std::uint32_t id, const payload& words,
                        std::size_t size) {
  *this = {};
  poller_ = poller;
  id_ = id;
  words_ = &words;
  size_ = size;
  fd_ = open_client(at, false);
  if (fd_ < 0) fail("connection refused");
  message_ = words.message(id, 0);
  watched_ = EPOLLIN | EPOLLOUT;
  epoll_event e{.events = watched_, .data = {.u32 = id}};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd_, &e) < 0) fail_errno("epoll_ctl");
}

void conversation::speak() {
  message_ = words_->message(id_, ++sequence_);
  sent_ = received_ = 0;
  send_rest();
}

bool conversation::on_event(std::uint32_t events) {
  static char buffer[256 * 1024];
  if (events & EPOLLOUT) send_rest();
  if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return false;
  ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
  if (n < 0 && errno == EAGAIN) return false;
  if (n < 0) fail_errno("recv");
  if (n == 0) fail("the server closed a connection");
  std::size_t got = static_cast<std::size_t>(n);
  if (got > sent_ - received_) fail("more came back than was sent");
  if (std::memcmp(buffer, message_ + received_, got) != 0) fail("wrong bytes came back");
  received_ += got;
  return received_ == size_;
}

void conversation::close_with_reset() {
  reset(fd_);
  fd_ = -1;
}

void conversation::send_rest() {
  while (sent_ < size_) {
    ssize_t n = send(fd_, message_ + sent_, size_ - sent_, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return watch(EPOLLIN | EPOLLOUT);
    if (n < 0) fail_errno("send");
    sent_ += static_cast<std::size_t>(n);
  }
  watch(EPOLLIN);
}

void conversation::watch(std::uint32_t events) {
  if (events == watched_) return;
  watched_ = events;
  epoll_event e{.events = events, .data = {.u32 = id_}};
  if (epoll_ctl(poller_, EPOLL_CTL_MOD, fd_, &e) < 0) fail_errno("epoll_ctl");
}

}  // namespace load
