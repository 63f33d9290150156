// Completions over readiness: tried when the descriptor is known to be ready, parked otherwise.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "kernel/kernel_driver.hpp"
#include "kernel/poller.hpp"

namespace soquete::kernel {

/// One operation's life:
///
///     start() --known ready--> tried --got something--> done
///        |                       |
///        +--not known----> parked <--would block
///                             |
///                     event: tried again, from the run queue just before the coroutine resumes, so that a
///                     few warm bytes of buffer serve all sockets of a turn
class readiness_driver final : public kernel_driver {
 public:
  readiness_driver(run_queue& queue, std::unique_ptr<poller> events);
  ~readiness_driver() override;

  std::string_view name() const noexcept override { return poller_->name(); }
  driver_counts counts() const noexcept override;
  void close(socket_block&) noexcept override;
  owned_descriptor release(socket_block&) override;
  bool start(op&) noexcept override;
  void cancel(op&) noexcept override;
  void turn(time_point until) noexcept override;
  void wake() noexcept override { poller_->wake(); }
  void drain() noexcept override {}

 private:
  struct block;

  socket_block& make_block() override;
  bool start_reading(block&, op&) noexcept;
  bool start_writing(block&, op&) noexcept;
  bool try_it(block&) noexcept;
  bool try_writing(block&) noexcept;
  bool send(block&, op&) noexcept;
  bool watch(block&, op&) noexcept;
  int add(block&) noexcept;
  void set_interest(block&) noexcept;
  void poked(block&) noexcept;
  void forget(block&) noexcept;
  void free(block&) noexcept;

  std::unique_ptr<poller> poller_;
  std::vector<block*> table_;
  std::vector<std::uint32_t> generations_;
  std::vector<std::uint32_t> free_places_;
  std::size_t open_ = 0;
  std::uint64_t calls_ = 0;
};

}  // namespace soquete::kernel
