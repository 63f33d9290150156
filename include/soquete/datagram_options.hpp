// Options of sockets of datagrams.  ip(7), ipv6(7), udp(7), socket(7).
#pragma once

#include <soquete/socket.hpp>

namespace soquete {

/// What is done about datagrams larger than the path takes.  IP_MTU_DISCOVER, ip(7)
enum class path_mtu_discovery : std::uint8_t {
  off = 0,     ///< Routers may break them up: no DF mark.
  want = 1,    ///< Broken up here where the path is known to be narrow.
  always = 2,  ///< Never broken up: message_size beyond what the path is known to take.
  probe = 3,   ///< Never broken up, whatever is known of the path: for finding out.
};

/// The options of a socket of datagrams, beside those of all sockets. A view: valid while the socket is open.
/// Errors of all: as socket_options. A dual-stack socket gets each for both families.
class datagram_options : public socket_options {
 public:
  using socket_options::socket_options;

  /// May send to broadcast addresses.  SO_BROADCAST, socket(7)
  result<void> set_broadcast(bool on) { return set(option::broadcast, on); }
  result<bool> broadcast() const { return flag(option::broadcast); }
  /// Time to live of IPv4, hop limit of IPv6: 1 to 255.  IP_TTL, IPV6_UNICAST_HOPS
  result<void> set_hop_limit(int hops) { return set(option::hop_limit, hops); }
  result<int> hop_limit() const { return number(option::hop_limit); }
  /// Congestion mark of what is sent; leaves the DSCP alone.  RFC 3168.  IP_TOS, IPV6_TCLASS
  result<void> set_ecn(ecn mark);
  result<soquete::ecn> ecn() const;

  /// How far datagrams to groups go: 0 this host, 1 this network (the default), to 255.  IP_MULTICAST_TTL
  result<void> set_multicast_hops(int hops) { return set(option::multicast_hops, hops); }
  result<int> multicast_hops() const { return number(option::multicast_hops); }
  /// Do members on this host get what it sends to a group?  IP_MULTICAST_LOOP
  result<void> set_multicast_loop(bool on) { return set(option::multicast_loop, on); }
  result<bool> multicast_loop() const { return flag(option::multicast_loop); }
  /// By which interface datagrams to groups leave, by number; 0: the system chooses.  IP_MULTICAST_IF
  result<void> set_multicast_interface(std::uint32_t number) {
    return set(option::multicast_interface, number);
  }
  /// Receives what other sockets of this host have joined too, as Linux does unasked; off: only what this one
  /// has joined.  IP_MULTICAST_ALL
  result<void> set_multicast_all(bool on) { return set(option::multicast_all, on); }

  /// IP_MTU_DISCOVER, IPV6_MTU_DISCOVER
  result<void> set_path_mtu_discovery(path_mtu_discovery how) {
    return set(option::path_mtu_discovery, static_cast<int>(how));
  }
  result<path_mtu_discovery> mtu_discovery() const;
  /// What the path to the connected peer is known to take, bytes with all headers.  IP_MTU, IPV6_MTU
  result<int> path_mtu() const { return number(option::path_mtu); }

  // What received datagrams tell of themselves; each costs a little.

  /// datagram::to(), answer_from(), interface(). On from the start for a socket bound to all addresses.
  /// IP_PKTINFO
  result<void> set_tell_destination(bool on) { return set(option::tell_destination, on); }
  /// datagram::ecn(), dscp().  IP_RECVTOS
  result<void> set_tell_traffic_class(bool on) { return set(option::tell_traffic_class, on); }
  /// datagram::hops().  IP_RECVTTL
  result<void> set_tell_hops(bool on) { return set(option::tell_hops, on); }
  /// datagram::when().  SO_TIMESTAMPNS
  result<void> set_tell_time(bool on) { return set(option::tell_time, on); }
  /// datagram::drops().  SO_RXQ_OVFL
  result<void> set_tell_drops(bool on) { return set(option::tell_drops, on); }

 private:
  result<int> number(option which) const;
};

}  // namespace soquete
