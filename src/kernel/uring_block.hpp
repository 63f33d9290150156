// What the io_uring driver keeps of one socket.
#pragma once

#include <vector>

#include "kernel/uring.hpp"

namespace soquete::kernel {

/// The multishot of a stream or listener:
///
///     idle --arm()--> armed --completion without F_MORE--> idle
///                       |                                    ^
///                    pause(): too much waits unread          |
///                       +--> pausing ------------------------+
///
/// What it brings waits in `waiting`: pieces, or for a listener descriptors (in `id`).
struct uring_driver::block final : socket_block {
  using socket_block::socket_block;

  static constexpr std::size_t pieces_max = 4;
  static constexpr std::size_t connections_max = 64;

  std::vector<uring_buffers::piece> waiting;
  std::uint32_t first = 0;        ///< Those before it have been delivered.
  std::uint32_t with_kernel = 0;  ///< Entries whose last completion has not come.
  std::int32_t failure = 0;       ///< -errno, told once; then the stream is at its end.
  bool armed = false;
  bool pausing = false;
  bool ended = false;
  bool starved = false;     ///< Waits for a buffer, in the driver's list.
  bool more_waits = false;  ///< The kernel has said that another receive would get something.
  bool drained = false;     ///< The last receive of messages got all there were.
  bool closing = false;

  /// How an operation is in the kernel: ignored if it is not.
  tag reader_entry = ignored;
  tag writer_entry = ignored;
  bool reader_cancelled = false;
  bool writer_cancelled = false;

  /// Is there something to tell a reader, without asking the kernel?
  bool has_news() const noexcept { return has_waiting() || ended || failure != 0; }
  bool has_waiting() const noexcept { return first != waiting.size(); }
  std::size_t count_waiting() const noexcept { return waiting.size() - first; }
  uring_buffers::piece& front() noexcept { return waiting[first]; }
  void pop_front() noexcept {
    if (++first == waiting.size()) {
      waiting.clear();
      first = 0;
    }
  }

  bool is_local_stream() const noexcept { return domain == family::local && kind == descriptor_kind::stream; }
  bool is_reader(const op& o) const noexcept { return &o == &reader; }
  tag& entry_of(const op& o) noexcept { return is_reader(o) ? reader_entry : writer_entry; }
  bool& cancelled(const op& o) noexcept { return is_reader(o) ? reader_cancelled : writer_cancelled; }
};

}  // namespace soquete::kernel
