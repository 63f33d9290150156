// Buffers for leased receives.
#include "kernel/chunk_pool.hpp"

#include <cassert>

namespace soquete::kernel {

chunk_pool::chunk_pool() noexcept {
  recycle = [](lease_home* home, const std::byte* data, std::uint32_t id) noexcept {
    static_cast<chunk_pool*>(home)->come_home(data, id);
  };
  idle_.reserve(chunks_max);
  bare_.reserve(chunks_max);
}

chunk_pool::room chunk_pool::take() {
  if (current_ == spare) {
    if (!idle_.empty()) {
      current_ = idle_.back();
      idle_.pop_back();
    } else if (!bare_.empty() || chunks_.size() < chunks_max) {
      if (bare_.empty()) {
        bare_.push_back(static_cast<std::uint32_t>(chunks_.size()));
        chunks_.emplace_back();
      }
      current_ = bare_.back();
      bare_.pop_back();
      chunks_[current_].memory = allocate_pages(chunk_size);
      memory_ += chunk_size;
    } else {
      return {new std::byte[spare_size], spare_size, spare};
    }
  }
  chunk& c = chunks_[current_];
  return {c.memory.get() + c.used, chunk_size - c.used, current_};
}

void chunk_pool::lend(const room& r, std::uint32_t used) noexcept {
  ++leases_;
  if (r.id == spare) {
    memory_ += spare_size;
    return;
  }
  chunk& c = chunks_[r.id];
  // The next piece begins at a cache line, for the same reason for which chunks are whole pages.
  constexpr std::uint32_t line = 64;
  c.used += (used + line - 1) / line * line;
  ++c.leases;
  if (chunk_size - c.used < room_min) current_ = spare;
}

void chunk_pool::give_back(const room& r) noexcept {
  if (r.id == spare) delete[] r.data;
}

void chunk_pool::come_home(const std::byte* data, std::uint32_t id) noexcept {
  assert(leases_ != 0);
  --leases_;
  if (id == spare) {
    memory_ -= spare_size;
    delete[] data;
    return;
  }
  chunk& c = chunks_[id];
  if (--c.leases != 0) return;
  c.used = 0;
  if (id != current_) retire(id);
}

void chunk_pool::retire(std::uint32_t id) noexcept {
  if (idle_.size() < idle_max) return idle_.push_back(id);
  chunks_[id].memory.reset();
  memory_ -= chunk_size;
  bare_.push_back(id);
}

}  // namespace soquete::kernel
