// Datagrams as they were received: one, and a batch of them.  RFC 768, recvmmsg(2).
#pragma once

#include <algorithm>
#include <iterator>
#include <optional>
#include <soquete/lease.hpp>
#include <soquete/message.hpp>

namespace soquete::udp {

/// A look at one received datagram. Valid while the batch lives that it is part of.
class datagram {
 public:
  /// A part of what was received.
  datagram(const received_message& about, bytes part) noexcept
      : payload(part),
        length(about.segment != 0 ? part.size() : about.length),
        truncated(length > part.size()),
        about_(&about) {}

  bytes payload;       ///< What was sent; empty if it was empty.
  std::size_t length;  ///< What was sent; more than the payload if the end is missing.
  bool truncated;      ///< Is the end missing?

  /// Who sent it.
  const endpoint& from() const noexcept { return about_->from; }
  /// The address it was sent to; unspecified unless asked for. Asked for where the socket is bound to all.
  const address& to() const noexcept { return about_->to; }
  /// The address of ours to answer from: `to()`, but for a group or broadcast one of the interface's.
  const address& answer_from() const noexcept { return about_->answer_from; }
  /// The interface by number on which it came; 0 unless asked for.
  std::uint32_t interface() const noexcept { return about_->interface; }
  /// Time to live or hop limit that was left.  datagram_options::set_tell_hops()
  std::optional<unsigned> hops() const noexcept { return known(about_->hops, 0xff); }
  /// Congestion mark.  datagram_options::set_tell_traffic_class()
  std::optional<soquete::ecn> ecn() const noexcept {
    if (about_->traffic_class < 0) return std::nullopt;
    return static_cast<soquete::ecn>(about_->traffic_class & 3);
  }
  /// Traffic class, 0 to 63.  datagram_options::set_tell_traffic_class()
  std::optional<unsigned> dscp() const noexcept {
    if (about_->traffic_class < 0) return std::nullopt;
    return static_cast<unsigned>(about_->traffic_class) >> 2;
  }
  /// When the kernel had it.  datagram_options::set_tell_time()
  std::optional<std::chrono::system_clock::time_point> when() const noexcept {
    if (about_->when == std::chrono::system_clock::time_point()) return std::nullopt;
    return about_->when;
  }
  /// As it crossed the seam.
  const received_message& message() const noexcept { return *about_; }
  /// Datagrams that this socket had lost, when this one came, because its buffer was full; 0 unless asked
  /// for.  datagram_options::set_tell_drops()
  std::uint32_t drops() const noexcept { return about_->drops; }

 private:
  static std::optional<unsigned> known(int value, int mask) noexcept {
    if (value < 0) return std::nullopt;
    return static_cast<unsigned>(value & mask);
  }

  const received_message* about_;
};

/// Owns datagrams that were received together, until it is destroyed. Move-only; empty after a move.
///
/// It belongs to the loop that received it, as a lease does. Keep it briefly: while a loop has lent 64, each
/// further one holds a single datagram.
class batch {
 public:
  /// Goes from datagram to datagram. What the kernel has received as one run comes apart here.
  class iterator {
   public:
    using value_type = datagram;
    using difference_type = std::ptrdiff_t;
    iterator() = default;
    explicit iterator(const received_message* at) noexcept : at_(at) {}  ///< From this one on.
    datagram operator*() const noexcept {
      const std::size_t left = at_->size - offset_;
      const std::size_t size = at_->segment == 0 ? left : std::min<std::size_t>(left, at_->segment);
      return {*at_, {at_->data + offset_, size}};
    }
    iterator& operator++() noexcept {
      offset_ += at_->segment;
      if (at_->segment != 0 && offset_ < at_->size) return *this;
      ++at_;
      offset_ = 0;
      return *this;
    }
    iterator operator++(int) noexcept {
      iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const iterator&, const iterator&) noexcept = default;

   private:
    const received_message* at_ = nullptr;
    std::size_t offset_ = 0;
  };

  batch() = default;
  /// Owns what `home` has lent.
  batch(const received_message* first, std::size_t count, lease_home* home, std::uint32_t id) noexcept
      : begin_(first), end_(first + count), id_(id), home_(home) {}
  batch(batch&& other) noexcept
      : begin_(std::exchange(other.begin_, iterator())),
        end_(std::exchange(other.end_, iterator())),
        id_(other.id_),
        home_(std::exchange(other.home_, nullptr)) {}
  batch& operator=(batch&& other) noexcept {
    batch old(std::move(*this));
    swap(other);
    return *this;
  }
  ~batch() {
    if (home_ != nullptr) home_->recycle(home_, nullptr, id_);
  }

  bool empty() const noexcept { return begin_ == end_; }
  /// Datagrams; counted by going through them.
  std::size_t size() const noexcept { return static_cast<std::size_t>(std::distance(begin_, end_)); }
  iterator begin() const noexcept { return begin_; }
  iterator end() const noexcept { return end_; }
  /// The first of at least one.
  datagram front() const noexcept { return *begin_; }
  /// Leaves the first of at least one out.
  void drop_front() noexcept { ++begin_; }

 private:
  void swap(batch& other) noexcept {
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
    std::swap(id_, other.id_);
    std::swap(home_, other.home_);
  }

  iterator begin_;
  iterator end_;
  std::uint32_t id_ = 0;
  lease_home* home_ = nullptr;
};

}  // namespace soquete::udp
