// Memory of coroutine frames.
#pragma once

#include <cstddef>

namespace soquete {

/// Frames of coroutines that are alive on this thread: for tests, and for finding what holds memory.
std::size_t live_frames() noexcept;

/// Gives the frames that this thread keeps for reuse back to the heap. A loop's thread does it at its end.
void release_cached_frames() noexcept;

namespace detail {

void* allocate_frame(std::size_t size);
void free_frame(void* frame, std::size_t size) noexcept;

}  // namespace detail
}  // namespace soquete
