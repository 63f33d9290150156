// A simulated socket.
#pragma once

#include <array>
#include <cerrno>
#include <soquete/driver.hpp>

#include "sim/connection.hpp"
#include "sim/line.hpp"
#include "sim/local_end.hpp"
#include "sim/machine.hpp"

namespace soquete::sim {

/// A datagram that has come.
struct arrived_datagram {
  endpoint from;
  address to;
  std::vector<std::byte> payload;
  std::int16_t hops = 64;
  std::int16_t traffic_class = 0;
  std::uint32_t drops = 0;  ///< Before it.
  moment when{};
  address answer_from{};
  std::uint32_t interface = 0;  ///< On which it came.
};

constexpr std::size_t option_count = static_cast<std::size_t>(option::incoming_cpu) + 1;

struct block final : socket_block {
  block(soquete::driver& owner, machine& on) noexcept : socket_block(owner), at(on) {}

  std::int64_t& value(option which) noexcept { return values[static_cast<std::size_t>(which)]; }
  std::int64_t value(option which) const noexcept { return values[static_cast<std::size_t>(which)]; }
  /// IPv4 over IPv6: addresses of the first are shown mapped.
  bool shows_mapped() const noexcept { return domain == family::v6; }
  endpoint shown(const endpoint& one) const noexcept {
    if (!shows_mapped() || !one.is_ip() || !one.addr().is_v4()) return one;
    return {one.addr().mapped(), one.port()};
  }
  bool has_bytes() const noexcept {
    return kind == descriptor_kind::stream || kind == descriptor_kind::other;
  }
  bool is_of_streams() const noexcept { return kind != descriptor_kind::datagram; }

  /// What was waited for may have come: the reader tries again in the next round.
  void wake_reader() noexcept;
  /// There may be room: the writer tries again at once.
  void wake_writer() noexcept;
  /// The connection has come about, or not.
  void connected(int cause) noexcept;
  /// The connection is lost. True: a program that stands still has not heard of it yet, and hears of this.
  bool lost_unheard(int cause) noexcept;

  machine& at;
  struct poke_waiter : waiter {
    block* of = nullptr;
  } poke;
  bool reader_parked = false;
  bool writer_parked = false;
  bool poke_queued = false;
  bool closing = false;
  bool forgotten = false;  ///< Its number and its port are free.

  // Who has it open: numbers of the host, of which the program may hold this block, and messages.
  bool is_held = false;       ///< By the program, as a socket.
  unsigned numbers = 0;       ///< Of the host, that lead to it.
  unsigned travelling = 0;    ///< In messages that nobody has received.
  bool is_reached = false;    ///< While the driver looks for those that nobody can reach.
  block* main = nullptr;      ///< Of a twin: the block of the same open socket, which has all that follows.
  std::vector<block*> twins;  ///< Others that the program holds for the same open socket.

  block& data() noexcept { return main != nullptr ? *main : *this; }
  const block& data() const noexcept { return main != nullptr ? *main : *this; }
  /// Does anybody wait for something to come, or for room?
  bool is_reading() const noexcept;
  bool is_writing() const noexcept;

  static constexpr std::int64_t unset = -1;  ///< Of an option without a value of its own.

  endpoint bound;  ///< As others know it, IPv4 unmapped; nothing: it has no name yet.
  std::array<std::int64_t, option_count> values{};

  shared<local_end> local;  ///< Of local sockets, which have none of what follows.

  // Of streams.
  shared<connection> wire;
  unsigned side = 0;  ///< Which end of the wire it is.

  // Of those who watch for signals.
  std::vector<int> signals;
  line<int> raised;  ///< Of them, and not yet taken.

  // Of listeners.
  int backlog = 0;
  line<shared<connection>> waiting;

  // Of datagrams.
  endpoint peer;  ///< To which it is connected, unmapped; nothing: to none.
  line<arrived_datagram> arrived;
  std::size_t arrived_bytes = 0;
  std::uint32_t drops = 0;
  int pending_error = 0;  ///< An errno, told once.
};

/// What is kept of the open socket, whichever of its blocks the program holds.
inline block& data_of(socket_block& one) noexcept { return static_cast<block&>(one).data(); }
inline const block& data_of(const socket_block& one) noexcept {
  return static_cast<const block&>(one).data();
}

}  // namespace soquete::sim
