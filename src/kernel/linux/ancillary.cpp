// What travels beside the bytes of a message.
#include "kernel/ancillary.hpp"

#include <netinet/in.h>
#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

namespace soquete::kernel {
namespace {

template <class T>
T value_of(const cmsghdr& c) noexcept {
  T value{};
  std::memcpy(&value, CMSG_DATA(&c), std::min<std::size_t>(sizeof value, c.cmsg_len - CMSG_LEN(0)));
  return value;
}

address v4_of(const in_addr& from) noexcept {
  std::array<std::uint8_t, 4> octets;
  std::memcpy(octets.data(), &from, octets.size());
  return address::v4(octets);
}

address v6_of(const in6_addr& from, std::uint32_t interface) noexcept {
  std::array<std::uint8_t, 16> octets;
  std::memcpy(octets.data(), &from, octets.size());
  const bool is_link_local = octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80;
  return address::v6(octets, is_link_local ? interface : 0);
}

void read_destination(const in_pktinfo& info, received_message& into) noexcept {
  into.to = v4_of(info.ipi_addr);
  into.interface = static_cast<std::uint32_t>(info.ipi_ifindex);
  into.answer_from = v4_of(info.ipi_spec_dst);  // Of a broadcast or multicast: the interface's own.
}

// Beside IPv6's, of a datagram over IPv4: only this one tells which address to answer a broadcast from.
void read_mapped_destination(const in_pktinfo& info, received_message& into) noexcept {
  read_destination(info, into);
  into.to = into.to.mapped();
  into.answer_from = into.answer_from.mapped();
}

void read_destination(const in6_pktinfo& info, received_message& into) noexcept {
  into.interface = info.ipi6_ifindex;
  into.to = v6_of(info.ipi6_addr, info.ipi6_ifindex);
  into.answer_from = into.to.is_multicast() ? address() : into.to;
}

void take_descriptors(const cmsghdr& c, received_message& into) {
  const std::size_t count = (c.cmsg_len - CMSG_LEN(0)) / sizeof(int);
  into.handles.reserve(into.handles.size() + count);
  for (std::size_t i = 0; i < count; ++i) {
    int number;
    std::memcpy(&number, CMSG_DATA(&c) + i * sizeof number, sizeof number);
    into.handles.emplace_back(number);
  }
}

void read_of_socket(const cmsghdr& c, received_message& into) {
  switch (c.cmsg_type) {
    case SCM_RIGHTS: return take_descriptors(c, into);
    case SCM_CREDENTIALS: {
      const auto who = value_of<ucred>(c);
      into.sender = {who.pid, who.uid, who.gid};
      into.has_sender = true;
      return;
    }
    case SO_TIMESTAMPNS: {
      const auto at = value_of<timespec>(c);
      const auto since = std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec);
      into.when = std::chrono::system_clock::time_point(
          std::chrono::duration_cast<std::chrono::system_clock::duration>(since));
      return;
    }
    case SO_RXQ_OVFL: into.drops = value_of<std::uint32_t>(c); return;
    default: return;
  }
}

void read_of_v4(const cmsghdr& c, received_message& into) noexcept {
  switch (c.cmsg_type) {
    case IP_PKTINFO:
      return into.from.is_ip() && into.from.addr().is_v6()
                 ? read_mapped_destination(value_of<in_pktinfo>(c), into)
                 : read_destination(value_of<in_pktinfo>(c), into);
    case IP_TOS: into.traffic_class = value_of<std::uint8_t>(c); return;  // One byte, whatever is set.
    case IP_TTL: into.hops = static_cast<std::int16_t>(value_of<int>(c)); return;
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
    head.cmsg_len = static_cast<decltype(head.cmsg_len)>(CMSG_LEN(value.size()));
    std::memcpy(at, &head, sizeof head);
    std::memcpy(at + CMSG_LEN(0), value.data(), value.size());
    used_ += CMSG_SPACE(value.size());
  }
  std::size_t used() const noexcept { return used_; }

 private:
  std::span<std::byte> room_;
  std::size_t used_ = 0;
};

// To an IPv4 peer, also from a socket of both families, IPv4's options count.
bool goes_by_v4(const outgoing_message& m, const socket_block& on) noexcept {
  if (on.domain == family::v4) return true;
  const address& to = m.to != nullptr && m.to->is_ip() ? m.to->addr() : on.peer_address;
  return to.unmapped().is_v4() && (m.to != nullptr || on.has_peer);
}

void write_source_v4(control_writer& out, const address& from, std::uint32_t interface) noexcept {
  in_pktinfo info{};
  info.ipi_ifindex = static_cast<int>(interface);
  // Of the other family: what is surely not ours, so that it is refused.
  info.ipi_spec_dst.s_addr = from.is_v6() && !from.is_unspecified() ? INADDR_BROADCAST : INADDR_ANY;
  if (const address plain = from.unmapped(); plain.is_v4())
    std::memcpy(&info.ipi_spec_dst, plain.octets().data(), sizeof info.ipi_spec_dst);
  out.add(IPPROTO_IP, IP_PKTINFO, info);
}

void write_source_v6(control_writer& out, const address& from, std::uint32_t interface) noexcept {
  const address whole = from.is_unspecified() ? address::any_v6() : from.mapped();
  in6_pktinfo info{};
  info.ipi6_ifindex = interface != 0 ? interface : from.zone();
  std::memcpy(&info.ipi6_addr, whole.octets().data(), sizeof info.ipi6_addr);
  out.add(IPPROTO_IPV6, IPV6_PKTINFO, info);
}

}  // namespace

