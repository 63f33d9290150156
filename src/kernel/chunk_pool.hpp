// Buffers for leased receives, for drivers that receive by a call: large chunks shared by many leases.
#pragma once

#include <cstdint>
#include <memory>
#include <soquete/lease.hpp>
#include <vector>

#include "kernel/page_memory.hpp"

namespace soquete::kernel {

/// Hands out room, and turns what was filled of it into a lease.
///
/// A chunk is filled from the front, lease after lease, and starts again once all its leases are home. So a
/// lease of few bytes costs few bytes, and a busy loop keeps to one warm chunk. When slow readers hold all
/// chunks, room comes from the heap in small pieces: nobody starves, and each lease costs a bounded amount.
class chunk_pool : public lease_home {
 public:
  static constexpr std::uint32_t chunk_size = 256 * 1024;
  static constexpr std::uint32_t room_min = 16 * 1024;  ///< With less left, a chunk is full.
  static constexpr std::uint32_t spare_size = 4 * 1024;
  static constexpr std::size_t chunks_max = 64;
  static constexpr std::size_t idle_max = 4;  ///< Idle chunks beyond these go back to the heap.

  chunk_pool() noexcept;
  chunk_pool(const chunk_pool&) = delete;
  chunk_pool& operator=(const chunk_pool&) = delete;

  struct room {
    std::byte* data;
    std::uint32_t size;
    std::uint32_t id;
  };
  /// Room for one receive; followed by lend() or give_back() before the next.
  room take();
  /// The first `used` bytes of it are now leased.
  void lend(const room& r, std::uint32_t used) noexcept;
  void give_back(const room& r) noexcept;

  std::size_t leases() const noexcept { return leases_; }
  std::size_t memory() const noexcept { return memory_; }

 private:
  static constexpr std::uint32_t spare = ~std::uint32_t{0};
  struct chunk {
    page_memory memory;
    std::uint32_t used = 0;
    std::uint32_t leases = 0;
  };
  void come_home(const std::byte* data, std::uint32_t id) noexcept;
  void retire(std::uint32_t id) noexcept;

  std::vector<chunk> chunks_;
  std::vector<std::uint32_t> idle_;  ///< With memory, last used last.
  std::vector<std::uint32_t> bare_;  ///< Without memory.
  std::uint32_t current_ = spare;
  std::size_t leases_ = 0;
  std::size_t memory_ = 0;
};

}  // namespace soquete::kernel
