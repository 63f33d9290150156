// A socket whose reader is told when to try.
#pragma once

#include <soquete/driver.hpp>

namespace soquete::kernel {

struct message_room;

/// What a driver knows of a socket that it reads from by a call once news has come:
///
///     start() --known readable--> tried --got something--> done
///        |                          |
///        +--not known-----> parked <--would block
///                              |
///                      news: tried again, from the run queue just before the coroutine resumes, so that a
///                      few warm bytes of buffer serve all sockets of a turn
///
/// The waiter is that second try. News comes once: who has been told reads until nothing is left.
struct watched_block : socket_block, waiter {
  using socket_block::socket_block;

  static constexpr std::uint8_t in_a_row_max = 2;

  /// Datagrams that came with one that was asked for, and have not been; of the driver's message_pool.
  message_room* ahead = nullptr;
  std::uint8_t in_a_row = 0;  ///< Datagrams that were there when asked for, one after the other; to the most.
  bool always_ready = false;  ///< A file: it never waits.
  bool readable = false;      ///< A read may get something.
  bool hung_up = false;       ///< It will not become unreadable again: no second news comes.
  bool short_is_all = true;   ///< A read of a stream that does not fill its room shows that nothing is left.
  bool reader_parked = false;  ///< The reader waits for news.
  bool poke_queued = false;    ///< The waiter is in the run queue.
};

}  // namespace soquete::kernel
