// Memory of coroutine frames: free lists by size, one set a thread.
#include <cstddef>
#include <cstdint>
#include <new>
#include <soquete/frame.hpp>
#include <soquete/task.hpp>

#if defined(__SANITIZE_ADDRESS__)
#define SOQUETE_PLAIN_FRAMES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define SOQUETE_PLAIN_FRAMES 1
#endif
#endif

namespace soquete {
namespace {

constexpr std::size_t granule = 64;
constexpr std::size_t largest = 4096;
[[maybe_unused]] constexpr std::uint32_t kept_max =
    1024;  // Per size: at most 64 KiB of the smallest, 4 MiB of the largest.

struct free_frame_node {
  free_frame_node* next;
};

// Constant-initialised and trivially destructible: no guard at each use, no order at thread exit.
struct frame_cache {
  free_frame_node* first[largest / granule];
  std::uint32_t count[largest / granule];
  std::size_t live;
};
constinit thread_local frame_cache cache{};

}  // namespace

namespace detail {

void* allocate_frame(std::size_t size) {
  ++cache.live;
#if !defined(SOQUETE_PLAIN_FRAMES)
  if (size <= largest) {
    const std::size_t row = (size - 1) / granule;
    if (free_frame_node* node = cache.first[row]) {
      cache.first[row] = node->next;
      --cache.count[row];
      return node;
    }
    return ::operator new((row + 1) * granule);
  }
#endif
  return ::operator new(size);
}

void free_frame(void* frame, [[maybe_unused]] std::size_t size) noexcept {
  --cache.live;
#if !defined(SOQUETE_PLAIN_FRAMES)
  if (size <= largest) {
    const std::size_t row = (size - 1) / granule;
    if (cache.count[row] < kept_max) {
      auto* node = static_cast<free_frame_node*>(frame);
      node->next = cache.first[row];
      cache.first[row] = node;
      ++cache.count[row];
      return;
    }
  }
#endif
  ::operator delete(frame);
}

}  // namespace detail

std::size_t live_frames() noexcept { return cache.live; }

void release_cached_frames() noexcept {
  for (std::size_t row = 0; row != largest / granule; ++row) {
    while (free_frame_node* node = cache.first[row]) {
      cache.first[row] = node->next;
      ::operator delete(node);
    }
    cache.count[row] = 0;
  }
}

}  // namespace soquete
