// Which errors of its sockets a server goes on after.  accept(2), recv(2), udp(7)
#pragma once

#include <soquete/error.hpp>

namespace soquete::detail {

/// Of a connection that went wrong before it was accepted; accept(2) tells it on the listener.
bool is_of_one_connection(const error& why);
/// Of a datagram sent earlier: what ICMP said of it is told once, to the receive that waits.
bool is_of_one_datagram(const error& why);
/// Descriptors or memory are out, for a while.
bool is_of_resources(const error& why);

}  // namespace soquete::detail
