// Things of one simulated network that several hold: counted, on one thread.
#pragma once

#include <utility>

namespace soquete::sim {

class network;

/// Something that has events in the agenda. Lives as long as anybody holds it.
class occurrence {
 public:
  occurrence() = default;
  occurrence(const occurrence&) = delete;
  occurrence& operator=(const occurrence&) = delete;

  /// It is time. `what` is as it was given.
  virtual void happen(network& net, unsigned what) noexcept = 0;

  void hold() noexcept { ++holders_; }
  void let_go() noexcept {
    if (--holders_ == 0) delete this;
  }

 protected:
  virtual ~occurrence() = default;

 private:
  unsigned holders_ = 0;
};

/// One of the holders.
template <class T>
class shared {
 public:
  shared() = default;
  explicit shared(T* it) noexcept : it_(it) {
    if (it_ != nullptr) it_->hold();
  }
  shared(const shared& other) noexcept : shared(other.it_) {}
  shared(shared&& other) noexcept : it_(std::exchange(other.it_, nullptr)) {}
  shared& operator=(shared other) noexcept {
    std::swap(it_, other.it_);
    return *this;
  }
  ~shared() {
    if (it_ != nullptr) it_->let_go();
  }

  T* get() const noexcept { return it_; }
  T* operator->() const noexcept { return it_; }
  T& operator*() const noexcept { return *it_; }
  explicit operator bool() const noexcept { return it_ != nullptr; }

 private:
  T* it_ = nullptr;
};

}  // namespace soquete::sim
