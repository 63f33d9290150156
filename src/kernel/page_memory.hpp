// Memory in whole pages, for bytes that the kernel copies.  aligned_alloc(3)
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace soquete::kernel {

struct free_pages {
  void operator()(std::byte* at) const noexcept { std::free(at); }
};
using page_memory = std::unique_ptr<std::byte[], free_pages>;

/// `size` bytes, a multiple of a page; empty when there are none. Copies into memory that is not aligned, as
/// what malloc(3) gives, can take several times as long.
inline page_memory allocate_pages(std::size_t size) noexcept {
  constexpr std::size_t page_size = 4096;
  return page_memory(static_cast<std::byte*>(std::aligned_alloc(page_size, size)));
}

}  // namespace soquete::kernel
