// What the io_uring driver keeps of one socket.
#pragma once

#include <memory>
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
///
/// Datagrams are taken by calls instead, many at a time, with all that comes beside them; a multishot poll
/// tells when: `watched`.
struct uring_driver::block final : watched_block {
  using watched_block::watched_block;

  static constexpr std::size_t pieces_max = 4;
  static constexpr std::size_t connections_max = 64;

  std::unique_ptr<std::vector<uring_buffers::piece>> waiting;  ///< Made when something has to wait.
  std::uint32_t first = 0;                                     ///< Those before it have been delivered.
  std::uint32_t with_kernel = 0;  ///< Entries whose last completion has not come.
  std::int32_t failure = 0;       ///< -errno, told once; then the stream is at its end.
  bool armed = false;
  bool pausing = false;
  bool ended = false;
  bool starved = false;     ///< Waits for a buffer, in the driver's list.
  bool more_waits = false;  ///< The kernel has said that another receive would get something.
  bool watched = false;     ///< A poll is in the kernel that tells of news.
  bool closing = false;
  bool forgotten = false;  ///< Only the second try in the run queue is left of it.

  /// How an operation is in the kernel: ignored if it is not.
  tag reader_entry = ignored;
  tag writer_entry = ignored;
  bool reader_cancelled = false;
  bool writer_cancelled = false;

  /// Is there something to tell a reader, without asking the kernel?
  bool has_news() const noexcept { return has_waiting() || ended || failure != 0; }
  bool has_waiting() const noexcept { return count_waiting() != 0; }
  std::size_t count_waiting() const noexcept { return waiting ? waiting->size() - first : 0; }
  uring_buffers::piece& front() noexcept { return (*waiting)[first]; }
  void push(const uring_buffers::piece& one) {
    if (!waiting) waiting = std::make_unique<std::vector<uring_buffers::piece>>();
    waiting->push_back(one);
  }
  void pop_front() noexcept {
    if (++first == waiting->size()) {
      waiting->clear();
      first = 0;
    }
  }

  /// Others may have one that came to us open. Of those that wait in an accept the kernel wakes one, which
  /// may be about to end; a poll is woken whatever others do. So those are polled, and accepted from by
  /// calls.
  bool is_our_own_listener() const noexcept { return kind == descriptor_kind::listener && !was_open; }
  bool is_of_messages() const noexcept { return kind == descriptor_kind::datagram; }
  bool is_local_stream() const noexcept { return domain == family::local && kind == descriptor_kind::stream; }
  bool is_reader(const op& o) const noexcept { return &o == &reader; }
  tag& entry_of(const op& o) noexcept { return is_reader(o) ? reader_entry : writer_entry; }
  bool& cancelled(const op& o) noexcept { return is_reader(o) ? reader_cancelled : writer_cancelled; }
};

}  // namespace soquete::kernel
