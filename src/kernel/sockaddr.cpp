// Endpoints as the kernel wants them.
#include "kernel/sockaddr.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "kernel/system.hpp"

namespace soquete::kernel {

socket_address::socket_address(const endpoint& from) noexcept : size(write_address(from, storage)) {}

namespace {

socklen_t write_plain(const endpoint& from, sockaddr_storage& into) noexcept {
  if (from.is_local()) {
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    const std::string_view name = from.local_name();
    char* const start =
        local.sun_path + (from.is_abstract() ? 1 : 0);  // An abstract name begins with a zero.
    std::memcpy(start, name.data(), name.size());
    // A path is terminated where there is room; an abstract name is as long as it says.
    const auto used = static_cast<std::size_t>(start - local.sun_path) + name.size();
    std::memcpy(&into, &local, sizeof local);
    return static_cast<socklen_t>(
        offsetof(sockaddr_un, sun_path) +
        std::min(used + (from.is_abstract() || name.empty() ? 0 : 1), sizeof local.sun_path));
  }
  if (!from.is_ip()) return 0;
  if (from.addr().is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(from.port());
    std::memcpy(&v4.sin_addr, from.addr().octets().data(), 4);
    std::memcpy(&into, &v4, sizeof v4);
    return sizeof v4;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(from.port());
  v6.sin6_scope_id = from.addr().zone();
  std::memcpy(&v6.sin6_addr, from.addr().octets().data(), 16);
  std::memcpy(&into, &v6, sizeof v6);
  return sizeof v6;
}

}  // namespace

socklen_t write_address(const endpoint& from, sockaddr_storage& into) noexcept {
  const socklen_t size = write_plain(from, into);
#if defined(SIN6_LEN)  // RFC 3493, section 3.4: where addresses hold their own length.
  into.ss_len = static_cast<std::uint8_t>(size);
#endif
  return size;
}

endpoint socket_address::to_endpoint() const noexcept { return endpoint_of(storage, size); }

endpoint endpoint_of(const sockaddr_storage& storage, socklen_t size) noexcept {
  if (size >= sizeof(sockaddr_in) && storage.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &storage, sizeof v4);
    std::array<std::uint8_t, 4> octets;
    std::memcpy(octets.data(), &v4.sin_addr, octets.size());
    return {address::v4(octets), ntohs(v4.sin_port)};
  }
  if (size >= sizeof(sockaddr_in6) && storage.ss_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &storage, sizeof v6);
    std::array<std::uint8_t, 16> octets;
    std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
    return {address::v6(octets, v6.sin6_scope_id), ntohs(v6.sin6_port)};
  }
  if (size >= sizeof(sa_family_t) && storage.ss_family == AF_UNIX) {
    sockaddr_un local;
    std::memcpy(&local, &storage, sizeof local);
    // Of a path of all 108 bytes the kernel counts a zero byte that has no room.
    const std::size_t used = size > offsetof(sockaddr_un, sun_path)
                                 ? std::min(size - offsetof(sockaddr_un, sun_path), sizeof local.sun_path)
                                 : 0;
    if (used == 0 || (!is_linux && local.sun_path[0] == '\0')) return endpoint::local_unnamed();
    if (local.sun_path[0] == '\0')
      return endpoint::local_abstract({local.sun_path + 1, used - 1}).value_or(endpoint::local_unnamed());
    return endpoint::local_path({local.sun_path, strnlen(local.sun_path, used)})
        .value_or(endpoint::local_unnamed());
  }
  return {};
}

}  // namespace soquete::kernel
