// The ring of buffers that the kernel fills for leased receives.  io_uring_register(2)
#pragma once

#include <liburing.h>
#include <cstdint>
#include <memory>
#include <soquete/error.hpp>
#include <soquete/lease.hpp>
#include <vector>

#include "kernel/page_memory.hpp"

namespace soquete::kernel {

/// Large buffers, consumed incrementally where the kernel can: one choice that is good at every message
/// size. A buffer goes back to the kernel when it has filled it and all leases of it are home.
///
/// Few buffers, which stay in the cache, serve a busy loop. The driver makes it grow, up to a bound, only
/// when all are held and nothing else is going on that could bring one home. Beyond that, receives are done
/// by calls, into what a chunk_pool has.
class uring_buffers : public lease_home {
 public:
  static constexpr std::uint16_t group = 0;
  static constexpr unsigned entries = 256;  ///< Of the ring.

  uring_buffers() noexcept;
  uring_buffers(const uring_buffers&) = delete;
  uring_buffers& operator=(const uring_buffers&) = delete;

  /// Undoes open(), before the ring goes.
  void close() noexcept;
  /// Registers the ring; buffers come with the first grow(). Returns 0 or -errno.
  int open(io_uring& ring, bool may_increment) noexcept;
  bool is_open() const noexcept { return buffers_ring_ != nullptr; }

  struct piece {
    const std::byte* data;
    std::uint32_t size;
    std::uint32_t id;
  };
  /// The piece that a completion brought, now leased; its data is null for a completion without bytes.
  piece take(const io_uring_cqe& completion) noexcept;

  /// Buffers that the kernel can still put something into.
  unsigned room() const noexcept { return with_kernel_; }
  /// Gives the kernel new buffers; false at the bound.
  bool grow() noexcept;
  /// Tells the kernel of the buffers that have come home.
  void publish() noexcept;

  /// One lease fewer.
  void come_home(std::uint32_t id) noexcept;

  std::size_t leases() const noexcept { return leases_; }
  std::size_t memory() const noexcept { return memory_; }
  bool is_incremental() const noexcept { return incremental_; }

 private:
  struct buffer {
    page_memory memory;
    std::uint32_t used = 0;
    std::uint32_t holders = 0;  ///< Leases, and one for the kernel.
  };
  void offer(std::uint16_t id) noexcept;
  void let_go(std::uint16_t id) noexcept;

  io_uring* ring_ = nullptr;
  io_uring_buf_ring* buffers_ring_ = nullptr;
  bool incremental_ = false;
  std::uint32_t buffer_size_ = 0;
  std::size_t buffers_max_ = 0;
  std::size_t grow_by_ = 0;
  std::vector<buffer> buffers_;
  unsigned with_kernel_ = 0;
  int unpublished_ = 0;
  std::size_t leases_ = 0;
  std::size_t memory_ = 0;
};

}  // namespace soquete::kernel
