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

// Sizes are 8, 24, 40 and so on: what glibc's malloc gives without waste, beside its 8 bytes for each.
constexpr std::size_t granule = 16;
constexpr std::size_t largest = 4088;
constexpr std::size_t rows = largest / granule + 1;
[[maybe_unused]] constexpr std::size_t kept_max = 4 * 1024 * 1024;  // Bytes of all sizes together.

[[maybe_unused]] constexpr std::size_t row_of(std::size_t size) noexcept { return (size + 7) / granule; }
constexpr std::size_t size_of(std::size_t row) noexcept { return row * granule + 8; }
static_assert(size_of(row_of(8)) == 8 && size_of(row_of(9)) == 24 && size_of(row_of(largest)) == largest);

struct free_frame_node {
  free_frame_node* next;
};

// Constant-initialised and trivially destructible: no guard at each use, no order at thread exit.
struct frame_cache {
  free_frame_node* first[rows];
  std::size_t kept;  // Bytes.
  std::size_t live;
};
constinit thread_local frame_cache cache{};

}  // namespace

namespace detail {

void* allocate_frame(std::size_t size) {
  ++cache.live;
#if !defined(SOQUETE_PLAIN_FRAMES)
  if (size <= largest) {
    const std::size_t row = row_of(size);
    if (free_frame_node* node = cache.first[row]) {
      cache.first[row] = node->next;
      cache.kept -= size_of(row);
      return node;
    }
    return ::operator new(size_of(row));
  }
#endif
  return ::operator new(size);
}

void free_frame(void* frame, [[maybe_unused]] std::size_t size) noexcept {
  --cache.live;
#if !defined(SOQUETE_PLAIN_FRAMES)
  if (size <= largest) {
    const std::size_t row = row_of(size);
    if (cache.kept + size_of(row) <= kept_max) {
      auto* node = static_cast<free_frame_node*>(frame);
      node->next = cache.first[row];
      cache.first[row] = node;
      cache.kept += size_of(row);
      return;
    }
  }
#endif
  ::operator delete(frame);
}

}  // namespace detail

std::size_t live_frames() noexcept { return cache.live; }

void release_cached_frames() noexcept {
  for (free_frame_node*& first : cache.first)
    while (free_frame_node* node = first) {
      first = node->next;
      ::operator delete(node);
    }
  cache.kept = 0;
}

}  // namespace soquete
