// A driver without a loop: what the contract tests need to look at it closely.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <soquete/driver.hpp>
#include <string>
#include <vector>

namespace soquete::test {

/// The drivers under contract; io_uring also as on a kernel without incremental buffers.
inline constexpr const char* contract_drivers[] = {"io_uring", "io_uring_whole_buffers", "epoll", "poll"};

class driver_contract : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Two connected stream sockets: ours, and the peer's descriptor, which the test reads and writes itself.
  struct pair {
    socket_block* ours;
    int peer;
  };
  /// Local sockets: quick, and without a network's timing.
  pair local_pair();
  /// Over the loopback.
  pair tcp_pair();
  socket_block& listen_on(endpoint& where);

  /// Starts it; true if it was done at once.
  bool start(op& o, opcode code, const void* data = nullptr, std::size_t size = 0);
  void cancel(op& o);
  void close(socket_block& b);
  /// One turn of the driver and one round of the queue.
  void turn(clock::duration wait = std::chrono::milliseconds(20));
  /// Turns until it has completed.
  void finish(op& o);
  /// What arrives at a slow peer, `size` bytes of it, while a send goes on to its end.
  std::string read_while_sending(op& sending, int peer, std::size_t size);
  /// Turns in which nothing more should happen.
  void settle();

  /// How often each operation has been woken.
  static std::map<const op*, int> woken;

  struct open_queue : run_queue {
    using run_queue::set_now;
  } queue;
  owned<driver> net;
  std::vector<int> peers;

 private:
  static void count_wake(waiter* w) noexcept;
  std::size_t descriptors_before_ = 0;
};

/// All `text` written to a descriptor that takes it; fails the test otherwise.
void write_all(int descriptor, std::string_view text);
/// What can be read now, at most `max` bytes.
std::string read_some(int descriptor, std::size_t max);

}  // namespace soquete::test
