// What travels beside the bytes of a message, as macOS has it: less than on Linux.  cmsg(3), ip(4), ip6(4)
#include "kernel/ancillary.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/time.h>
#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>

namespace soquete::kernel {
namespace {

std::size_t size_of(const cmsghdr& c) noexcept { return c.cmsg_len - CMSG_LEN(0); }

template <class T>
T value_of(const cmsghdr& c) noexcept {
  T value{};
  std::memcpy(&value, CMSG_DATA(&c), std::min(sizeof value, size_of(c)));
  return value;
}

address v4_of(const in_addr& from) noexcept {
  std::array<std::uint8_t, 4> octets;
  std::memcpy(octets.data(), &from, octets.size());
  return address::v4(octets);
}

void read_destination(const in_pktinfo& info, received_message& into) noexcept {
  into.to = v4_of(info.ipi_addr);
  into.interface = info.ipi_ifindex;
  into.answer_from = v4_of(info.ipi_spec_dst);  // Of a broadcast or multicast: the interface's own.
}

void read_destination(const in6_pktinfo& info, received_message& into) noexcept {
  std::array<std::uint8_t, 16> octets;
  std::memcpy(octets.data(), &info.ipi6_addr, octets.size());
  const bool is_link_local = octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80;
  into.interface = info.ipi6_ifindex;
  into.to = address::v6(octets, is_link_local ? info.ipi6_ifindex : 0);
  const address plain = into.to.unmapped();
  const bool is_shared = plain.is_multicast() || (plain.is_v4() && plain.octets()[0] == 255);
  into.answer_from = is_shared ? address() : into.to;
}

void take_descriptors(const cmsghdr& c, received_message& into) {
  const std::size_t count = size_of(c) / sizeof(int);
  into.handles.reserve(into.handles.size() + count);
  for (std::size_t i = 0; i < count; ++i) {
    int number;
    std::memcpy(&number, CMSG_DATA(&c) + i * sizeof number, sizeof number);
    ::fcntl(number, F_SETFD, FD_CLOEXEC);  // There is no MSG_CMSG_CLOEXEC.
    into.handles.emplace_back(number);
  }
}

void read_of_socket(const cmsghdr& c, received_message& into) {
  if (c.cmsg_type == SCM_RIGHTS) return take_descriptors(c, into);
  if (c.cmsg_type != SCM_TIMESTAMP) return;
  const auto at = value_of<timeval>(c);
  into.when =
      std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::seconds(at.tv_sec) + std::chrono::microseconds(at.tv_usec)));
}

void read_of_v4(const cmsghdr& c, received_message& into) noexcept {
  switch (c.cmsg_type) {
    case IP_PKTINFO: return read_destination(value_of<in_pktinfo>(c), into);
    case IP_RECVTOS: into.traffic_class = value_of<std::uint8_t>(c); return;
    case IP_RECVTTL: into.hops = value_of<std::uint8_t>(c); return;
    default: return;
  }
}

void read_of_v6(const cmsghdr& c, received_message& into) noexcept {
  switch (c.cmsg_type) {
    case IPV6_PKTINFO: return read_destination(value_of<in6_pktinfo>(c), into);
    case IPV6_TCLASS: into.traffic_class = static_cast<std::int16_t>(value_of<int>(c)); return;
    case IPV6_HOPLIMIT: into.hops = static_cast<std::int16_t>(value_of<int>(c)); return;
    default: return;
  }
}

// Appends control messages, each at its alignment.
class control_writer {
 public:
  explicit control_writer(std::span<std::byte> room) noexcept : room_(room) {}

  template <class T>
  void add(int level, int type, const T& value) noexcept {
    add(level, type, std::as_bytes(std::span(&value, 1)));
  }
  void add(int level, int type, std::span<const std::byte> value) noexcept {
    assert(used_ + CMSG_SPACE(value.size()) <= room_.size());
    std::byte* const at = room_.data() + used_;
    std::memset(at, 0, CMSG_SPACE(value.size()));
    cmsghdr head{};
    head.cmsg_level = level;
    head.cmsg_type = type;
    head.cmsg_len = static_cast<socklen_t>(CMSG_LEN(value.size()));
    std::memcpy(at, &head, sizeof head);
    std::memcpy(at + CMSG_LEN(0), value.data(), value.size());
    used_ += CMSG_SPACE(value.size());
  }
  std::size_t used() const noexcept { return used_; }

 private:
  std::span<std::byte> room_;
  std::size_t used_ = 0;
};

void write_source(control_writer& out, const outgoing_message& from, bool v4) noexcept {
  if (v4) {
    in_pktinfo info{};
    info.ipi_ifindex = from.interface;
    if (from.from.is_v4()) std::memcpy(&info.ipi_spec_dst, from.from.octets().data(), 4);
    return out.add(IPPROTO_IP, IP_PKTINFO, info);
  }
  in6_pktinfo info{};
  info.ipi6_ifindex = from.interface != 0 ? from.interface : from.from.zone();
  if (from.from.is_v6()) std::memcpy(&info.ipi6_addr, from.from.octets().data(), 16);
  out.add(IPPROTO_IPV6, IPV6_PKTINFO, info);
}

}  // namespace

void read_control(msghdr& from, received_message& into) {
  if ((from.msg_flags & MSG_CTRUNC) != 0) into.handles_lost = true;
  // The size of what was cut off is not told: it was at least one byte more.
  if ((from.msg_flags & MSG_TRUNC) != 0) into.length = into.size + 1;
  for (cmsghdr* c = CMSG_FIRSTHDR(&from); c != nullptr; c = CMSG_NXTHDR(&from, c)) {
    switch (c->cmsg_level) {
      case SOL_SOCKET: read_of_socket(*c, into); break;
      case IPPROTO_IP: read_of_v4(*c, into); break;
      case IPPROTO_IPV6: read_of_v6(*c, into); break;
      default: break;
    }
  }
}

void write_control(const outgoing_message& from, const socket_block& on, std::uint32_t,
                   std::span<std::byte> room, msghdr& header) noexcept {
  control_writer out(room);
  if (!from.handles.empty()) {
    std::array<int, message_handles_max> numbers;
    assert(from.handles.size() <= numbers.size());
    std::transform(from.handles.begin(), from.handles.end(), numbers.begin(),
                   [](const owned_descriptor& one) { return one.descriptor(); });
    out.add(SOL_SOCKET, SCM_RIGHTS, std::as_bytes(std::span(numbers).first(from.handles.size())));
  }
  if (on.domain != family::local) {
    const bool v4 = on.domain == family::v4;
    if (!from.from.is_unspecified() || from.interface != 0) write_source(out, from, v4);
    if (from.traffic_class >= 0)
      out.add(v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, int{from.traffic_class});
    if (from.hops >= 0) out.add(IPPROTO_IPV6, IPV6_HOPLIMIT, int{from.hops});
  }
  header.msg_control = out.used() != 0 ? room.data() : nullptr;
  header.msg_controllen = static_cast<socklen_t>(out.used());
}

int refusal_of(const outgoing_message& which, const socket_block& on) noexcept {
  const bool needs_more = which.sender != nullptr || (which.hops >= 0 && on.domain == family::v4);
  if (needs_more) return EOPNOTSUPP;
  return which.to != nullptr ? refusal_of(*which.to) : 0;
}

}  // namespace soquete::kernel
