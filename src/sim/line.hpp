// First in, first out, in one piece of memory, which an empty one does without.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace soquete::sim {

template <class T>
class line {
 public:
  bool empty() const noexcept { return first_ == all_.size(); }
  std::size_t size() const noexcept { return all_.size() - first_; }
  T& front() noexcept { return all_[first_]; }
  const T& front() const noexcept { return all_[first_]; }
  T& back() noexcept { return all_.back(); }
  void push(T one) { all_.push_back(std::move(one)); }
  T pop() {
    T one = std::move(all_[first_++]);
    if (empty()) {
      clear();
    } else if (first_ >= 32 && first_ * 2 >= all_.size()) {
      all_.erase(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
    return one;
  }
  void clear() noexcept {
    all_.clear();
    first_ = 0;
  }
  auto begin() noexcept { return all_.begin() + static_cast<std::ptrdiff_t>(first_); }
  auto end() noexcept { return all_.end(); }
  auto begin() const noexcept { return all_.begin() + static_cast<std::ptrdiff_t>(first_); }
  auto end() const noexcept { return all_.end(); }

 private:
  std::vector<T> all_;
  std::size_t first_ = 0;
};

}  // namespace soquete::sim
