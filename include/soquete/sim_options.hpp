// What a simulated network is like: its hosts, its links, its faults.  docs/simulation.md
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <soquete/address.hpp>
#include <span>
#include <string_view>

namespace soquete::sim {

/// From `least` to `most`, both included; shorter ones are likelier.
struct delays {
  std::chrono::nanoseconds least{};  ///< 0 or more.
  std::chrono::nanoseconds most{};   ///< Less than `least` is taken for `least`.
};

/// From `least` to `most`, both included, as likely in each power of two.
struct sizes {
  std::size_t least = 0;  ///< 1 or more where it counts bytes.
  std::size_t most = 0;   ///< Less than `least` is taken for `least`.
};

/// How bytes travel from one host to another. Both directions are alike unless two links say otherwise.
struct link_options {
  /// Of each piece. Pieces of one stream stay in order, datagrams need not.
  delays delay = {std::chrono::microseconds(500), std::chrono::microseconds(500)};
  std::uint64_t bytes_per_second = 0;  ///< 0: no limit.
  /// Bytes of one direction of a stream that may be unread at its end; drawn for each connection.
  sizes window = {64 * 1024, 64 * 1024};
  double loss = 0;        ///< Of datagrams and of the first packets of connections: 0 to 1.
  double duplicates = 0;  ///< Of datagrams that come twice: 0 to 1.
  /// Longer datagrams are lost, as where fragments are; a socket that forbids fragments is told. 0: no limit.
  std::size_t datagram_max = 0;
};

/// What a host has.
struct host_options {
  std::size_t descriptor_limit = 65'536;  ///< Sockets open at a time.  RLIMIT_NOFILE, getrlimit(2)
  std::chrono::nanoseconds clock_skew{};  ///< Its clock is ahead by this much; behind if negative.
  /// Its own addresses, besides the loopback's. Empty: one of 10.0.0.0/8 and one of fd00::/64.
  std::span<const address> addresses{};
};

/// What can go wrong by itself.
enum class fault : std::uint8_t {
  delay,      ///< Some pieces and datagrams take much longer.
  loss,       ///< Datagrams and first packets of connections are lost; pieces of streams come late.
  duplicate,  ///< Datagrams come twice.
  pieces,     ///< Reads and writes are short, bytes travel in pieces and through buffers of any size.
  reset,      ///< Connections are reset on their way.
  refuse,     ///< A host that listens refuses nevertheless.
  exhaust,    ///< Accepting fails for want of descriptors, connecting for want of ports or memory.
  order,      ///< What is there at once is told later, so that tasks run in another order.
  cut,        ///< A link is cut one way for a while.
  isolate,    ///< A host is cut off for a while.
  pause,      ///< A host stands still for a while.
  crash,      ///< A host loses all it has in memory, and starts again after a while.
  name,       ///< A name cannot be looked up at present, or late, or not all of its addresses are told.
};
inline constexpr std::size_t fault_count = 13;  ///< How many kinds there are.
/// "delay".
std::string_view to_string(fault kind) noexcept;

/// Which faults there may be, and until when. Each run draws from its seed which of them it has, and how
/// strong: few at a time show more than all at once. One run in ten has none.
class swarm {
 public:
  /// All kinds, for the first minute.
  swarm() noexcept = default;

  /// Not this one.
  swarm without(fault kind) const noexcept;
  /// Of those so far, only this one.
  swarm only(fault kind) const noexcept;
  /// No fault begins after that; those that last are over soon after. So what is stuck then is stuck for
  /// good.
  swarm until(std::chrono::nanoseconds end) const noexcept;
  /// All of them in each run, and each of middling strength, instead of a draw: to compare with.
  swarm all_at_once() const noexcept;

  bool has(fault kind) const noexcept;                              ///< May it happen?
  std::chrono::nanoseconds end() const noexcept { return end_; }    ///< Since the beginning of the world.
  bool is_all_at_once() const noexcept { return is_all_at_once_; }  ///< Is nothing drawn?

 private:
  std::uint32_t kinds_ = (1U << fault_count) - 1;
  bool is_all_at_once_ = false;
  std::chrono::nanoseconds end_ = std::chrono::minutes(1);
};

}  // namespace soquete::sim
