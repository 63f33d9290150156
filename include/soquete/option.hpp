// Socket options by name, as they cross the driver seam.  socket(7), tcp(7), ip(7), ipv6(7).
#pragma once

#include <cstdint>

namespace soquete {

/// Options whose value is a number; a switch is 0 or 1. Sockets have a typed function for each.
enum class option : std::uint8_t {
  reuse_address,        ///< SO_REUSEADDR
  reuse_port,           ///< SO_REUSEPORT
  v6_only,              ///< IPV6_V6ONLY
  receive_buffer,       ///< SO_RCVBUF, bytes
  send_buffer,          ///< SO_SNDBUF, bytes
  keep_alive,           ///< SO_KEEPALIVE
  linger,               ///< SO_LINGER: seconds, or -1 for off
  mark,                 ///< SO_MARK: 32 bits without a sign
  priority,             ///< SO_PRIORITY
  traffic_class,        ///< IP_TOS or IPV6_TCLASS: DSCP * 4 + ECN
  no_delay,             ///< TCP_NODELAY
  keep_alive_idle,      ///< TCP_KEEPIDLE, seconds
  keep_alive_interval,  ///< TCP_KEEPINTVL, seconds
  keep_alive_count,     ///< TCP_KEEPCNT
  user_timeout,         ///< TCP_USER_TIMEOUT, milliseconds
  not_sent_low_water,   ///< TCP_NOTSENT_LOWAT, bytes
  max_segment,          ///< TCP_MAXSEG, bytes
  defer_accept,         ///< TCP_DEFER_ACCEPT, seconds
  fast_open,            ///< TCP_FASTOPEN: on a listener, the length of its queue
  fast_open_connect,    ///< TCP_FASTOPEN_CONNECT
  pending_error,        ///< SO_ERROR: reading clears it
  broadcast,            ///< SO_BROADCAST
  free_bind,            ///< IP_FREEBIND
  hop_limit,            ///< IP_TTL, IPV6_UNICAST_HOPS
  multicast_hops,       ///< IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS
  multicast_loop,       ///< IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP
  multicast_interface,  ///< IP_MULTICAST_IF, IPV6_MULTICAST_IF: number of the interface
  multicast_all,        ///< IP_MULTICAST_ALL, IPV6_MULTICAST_ALL
  path_mtu_discovery,   ///< IP_MTU_DISCOVER, IPV6_MTU_DISCOVER
  path_mtu,             ///< IP_MTU, IPV6_MTU: of a connected socket, read only
  tell_destination,     ///< IP_PKTINFO, IPV6_RECVPKTINFO
  tell_traffic_class,   ///< IP_RECVTOS, IPV6_RECVTCLASS
  tell_hops,            ///< IP_RECVTTL, IPV6_RECVHOPLIMIT
  tell_time,            ///< SO_TIMESTAMPNS
  tell_drops,           ///< SO_RXQ_OVFL
  tell_sender,          ///< SO_PASSCRED
  receive_segments,     ///< UDP_GRO
  incoming_cpu,         ///< SO_INCOMING_CPU
};

/// Options whose value is a name.
enum class text_option : std::uint8_t {
  bound_device,        ///< SO_BINDTODEVICE
  congestion_control,  ///< TCP_CONGESTION
};

/// Any option, by the numbers of the system's headers: `{IPPROTO_TCP, TCP_QUICKACK}`.
struct option_number {
  int level;  ///< SOL_SOCKET, IPPROTO_TCP, …
  int name;   ///< SO_…, TCP_…
};

}  // namespace soquete
