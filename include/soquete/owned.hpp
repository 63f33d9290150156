// A sole owner on the heap: std::unique_ptr without the rest of <memory>, which doubles what a user compiles.
#pragma once

#include <utility>

namespace soquete {

/// Owns what `new` made; move-only, empty after a move.
template <class T>
class owned {
 public:
  owned() = default;
  explicit owned(T* made) noexcept : it_(made) {}  ///< Owns it from here on.
  /// Takes over what `other` owns.
  template <class U>
  owned(owned<U>&& other) noexcept : it_(other.release()) {}
  owned(owned&& other) noexcept : it_(other.release()) {}
  owned& operator=(owned&& other) noexcept {
    owned old(std::move(*this));
    it_ = other.release();
    return *this;
  }
  ~owned() { delete it_; }

  T* get() const noexcept { return it_; }                             ///< What it owns, or null.
  T& operator*() const noexcept { return *it_; }                      ///< What it owns; not when empty.
  T* operator->() const noexcept { return it_; }                      ///< What it owns; not when empty.
  explicit operator bool() const noexcept { return it_ != nullptr; }  ///< Does it own something?
  /// Whoever calls owns it from here on.
  T* release() noexcept { return std::exchange(it_, nullptr); }

 private:
  T* it_ = nullptr;
};

}  // namespace soquete
