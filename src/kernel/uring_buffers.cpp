// The ring of buffers that the kernel fills for leased receives.
#include "kernel/uring_buffers.hpp"

#include <sys/mman.h>
#include <algorithm>
#include <cassert>
#include <cerrno>

#include "kernel/uring_abi.hpp"

namespace soquete::kernel {

namespace {
constexpr std::size_t ring_bytes = uring_buffers::entries * sizeof(io_uring_buf);
}  // namespace

uring_buffers::uring_buffers() noexcept {
  recycle = [](lease_home* home, const std::byte*, std::uint32_t id) noexcept {
    static_cast<uring_buffers*>(home)->come_home(id);
  };
}

void uring_buffers::close() noexcept {
  assert(leases_ == 0);
  if (buffers_ring_ == nullptr) return;
  io_uring_unregister_buf_ring(ring_, group);
  ::munmap(buffers_ring_, ring_bytes);
  buffers_ring_ = nullptr;
  buffers_.clear();
  with_kernel_ = 0;
  unpublished_ = 0;
  memory_ = 0;
}

int uring_buffers::open(io_uring& ring, bool may_increment) noexcept {
  void* const memory =
      ::mmap(nullptr, ring_bytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
  if (memory == MAP_FAILED) return -errno;
  ::madvise(memory, ring_bytes, MADV_DONTFORK);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
  registration.ring_entries = entries;
  registration.bgid = group;
  int done = -EINVAL;
  if (may_increment) {
    registration.pad = buffer_ring_incremental;
    done = io_uring_register_buf_ring(&ring, &registration, 0);
    incremental_ = done == 0;
  }
  if (done < 0) {
    registration.pad = 0;
    done = io_uring_register_buf_ring(&ring, &registration, 0);
  }
  if (done < 0) {
    ::munmap(memory, ring_bytes);
    return done;
  }
  ring_ = &ring;
  buffers_ring_ = static_cast<io_uring_buf_ring*>(memory);
  io_uring_buf_ring_init(buffers_ring_);
  // Whole buffers go to one piece each, so they are smaller where they are not incremental.
  buffer_size_ = incremental_ ? 256 * 1024 : 16 * 1024;
  buffers_max_ = incremental_ ? 64 : entries;
  grow_by_ = incremental_ ? 4 : 16;
  buffers_.reserve(entries);
  return 0;
}

void uring_buffers::offer(std::uint16_t id) noexcept {
  buffer& b = buffers_[id];
  b.used = 0;
  b.holders = 1;
  ++with_kernel_;
  io_uring_buf_ring_add(buffers_ring_, b.memory.get(), buffer_size_, id, io_uring_buf_ring_mask(entries),
                        unpublished_++);
}

void uring_buffers::let_go(std::uint16_t id) noexcept {
  if (--buffers_[id].holders == 0) offer(id);
}

uring_buffers::piece uring_buffers::take(const io_uring_cqe& completion) noexcept {
  if ((completion.flags & IORING_CQE_F_BUFFER) == 0) return {nullptr, 0, 0};
  const auto id = static_cast<std::uint16_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT);
  buffer& b = buffers_[id];
  const bool kernel_is_done = !incremental_ || (completion.flags & completion_buffer_more) == 0;
  if (completion.res <= 0) {
    // At the end of a stream, an incremental buffer stays with the kernel, whatever the flag says:
    // liburing issue 1545, kernels up to 6.19.
    if (!incremental_) {
      --with_kernel_;
      let_go(id);
    }
    return {nullptr, 0, 0};
  }
  const auto size = static_cast<std::uint32_t>(completion.res);
  const piece got{b.memory.get() + b.used, size, id};
  b.used += size;
  ++b.holders;
  ++leases_;
  if (kernel_is_done) {
    --with_kernel_;
    let_go(id);
  }
  return got;
}

bool uring_buffers::grow() noexcept {
  const std::size_t more = std::min(grow_by_, buffers_max_ - buffers_.size());
  for (std::size_t i = 0; i < more; ++i) {
    page_memory memory = allocate_pages(buffer_size_);
    if (!memory) break;
    buffers_.push_back({std::move(memory)});
    memory_ += buffer_size_;
    offer(static_cast<std::uint16_t>(buffers_.size() - 1));
  }
  publish();
  return with_kernel_ != 0;
}

void uring_buffers::publish() noexcept {
  if (unpublished_ != 0) io_uring_buf_ring_advance(buffers_ring_, std::exchange(unpublished_, 0));
}

void uring_buffers::come_home(std::uint32_t id) noexcept {
  assert(leases_ != 0);
  --leases_;
  let_go(static_cast<std::uint16_t>(id));
}

}  // namespace soquete::kernel
