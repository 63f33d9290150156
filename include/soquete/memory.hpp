// Two streams in memory, joined back to back: for tests, and for parts of one program.
#pragma once

#include <soquete/event.hpp>
#include <soquete/stream.hpp>
#include <utility>

namespace soquete::memory {

namespace detail {

// One direction. Bounded, so that a slow reader holds the writer back as a network would. Its two ends own it
// together.
struct channel;
class channel_end {
 public:
  channel_end() = default;
  explicit channel_end(channel* c) noexcept : it_(c) {}
  channel_end(channel_end&& other) noexcept : it_(std::exchange(other.it_, nullptr)) {}
  channel_end& operator=(channel_end&& other) noexcept {
    std::swap(it_, other.it_);
    return *this;
  }
  ~channel_end();
  channel& operator*() const noexcept { return *it_; }
  channel* operator->() const noexcept { return it_; }
  explicit operator bool() const noexcept { return it_ != nullptr; }

 private:
  channel* it_ = nullptr;
};

}  // namespace detail

/// One end of a pair. What one sends, the other receives. One loop only.
///
/// An end that is destroyed without finish() leaves the other with connection_reset and broken_pipe, as a
/// connection would that is aborted.
class stream {
 public:
  stream() = default;
  /// One of two ends; see pair().
  stream(detail::channel_end incoming, detail::channel_end outgoing) noexcept;
  stream(stream&&) noexcept = default;
  stream& operator=(stream&&) noexcept;
  ~stream();

  /// 1 byte or more, or an empty lease once the other end has finished.
  /// Errors: connection_reset, timed_out, operation_canceled.
  task<result<lease>> receive();
  /// Receives 1 to `into.size()` bytes, or 0 at the end of the stream.
  task<result<std::size_t>> receive(mutable_bytes into);
  /// Sends all.  Errors: broken_pipe, timed_out, operation_canceled.
  task<result<void>> send(bytes from);
  task<result<void>> send(std::string_view text) { return send(as_bytes(text)); }
  /// Ends our side.
  result<void> finish();

 private:
  detail::channel_end incoming_;
  detail::channel_end outgoing_;
};

/// A pair that holds at most `capacity` bytes, at least 1, each way.
std::pair<stream, stream> pair(std::size_t capacity = 64 * 1024);

}  // namespace soquete::memory
