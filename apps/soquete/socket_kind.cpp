// What a descriptor is to the kernel.
#include "socket_kind.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <cstddef>

namespace command {
namespace {

int option_of(int descriptor, int which) noexcept {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(descriptor, SOL_SOCKET, which, &value, &size) == 0 ? value : -1;
}

}  // namespace

socket_kind kind_of(int descriptor) noexcept {
  socket_kind kind;
  sockaddr_storage at{};
  socklen_t size = sizeof at;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&at), &size) != 0) return kind;
  const int type = option_of(descriptor, SO_TYPE);
  const bool is_ip = at.ss_family == AF_INET || at.ss_family == AF_INET6;
  const bool is_known = type == SOCK_STREAM || type == SOCK_DGRAM || type == SOCK_SEQPACKET;
  if ((!is_ip && at.ss_family != AF_UNIX) || !is_known) return kind;
  kind.over = is_ip ? network::ip : network::local;
  kind.what = type == SOCK_DGRAM       ? carrier::datagrams
              : type == SOCK_SEQPACKET ? carrier::records
                                       : carrier::bytes;
  kind.has_path = at.ss_family == AF_UNIX && size > offsetof(sockaddr_un, sun_path) &&
                  reinterpret_cast<const sockaddr_un&>(at).sun_path[0] != '\0';
  kind.is_listening = option_of(descriptor, SO_ACCEPTCONN) > 0;
  size = sizeof at;
  kind.has_peer = ::getpeername(descriptor, reinterpret_cast<sockaddr*>(&at), &size) == 0;
  return kind;
}

}  // namespace command
