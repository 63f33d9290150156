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
};

/// Options whose value is a name.
enum class text_option : std::uint8_t {
  bound_device,        ///< SO_BINDTODEVICE
  congestion_control,  ///< TCP_CONGESTION
};

}  // namespace soquete
