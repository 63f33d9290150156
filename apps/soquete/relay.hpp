// Joining two peers until both have ended; and the services that need no second one.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "peer.hpp"

namespace command {

/// What the end of one direction means for the other.
enum class on_eof : std::uint8_t {
  wait,    ///< It is passed on; the other direction goes on to its own end.
  close,   ///< All ends.
  ignore,  ///< It is not passed on.
};

/// Directions in which bytes go: `up` from ADDR to PEER, `down` back.
enum class ways : std::uint8_t { both, up, down };

/// What is particular to one side.
struct side_options {
  framing frame = framing::none;        ///< How messages are told apart in it, if it is a stream.
  std::chrono::nanoseconds patience{};  ///< For its answers once the other has ended, if it has no end.
  std::uint64_t count = 0;              ///< Messages from it after which all ends; 0: no limit.
};

/// How two peers are joined.
struct join_options {
  on_eof at_end = on_eof::wait;
  ways which = ways::both;
  /// Ends a conversation in which nothing moves so long; 0: never. For a peer without an end of its own this
  /// is one in order.
  std::chrono::nanoseconds idle{};
  side_options address{};
  side_options peer{};
  bool crlf_up = false;    ///< Line feeds become CR LF on their way up.
  bool crlf_down = false;  ///< And on their way down.
};

/// What came of it. Filled while it goes on: also an end by cancellation leaves true numbers.
struct conversation {
  enum class side : std::uint8_t { none, address, peer };

  std::uint64_t up = 0;               ///< Bytes that ADDR has sent and PEER has taken.
  std::uint64_t down = 0;             ///< Bytes from PEER to ADDR.
  std::uint64_t up_messages = 0;      ///< Likewise, where either side keeps the bounds of messages.
  std::uint64_t down_messages = 0;    ///< And back.
  std::uint64_t left_out = 0;         ///< Empty messages that a seqpacket could not be given.
  side ended_first = side::none;      ///< Whose end came first, in order.
  side failed = side::none;           ///< Whose connection broke.
  bool was_idle = false;              ///< Ended for want of traffic.
  bool was_unanswered = false;        ///< `failed` has been sent messages, and none came back in time.
  std::optional<soquete::error> why;  ///< Nothing: it ended in order.
  std::optional<soquete::exit_status> status;  ///< Of the program, if one took part.
};

/// Told that a side has ended in order while the other goes on.
using half_closed = std::function<void(conversation::side first)>;

/// Copies both ways, each to its own end, then returns. Ends, resets and programs are treated as soquete(1)
/// says. Both peers are closed or reset when it returns.
soquete::task<void> join(peer& address, peer& other, const join_options& how, const half_closed& watch,
                         conversation& told);

/// The same with echo:, discard: or zero: for the other.
soquete::task<void> serve_here(scheme service, peer& address, const join_options& how, conversation& told);

}  // namespace command
