// The io_uring driver: one io_uring_enter(2) a turn.  io_uring(7)
#pragma once

#include <liburing.h>
#include <cstdint>
#include <vector>

#include "kernel/kernel_driver.hpp"
#include "kernel/uring_buffers.hpp"
#include "kernel/wake_event.hpp"

namespace soquete::kernel {

/// Leased receives and accepts are multishot: armed once, the kernel delivers until told to pause. Sends are
/// plain entries, or a call at once when nothing else is going on. What has no good form in the ring (pipes,
/// vectored sends, the time when all buffers are out) waits for readiness in the ring and is then done by a
/// call.
class uring_driver final : public kernel_driver {
 public:
  /// For tests: how a kernel older than this one behaves.
  enum class buffers : std::uint8_t { best, whole };

  explicit uring_driver(run_queue& queue) noexcept : kernel_driver(queue) {}
  ~uring_driver() override;

  /// Sets up the ring and tries it: a kernel without all that is needed is found out here, by doing.
  result<void> set_up(buffers which = buffers::best);

  std::string_view name() const noexcept override { return "io_uring"; }
  driver_counts counts() const noexcept override;
  void close(socket_block&) noexcept override;
  owned_descriptor release(socket_block&) override;
  bool start(op&) noexcept override;
  void cancel(op&) noexcept override;
  void turn(time_point until) noexcept override;
  void wake() noexcept override { wake_.signal(); }
  void drain() noexcept override;

 private:
  struct block;
  enum tag : std::uint8_t { ignored, multishot, entry, readiness, watching, waking, tag_mask = 7 };

  socket_block& make_block() override;
  result<void> try_it();

  // Operations at their start. True: done, `outcome` is set.
  bool start_reading(block&, op&) noexcept;
  bool start_reading_messages(block&, op&) noexcept;
  void await_more(block&, op&) noexcept;
  bool start_sending(block&, op&) noexcept;
  bool try_by_call(block&, op&) noexcept;
  bool send_messages(block&, op&) noexcept;
  bool try_it(block&) noexcept;
  void poked(block&) noexcept;
  void watch(block&) noexcept;

  // What multishot entries have brought, and how they are armed and paused.
  static bool is_waited_for(const block&) noexcept;
  bool deliver(block&, op&) noexcept;
  void give(block&, op&, uring_buffers::piece&) noexcept;
  socket_block& connection_of(const block& listener, int descriptor) noexcept;
  void arm(block&) noexcept;
  void pause(block&) noexcept;
  void feed_starved() noexcept;
  void relieve_starved() noexcept;
  void drop_waiting(block&) noexcept;

  // Entries of the submission queue.
  io_uring_sqe& entry_for(const void* whom, tag kind) noexcept;
  void submit_receive(block&, op&) noexcept;
  void submit_send(block&, op&) noexcept;
  void submit_poll(block&, op&) noexcept;
  void submit_cancel(const void* whom, tag kind) noexcept;
  void watch_wake_ups() noexcept;

  // Completions.
  void enter_now() noexcept;
  void enter_and_wait() noexcept;
  void reap() noexcept;
  void on_completion(const io_uring_cqe&) noexcept;
  void on_multishot(block&, const io_uring_cqe&) noexcept;
  void on_news(block&, const io_uring_cqe&) noexcept;
  void on_entry(op&, const io_uring_cqe&) noexcept;
  void on_ready(op&, std::int32_t outcome) noexcept;
  void kernel_let_go(block&) noexcept;
  void forget(block&) noexcept;
  void free(block&) noexcept;

  io_uring ring_{};
  bool is_set_up_ = false;
  uring_buffers buffers_;
  wake_event wake_;
  bool is_woken_ = false;  ///< Found while entering for something else: the next turn does not wait.
  std::size_t open_ = 0;
  std::size_t closing_ = 0;  ///< Of those open: closed by their owners, still known to the kernel.
  std::uint64_t calls_ = 0;
  unsigned last_reaped_ = 0;
  std::vector<block*> starved_;  ///< Readers that found all buffers taken, the longest waiting first.
};

}  // namespace soquete::kernel
