// A driver without a loop: what the contract tests need to look at it closely.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <soquete/driver.hpp>
#include <string>
#include <vector>

namespace soquete::test {

/// The drivers under contract; io_uring also as on a kernel without incremental buffers.
inline constexpr const char* contract_drivers[] = {"io_uring", "io_uring_whole_buffers", "epoll", "poll",
                                                   "simulated"};
/// Those that have descriptors of the system: clauses 25 to 30.
inline constexpr const char* kernel_drivers[] = {"io_uring", "io_uring_whole_buffers", "epoll", "poll"};

/// The other end of a stream, which the test reads and writes itself: no driver under test has a hand in it.
class far_end {
 public:
  virtual ~far_end() = default;
  /// All of it, or nothing.
  virtual bool try_write(std::string_view text) = 0;
  /// What can be read now, at most `max` bytes.
  virtual std::string read(std::size_t max) = 0;
  /// The errno with which the next read fails; 0 if it does not.
  virtual int failure_of_read() = 0;
  virtual void finish() = 0;
  /// Closes with a reset.
  virtual void reset() = 0;
};

/// Where far ends come from.
class far_side {
 public:
  virtual ~far_side() = default;
  /// One that is connecting to a listener of the driver under test.
  virtual std::unique_ptr<far_end> connect(const endpoint& to) = 0;
  /// Where the driver under test listens.
  virtual address door() const { return address::loopback_v4(); }
};

class driver_contract : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Two connected stream sockets.
  struct pair {
    socket_block* ours;
    far_end& peer;
  };
  /// Local sockets where there are some: quick, and without a network's timing.
  pair local_pair();
  /// Over the loopback, or from one simulated host to another.
  pair tcp_pair();
  far_end& connect_to(const endpoint& where);
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
  std::string read_while_sending(op& sending, far_end& peer, std::size_t size);
  /// What arrives at the peer until nothing more comes.
  std::string read_the_rest(far_end& peer);
  /// Turns in which nothing more should happen.
  void settle();

  /// How often each operation has been woken.
  static std::map<const op*, int> woken;

  struct open_queue : run_queue {
    using run_queue::set_now;
  } queue;
  owned<driver> net;
  std::vector<int> peers;  ///< Descriptors of the test's own, closed at its end.

 private:
  static void count_wake(waiter* w) noexcept;
  void open_simulated();
  std::unique_ptr<far_side> far_side_;
  std::vector<std::unique_ptr<far_end>> peers_;
  std::size_t descriptors_before_ = 0;
};

/// All `text` written; fails the test otherwise.
void write_all(far_end& to, std::string_view text);
void write_all(int descriptor, std::string_view text);
/// What can be read now, at most `max` bytes.
std::string read_some(far_end& from, std::size_t max);

}  // namespace soquete::test
