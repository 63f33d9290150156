// Received bytes that are lent: they go back to their pool when the lease ends.
#pragma once

#include <cstdint>
#include <soquete/bytes.hpp>
#include <utility>

namespace soquete {

/// Where the bytes of a lease come from and return to. Implemented by drivers.
struct lease_home {
  /// Takes the bytes back.
  void (*recycle)(lease_home*, const std::byte* data, std::uint32_t id) noexcept = nullptr;
};

/// Owns received bytes until it is destroyed. Move-only; empty after a move.
///
/// It belongs to the loop that received it: end it on that loop's thread, before the loop ends.
/// An empty lease is the end of the stream. Keep leases briefly: many of them can share one large
/// buffer, which stays taken as long as any of them lives.
class lease {
 public:
  using value_type = std::byte;

  lease() = default;
  /// Owns bytes that `home` has lent.
  lease(const std::byte* data, std::uint32_t size, lease_home* home, std::uint32_t id) noexcept
      : data_(data), size_(size), id_(id), home_(home) {}
  lease(lease&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        id_(other.id_),
        home_(std::exchange(other.home_, nullptr)) {}
  lease& operator=(lease&& other) noexcept {
    lease old(std::move(*this));
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    id_ = other.id_;
    home_ = std::exchange(other.home_, nullptr);
    return *this;
  }
  ~lease() {
    if (home_ != nullptr) home_->recycle(home_, data_, id_);
  }

  const std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  const std::byte* begin() const noexcept { return data_; }
  const std::byte* end() const noexcept { return data_ + size_; }

  /// Valid while the lease lives.
  soquete::bytes bytes() const noexcept { return {data_, size_}; }
  /// The same as text.
  std::string_view text() const noexcept { return as_text(bytes()); }

 private:
  const std::byte* data_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t id_ = 0;
  lease_home* home_ = nullptr;
};

}  // namespace soquete
