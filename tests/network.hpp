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
/// `v1` an IPv6 link-local address. Gives the number of `v0`, which a simulated host has from the start.
std::uint32_t plug_in_cards(driver_choice which);
/// Gives `v0` one more: its text, and words for ip-address(8). A simulated host has all that tests ask for.
void add_address(driver_choice which, const std::string& words);

/// A second network, joined with this one by a cable: `v0` here has 10.9.0.1/24, `v1` there 10.9.0.2/24. In
/// an own network only.
class far_network {
 public:
  far_network();
  far_network(const far_network&) = delete;
  far_network& operator=(const far_network&) = delete;
  ~far_network();

  /// Sockets are opened there until leave().
  void enter() const;
  void leave() const;
  /// Until then nobody here knows the far card: what is sent to it waits in this host.  arp(7)
  void introduce() const;

  static constexpr address far = address::v4({10, 9, 0, 2});

 private:
  int here_;
  int there_;
};

/// Plays a scenario on that driver in a child process with a network of its own; on the simulated one, on a
/// host of a world of its own. Skips where that is not permitted.
void in_own_network(driver_choice which, const std::function<task<result<void>>()>& play);

/// What becomes of packets to an address.  ip-route(8)
enum class route : std::uint8_t { none, unreachable, prohibit, blackhole };

/// Gives an address that has such a route. In an own network only.
address add_route(route kind);

/// The ports that clients are given, both ends included. In an own network only.  ip(7)
void limit_ports(std::uint16_t first, std::uint16_t last);

}  // namespace soquete::test
