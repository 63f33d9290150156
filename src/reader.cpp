// Reading a byte stream: the bytes in between.
#include <soquete/reader.hpp>

namespace soquete::detail {

namespace {
constexpr std::size_t kept_max = 4096;  // More is given back while nothing waits: an idle reader is small.
}

void read_buffer::add(bytes more) {
  if (first_ == stored_.size() || first_ > stored_.size() / 2) {
    stored_.erase(stored_.begin(), stored_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  stored_.insert(stored_.end(), more.begin(), more.end());
}

void read_buffer::drop(std::size_t count) noexcept {
  first_ += count;
  if (first_ != stored_.size()) return;
  first_ = 0;
  if (stored_.capacity() > kept_max)
    stored_ = {};
  else
    stored_.clear();
}

std::size_t find(bytes data, bytes delimiter, std::size_t from) noexcept {
  const auto found = std::search(data.begin() + static_cast<std::ptrdiff_t>(from), data.end(),
                                 delimiter.begin(), delimiter.end());
  return static_cast<std::size_t>(found - data.begin());
}

}  // namespace soquete::detail
