// One request to a driver, and the place in a socket where it lives.
#pragma once

#include <cstdlib>
#include <soquete/bytes.hpp>
#include <soquete/lease.hpp>
#include <soquete/task.hpp>

namespace soquete {

struct socket_block;

/// What is asked for, and what the fields of an op mean for it.
enum class opcode : std::uint8_t {
  receive,        ///< Fills `data[0, size)` from the front. Result: bytes, 0 at the end.
  receive_lease,  ///< Gives bytes of the driver's in `data`, `home`, `id`. Result: bytes, 0 at the end.
  send,           ///< Takes all of `data[0, size)`. Result: `size`.
  send_some,      ///< Takes 1 to `size` bytes. Result: bytes.
  send_parts,     ///< `data` is an array of `size` spans, all taken in order. Result: bytes.
  accept,         ///< Result 0: `data` is the socket_block of the connection.
  connect,        ///< `data` is a const endpoint.
  readable,       ///< Result 0 once a read would not wait.
  signal,         ///< Result: the number of a signal that has come.
  /// Gives 1 to `size` messages: `data` is an array of received_message, lent as by receive_lease. Result:
  /// their number. On a stream one message, 0 at the end.
  receive_messages,
  /// `data` is an array of `size` outgoing_message with outcome 0, sent in order. Result: `size`; each that
  /// is refused tells why. On a stream one message, all of it or an error.
  send_messages,
  /// Moves 1 to `size` bytes into a pipe that is empty: `data` is the const int of its writing end. Result:
  /// bytes, 0 at the end; -EBUSY: bytes have arrived that a receive has to take first.
  splice_in,
  splice_out,  ///< Takes all `size` bytes from a pipe: `data` is the const int of its reading end. Result:
               ///< `size`.
};

/// Plain data: what is asked for, and what came of it. Does not move while in flight.
///
///     idle --start()--> in_flight --complete()--> queued --wake--> done
///              |                        ^                            ^
///              |                    cancel() only asks               |
///              +---------- the result is there at once --------------+
struct op : waiter {
  /// Where it is in the drawing above.
  enum class state : std::uint8_t { idle, in_flight, queued, done };

  opcode code = opcode::receive;  ///< What is asked for.
  state now = state::idle;        ///< Where it is.
  std::uint32_t id = 0;           ///< Of the lease received.
  std::int64_t outcome = 0;       ///< When done: see opcode; or -errno.
  socket_block* on = nullptr;     ///< The socket it is for.
  const void* data = nullptr;     ///< See opcode.
  std::size_t size = 0;           ///< See opcode.
  union {
    std::size_t moved = 0;  ///< Sends: bytes or messages taken so far, also after an error.
    lease_home* home;       ///< Receives: of the lease received.
  };

  op() = default;
  op(const op&) = delete;
  op& operator=(const op&) = delete;
  ~op() {
    if (is_pending()) std::abort();  // The driver still writes here.
  }

  /// May the driver still write here?
  bool is_pending() const noexcept { return now == state::in_flight || now == state::queued; }
};

/// An operation that a coroutine waits for. A socket has two: a reader and a writer.
struct slot : op, cancel_hook {
  cancel_context* cancel = nullptr;  ///< Of the waiting coroutine; may be null.
  waiter* then = nullptr;            ///< Woken at the end.

  /// True: it waits and will wake `whom`. The fields of `op` are filled in by the caller.
  bool begin(environment env, waiter* whom) noexcept;
  bool failed() const noexcept { return outcome < 0; }
  /// Why it failed. -ECANCELED becomes timed_out where a deadline asked for the end.
  std::error_code cause() const noexcept;
  void describe(suspension_report& report) const;

 private:
  static void finish(waiter* w) noexcept;
  static void ask_to_end(cancel_hook* hook) noexcept;
};

}  // namespace soquete
