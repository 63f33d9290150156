// Bytes in order: added at the end, taken from the front.
#pragma once

#include <cstring>
#include <soquete/bytes.hpp>
#include <vector>

namespace soquete::sim {

class byte_line {
 public:
  std::size_t size() const noexcept { return all_.size() - first_; }
  void push(bytes more) { all_.insert(all_.end(), more.begin(), more.end()); }
  /// The first `into.size()` bytes; there are as many.
  void pop(mutable_bytes into) noexcept {
    if (into.empty()) return;
    std::memcpy(into.data(), all_.data() + first_, into.size());
    first_ += into.size();
    if (first_ == all_.size()) {
      all_.clear();
      first_ = 0;
    } else if (first_ >= 64 * 1024 && first_ * 2 >= all_.size()) {
      all_.erase(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
  }
  /// Until the next change.
  bytes all() const noexcept { return bytes(all_).subspan(first_); }
  /// Only the first `size` bytes stay.
  void cut(std::size_t size) noexcept { all_.resize(first_ + size); }

 private:
  std::vector<std::byte> all_;
  std::size_t first_ = 0;
};

}  // namespace soquete::sim
