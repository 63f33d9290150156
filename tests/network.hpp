// A network of a process's own, for tests that need routes and ports which the machine does not have.
#pragma once

#include <cstdint>
#include <soquete/address.hpp>

namespace soquete::test {

/// Moves this process into a network with nothing but a loopback; false where that is not permitted.
bool enter_own_network();

/// What becomes of packets to an address.  ip-route(8)
enum class route : std::uint8_t { none, unreachable, prohibit, blackhole };

/// Gives an address that has such a route. In an own network only.
address add_route(route kind);

/// The ports that clients are given, both ends included. In an own network only.  ip(7)
void limit_ports(std::uint16_t first, std::uint16_t last);

}  // namespace soquete::test
