// Messages as they cross the seam, with what travels beside their bytes.  recvmsg(2), cmsg(3), udp(7), ip(7),
// ipv6(7), unix(7).
#pragma once

#include <chrono>
#include <soquete/endpoint.hpp>
#include <soquete/owned_descriptor.hpp>
#include <span>

namespace soquete {

/// Who a local peer is, as the kernel vouches.  SO_PEERCRED, SCM_CREDENTIALS, unix(7)
struct credentials {
  std::int32_t pid = 0;   ///< Its process; 0: out of our sight, in another namespace.
  std::uint32_t uid = 0;  ///< Its user.
  std::uint32_t gid = 0;  ///< Its group.

  friend bool operator==(const credentials&, const credentials&) = default;
};

/// What routers say of congestion.  RFC 3168
enum class ecn : std::uint8_t {
  not_capable = 0,  ///< They drop instead.
  capable_1 = 1,    ///< ECT(1), also "L4S": RFC 9331.
  capable_0 = 2,    ///< ECT(0)
  congested = 3,    ///< CE: a router was about to drop it.
};

/// A message that the driver has received; part of a batch of the driver's, valid until that goes back.
struct received_message {
  endpoint from{};                  ///< Who sent it; nothing on a stream.
  const std::byte* data = nullptr;  ///< `size` bytes.
  std::uint32_t size = 0;           ///< What there was room for.
  std::uint32_t length = 0;         ///< What was sent: more than `size` if the end is missing.
  std::uint32_t segment = 0;    ///< Not 0: `data` is several datagrams of that size, the last perhaps less.
  std::uint32_t interface = 0;  ///< By number, on which it came; 0: not asked for.
  address to{};                 ///< Where it was sent to; unspecified: not asked for.
  address answer_from{};        ///< The address of ours to answer from; unspecified: the system chooses.
  std::uint32_t drops = 0;      ///< Datagrams lost so far because the socket's buffer was full.
  std::int16_t hops = -1;       ///< Time to live or hop limit; -1: not asked for.
  std::int16_t traffic_class = -1;               ///< DSCP * 4 + ECN; -1: not asked for.
  std::chrono::system_clock::time_point when{};  ///< When the kernel had it; the epoch: not asked for.
  credentials sender{};                          ///< If has_sender.
  bool has_sender = false;                       ///< `sender` was asked for and told.
  bool handles_lost = false;  ///< Descriptors came for which there was no room here; they are closed.
  std::vector<owned_descriptor> handles{};  ///< Descriptors that came with it; those left here are closed.
};

/// A message to send. What it points to stays in place until the operation has ended.
struct outgoing_message {
  const endpoint* to = nullptr;                 ///< Null: the peer that the socket is connected to.
  bytes payload{};                              ///< May be empty: an empty datagram.
  address from{};                               ///< Our address; unspecified: the system chooses.
  std::uint32_t interface = 0;                  ///< By number; 0: the system chooses.
  std::int16_t hops = -1;                       ///< -1: as the socket's option says.
  std::int16_t traffic_class = -1;              ///< -1: as the socket's option says.
  std::span<const owned_descriptor> handles{};  ///< Copies of them travel along; at most message_handles_max.
  const credentials* sender = nullptr;          ///< Others than ours need privilege.
  std::int32_t outcome = 0;                     ///< 0; -errno once the driver has refused it.
};

/// The most descriptors in one message.  SCM_MAX_FD, unix(7)
constexpr std::size_t message_handles_max = 253;

}  // namespace soquete
