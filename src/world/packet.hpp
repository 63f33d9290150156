// Messages of a simulated network as IP packets.  RFC 791, 768, 792, 8200, 4443, 9293
#pragma once

#include <cstdint>
#include <vector>

#include "sim/recording.hpp"

namespace soquete::sim {

using octets = std::vector<std::uint8_t>;

/// The packets that a message is on the wire: a piece of a stream in segments, a long datagram in fragments.
/// The model knows no sequence numbers, so these begin where the number of the connection says; `number` is
/// that of the message, for its fragments.
std::vector<octets> packets_of(const message& one, std::uint64_t number);

/// The checksum of IP, TCP, UDP and ICMP.  RFC 1071
std::uint16_t internet_checksum(const octets& of, std::uint32_t begin = 0) noexcept;

}  // namespace soquete::sim