void read_control(msghdr& from, received_message& into) {
  // Without room for all descriptors the kernel has passed on those that fit, and closed the others.
  if ((from.msg_flags & MSG_CTRUNC) != 0) into.handles_lost = true;
  for (cmsghdr* c = CMSG_FIRSTHDR(&from); c != nullptr; c = CMSG_NXTHDR(&from, c)) {
    switch (c->cmsg_level) {
      case SOL_SOCKET: read_of_socket(*c, into); break;
      case IPPROTO_IP: read_of_v4(*c, into); break;
      case IPPROTO_IPV6: read_of_v6(*c, into); break;
      case IPPROTO_UDP:
        if (c->cmsg_type == udp_receive_segments)
          into.segment = static_cast<std::uint32_t>(value_of<int>(*c));
        break;
      default: break;
    }
  }
}

void write_control(const outgoing_message& from, const socket_block& on, std::uint32_t segment,
                   std::span<std::byte> room, msghdr& header) noexcept {
  control_writer out(room);
  if (!from.handles.empty()) {
    std::array<int, message_handles_max> numbers;
    assert(from.handles.size() <= numbers.size());
    std::transform(from.handles.begin(), from.handles.end(), numbers.begin(),
                   [](const owned_descriptor& one) { return one.descriptor(); });
    out.add(SOL_SOCKET, SCM_RIGHTS, std::as_bytes(std::span(numbers).first(from.handles.size())));
  }
  if (from.sender != nullptr)
    out.add(SOL_SOCKET, SCM_CREDENTIALS, ucred{from.sender->pid, from.sender->uid, from.sender->gid});
  if (on.domain != family::local) {
    const bool v4 = goes_by_v4(from, on);
    if (!from.from.is_unspecified() || from.interface != 0) {
      if (v4)
        write_source_v4(out, from.from, from.interface);
      else
        write_source_v6(out, from.from, from.interface);
    }
    if (from.traffic_class >= 0)
      out.add(v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, int{from.traffic_class});
    if (from.hops >= 0) out.add(v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TTL : IPV6_HOPLIMIT, int{from.hops});
    if (segment != 0) out.add(IPPROTO_UDP, udp_segment, static_cast<std::uint16_t>(segment));
  }
  header.msg_control = out.used() != 0 ? room.data() : nullptr;
  header.msg_controllen = static_cast<decltype(header.msg_controllen)>(out.used());
}

int refusal_of(const outgoing_message&, const socket_block&) noexcept { return 0; }

}  // namespace soquete::kernel
