// Joining and leaving groups.  RFC 3678, ip(7), ipv6(7)
#include <netinet/in.h>
#include <sys/socket.h>
#include <cstring>

#include "kernel/kernel_driver.hpp"
#include "kernel/sockaddr.hpp"

namespace soquete::kernel {
namespace {

result<void> change(const socket_block& block, const group_membership& which, int of_any, int of_one) {
  const address plain = which.group.unmapped();
  const int level = plain.is_v4() ? IPPROTO_IP : IPPROTO_IPV6;
  const std::uint32_t interface = which.interface != 0 ? which.interface : plain.zone();
  const socket_address group(endpoint(plain, 0));
  int done;
  if (which.source.is_unspecified()) {
    group_req wanted{};
    wanted.gr_interface = interface;
    std::memcpy(&wanted.gr_group, &group.storage, group.size);
    done = ::setsockopt(block.descriptor, level, of_any, &wanted, sizeof wanted);
  } else {
    const socket_address source(endpoint(which.source.unmapped(), 0));
    group_source_req wanted{};
    wanted.gsr_interface = interface;
    std::memcpy(&wanted.gsr_group, &group.storage, group.size);
    std::memcpy(&wanted.gsr_source, &source.storage, source.size);
    done = ::setsockopt(block.descriptor, level, of_one, &wanted, sizeof wanted);
  }
  if (done != 0) return fail(system_error(step::set_option));
  return {};
}

}  // namespace

result<void> kernel_driver::join(socket_block& block, const group_membership& which) {
  return change(block, which, MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP);
}

result<void> kernel_driver::leave(socket_block& block, const group_membership& which) {
  return change(block, which, MCAST_LEAVE_GROUP, MCAST_LEAVE_SOURCE_GROUP);
}

}  // namespace soquete::kernel
