// A network of a process's own, for tests that need routes and ports which the machine does not have.
#pragma once

#include <cstdint>
#include <functional>
#include <soquete/driver.hpp>
#include <soquete/task.hpp>
#include <string>

namespace soquete::test {

/// Moves this process into a network with nothing but a loopback; false where that is not permitted.
bool enter_own_network();

/// Changes it: the words after `ip`. Throws if that fails.  ip(8)
void ip(const std::string& words);

/// A second network card, plugged into a third one: `v0` has 10.9.0.1/24 and an IPv6 link-local address, and
/// `v1` an IPv6 link-local address.
void plug_in_cards();

/// Plays a scenario on that driver in a child process with a network of its own. Skips where that is not
/// permitted.
void in_own_network(driver_choice which, const std::function<task<result<void>>()>& play);

/// What becomes of packets to an address.  ip-route(8)
enum class route : std::uint8_t { none, unreachable, prohibit, blackhole };

/// Gives an address that has such a route. In an own network only.
address add_route(route kind);

/// The ports that clients are given, both ends included. In an own network only.  ip(7)
void limit_ports(std::uint16_t first, std::uint16_t last);

}  // namespace soquete::test
