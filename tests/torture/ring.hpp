// An io_uring without the kernel, for the functions of liburing that the driver calls. Requests are carried
// out by ordinary calls on real sockets, and completed in any way that the kernel may; memory is written to
// by this process, so that AddressSanitizer sees a buffer that is gone.
#pragma once

#include <liburing.h>
#include <poll.h>
#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <vector>

#include "torture/calls.hpp"
#include "torture/mischief.hpp"

namespace soquete::test {

class fake_ring {
 public:
  using clock = std::chrono::steady_clock;
  using time_point = clock::time_point;

  /// Makes `seen` a ring of ours, with room for so many entries and completions.
  fake_ring(io_uring& seen, unsigned entries, unsigned completions);

  /// Submits what there is, and waits for as many completions. Gives the number of entries taken, or -errno.
  /// io_uring_enter(2)
  int enter(unsigned wanted, time_point until);
  unsigned peek(io_uring_cqe** all, unsigned count);
  void register_buffers(const io_uring_buf_reg& what);

 private:
  struct request {
    explicit request(const io_uring_sqe& e) : entry(std::make_unique<io_uring_sqe>(e)) {}

    std::size_t moved = 0;                // Of a send.
    bool is_ending = false;               // A cancel came too late for it: it ends by itself, soon.
    bool was_ready = false;               // A poll of many has told of what is there,
    unsigned edge = 0;                    // since this many edges.
    std::unique_ptr<io_uring_sqe> entry;  // It ends in an array of no size: no member to be.

    bool has_told() const { return was_ready && edge == edges_of(entry->fd); }
    bool is_multishot() const {
      if (entry->opcode == IORING_OP_RECV) return (entry->ioprio & IORING_RECV_MULTISHOT) != 0;
      if (entry->opcode == IORING_OP_ACCEPT) return (entry->ioprio & IORING_ACCEPT_MULTISHOT) != 0;
      return entry->opcode == IORING_OP_POLL_ADD && (entry->len & IORING_POLL_ADD_MULTI) != 0;
    }
    short events() const {
      if (entry->opcode == IORING_OP_POLL_ADD) return static_cast<short>(entry->poll32_events);
      return entry->opcode == IORING_OP_SEND ? POLLOUT : POLLIN;
    }
  };
  struct completion {
    std::uint64_t whom;
    int outcome;
    std::uint32_t flags;
  };

  unsigned ready() const { return completion_tail_ - completion_head_; }
  unsigned submit(bool only_first);
  void begin(const io_uring_sqe& e);
  bool go_on(request& r, const harm* h);
  bool receive(request& r, const harm* h);
  bool receive_chosen(request& r, const harm* h);
  bool send(request& r, const harm* h);
  bool accept(request& r, const harm* h);
  bool poll(request& r, const harm* h);
  void cancel(const io_uring_sqe& e);
  void progress(bool backwards);
  void wait_for_one(time_point until);
  bool answer(const request& r, int outcome, std::uint32_t flags = 0);
  void post(std::uint64_t whom, int outcome, std::uint32_t flags);
  void put(const completion& told);
  void release_late();
  void flush_overflow();

  io_uring& seen_;
  unsigned submission_head_ = 0, submission_tail_ = 0, submission_flags_ = 0, dropped_ = 0;
  unsigned submission_mask_ = 0, submission_entries_ = 0;
  std::vector<unsigned> array_;
  std::vector<io_uring_sqe> entries_;
  unsigned completion_head_ = 0, completion_tail_ = 0, completion_flags_ = 0, overflow_ = 0;
  unsigned completion_mask_ = 0, completion_entries_ = 0;
  std::vector<io_uring_cqe> completions_;

  std::list<request> waiting_;
  std::deque<completion> overflowed_;
  std::deque<completion> late_;
  bool is_late_ = false;  // What is posted now is told with the next turn.

  io_uring_buf_ring* buffers_ = nullptr;
  unsigned buffer_entries_ = 0;
  bool is_incremental_ = false;
  std::uint16_t buffer_head_ = 0;
  std::size_t buffer_used_ = 0;
};

}  // namespace soquete::test
