// Endpoints as the kernel wants them.  sockaddr(3type), ip(7), ipv6(7), unix(7).
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <soquete/endpoint.hpp>

namespace soquete::kernel {

struct socket_address {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  socket_address() = default;
  explicit socket_address(const endpoint& from) noexcept;

  sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
  /// Nothing, when the kernel told no address or one of another family.
  endpoint to_endpoint() const noexcept;
};

/// Writes it as the kernel wants it, and gives its size: 0 for nothing.
socklen_t write_address(const endpoint& from, sockaddr_storage& into) noexcept;

/// The endpoint in an address that the kernel has written; nothing, if it is of another family.
endpoint endpoint_of(const sockaddr_storage& storage, socklen_t size) noexcept;

}  // namespace soquete::kernel
