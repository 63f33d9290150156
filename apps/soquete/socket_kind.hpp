// What a descriptor is to the kernel.  getsockopt(2)
#pragma once

#include <cstdint>

namespace command {

/// What sockets meet over.
enum class network : std::uint8_t {
  none,   ///< It is no socket.
  ip,     ///< TCP, UDP.
  local,  ///< Names of this machine.  unix(7)
};

/// What travels between them.
enum class carrier : std::uint8_t {
  bytes,      ///< A stream.
  datagrams,  ///< Messages, each by itself.
  records,    ///< Messages of a connection.  SOCK_SEQPACKET
};

/// A socket, or what is none.
struct socket_kind {
  network over = network::none;
  carrier what = carrier::bytes;
  bool is_listening = false;  ///< Does it accept connections?
  bool has_peer = false;      ///< Is it connected?
  bool has_path = false;      ///< Is it bound to a name in the file system?

  bool is_socket() const noexcept { return over != network::none; }
};

/// Asks about an open descriptor. One that is closed, or no socket of those, is none.
socket_kind kind_of(int descriptor) noexcept;

}  // namespace command
