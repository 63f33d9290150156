// One connection that has one message in flight and compares every byte of the answer.
#pragma once

#include <cstdint>

#include "payload.hpp"
#include "place.hpp"

namespace load {

class conversation {
 public:
  // Connects and says the first message as soon as it can.
  void open(int poller, const place& at, std::uint32_t id, const payload& words, std::size_t size);
  // Says the next message. The answer to the last one has come.
  void speak();
  // Handles what epoll found. True once the answer is complete.
  bool on_event(std::uint32_t events);
  void close_with_reset();

  std::uint64_t asked_at = 0;  // ns; kept by whoever wants to know the latency.

 private:
  void send_rest();
  void watch(std::uint32_t events);

  const payload* words_ = nullptr;
  const char* message_ = nullptr;
  std::size_t size_ = 0, sent_ = 0, received_ = 0;
  std::uint32_t id_ = 0, sequence_ = 0, watched_ = 0;
  int poller_ = -1, fd_ = -1;
};

}  // namespace load
