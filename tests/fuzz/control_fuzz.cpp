// What comes beside a message, in any order, of any size, and cut where the kernel may cut it; addresses of
// any bytes; and what we write ourselves.  cmsg(3), sockaddr(3type)
//
// The kernel writes these, never a peer: what has to hold is that nothing is read that is not there, and that
// every descriptor is owned, once.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "kernel/ancillary.hpp"
#include "kernel/sockaddr.hpp"

namespace {

using namespace soquete;
using namespace soquete::kernel;

void must(bool law) {
  if (!law) std::abort();
}

class source {
 public:
  source(const std::uint8_t* data, std::size_t size) noexcept : rest_(data, size) {}
  bool is_empty() const noexcept { return rest_.empty(); }
  std::uint8_t byte() noexcept {
    if (rest_.empty()) return 0;
    const std::uint8_t first = rest_.front();
    rest_ = rest_.subspan(1);
    return first;
  }
  void fill(void* into, std::size_t size) noexcept {
    for (std::size_t i = 0; i < size; ++i) static_cast<std::uint8_t*>(into)[i] = byte();
  }

 private:
  std::span<const std::uint8_t> rest_;
};

constexpr std::array<std::array<int, 2>, 12> kinds{{{SOL_SOCKET, SCM_RIGHTS},
                                                    {SOL_SOCKET, SCM_CREDENTIALS},
                                                    {SOL_SOCKET, SO_TIMESTAMPNS},
                                                    {SOL_SOCKET, SO_RXQ_OVFL},
                                                    {IPPROTO_IP, IP_PKTINFO},
                                                    {IPPROTO_IP, IP_TOS},
                                                    {IPPROTO_IP, IP_TTL},
                                                    {IPPROTO_IPV6, IPV6_PKTINFO},
                                                    {IPPROTO_IPV6, IPV6_TCLASS},
                                                    {IPPROTO_IPV6, IPV6_HOPLIMIT},
                                                    {IPPROTO_UDP, udp_receive_segments},
                                                    {0, 0}}};

// The kernel's clock is a 64-bit count of nanoseconds: four bytes of seconds are some of what it may tell.
void keep_to_the_clock(std::span<std::byte> value) noexcept {
  for (std::size_t i = 4; i < value.size(); ++i) value[i] = {};
}

// Written by hand and not by CMSG_NXTHDR, which is what is tested. Memory of exactly that size, so that a
// sanitizer sees a step too far.
void read_any(source& from) {
  std::vector<std::byte> all;
  std::size_t descriptors = 0;
  while (!from.is_empty() && all.size() < local_control_size) {
    const auto [level, type] = kinds[from.byte() % kinds.size()];
    const bool is_rights = level == SOL_SOCKET && type == SCM_RIGHTS;
    const std::size_t size = is_rights ? from.byte() % 4U * sizeof(int) : from.byte() % 40U;
    std::vector<std::byte> value(size);
    from.fill(value.data(), value.size());
    if (type == SO_TIMESTAMPNS) keep_to_the_clock(value);
    for (std::size_t at = 0; is_rights && at < size; at += sizeof(int)) {
      const int number = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
      std::memcpy(value.data() + at, &number, sizeof number);
      ++descriptors;
    }
    cmsghdr head{};
    head.cmsg_level = level;
    head.cmsg_type = type;
    head.cmsg_len = CMSG_LEN(size);
    const std::size_t start = all.size();
    // The last one is not always padded, and the kernel says how long it is.
    all.resize(start + (from.byte() % 4 == 0 ? CMSG_LEN(size) : CMSG_SPACE(size)));
    std::memcpy(all.data() + start, &head, sizeof head);
    if (size != 0) std::memcpy(all.data() + start + CMSG_LEN(0), value.data(), size);
    if (all.size() != start + CMSG_SPACE(size)) break;
  }
  received_message into;
  if (from.byte() % 2 == 0) into.from = endpoint(address::loopback_v6(), 1);
  msghdr header{};
  header.msg_control = all.empty() ? nullptr : all.data();
  header.msg_controllen = all.size();
  header.msg_flags = from.byte() % 2 == 0 ? MSG_CTRUNC : 0;
  read_control(header, into);
  must(into.handles.size() == descriptors);
  must(into.handles_lost == ((header.msg_flags & MSG_CTRUNC) != 0));
  for (const owned_descriptor& one : into.handles) must(::fcntl(one.descriptor(), F_GETFD) >= 0);
}

// What one end writes the other reads alike.
struct block final : socket_block {
  using socket_block::socket_block;
};
void write_and_read(source& from) {
  // Only its address is looked at.
  alignas(driver) static std::byte nobody[sizeof(driver)];
  block on(reinterpret_cast<driver&>(nobody));
  on.domain = static_cast<family>(from.byte() % 3);
  std::array<std::uint8_t, 16> octets;
  outgoing_message out;
  from.fill(octets.data(), octets.size());
  const bool is_v6 = on.domain == family::v6;
  const address peer =
      is_v6 ? address::v6(octets) : address::v4({octets[0], octets[1], octets[2], octets[3]});
  const endpoint to(peer, 9);
  if (on.domain != family::local) out.to = &to;
  from.fill(octets.data(), octets.size());
  if (on.domain != family::local) out.from = is_v6 ? address::v6(octets) : peer;
  out.hops = static_cast<std::int16_t>(from.byte());
  out.traffic_class = static_cast<std::int16_t>(from.byte());
  const credentials who{from.byte(), from.byte(), from.byte()};
  if (on.domain == family::local) out.sender = &who;

  alignas(cmsghdr) std::array<std::byte, local_control_size> room;
  msghdr header{};
  write_control(out, on, 0, room, header);
  must(header.msg_controllen <= room.size());
  received_message in;
  read_control(header, in);
  must(in.handles.empty() && !in.handles_lost);
  must(in.has_sender == (out.sender != nullptr) && (!in.has_sender || in.sender == who));
  if (on.domain == family::local) return;
  must(in.hops == out.hops);
  // IPv4's class is read as one byte, as the kernel writes it; we write an int, as it reads it.
  must(in.traffic_class == out.traffic_class);
}

void read_address(source& from) {
  sockaddr_storage any{};
  constexpr std::array<sa_family_t, 4> families{AF_INET, AF_INET6, AF_UNIX, AF_UNSPEC};
  const auto size = static_cast<socklen_t>(from.byte() % (sizeof any + 1));
  from.fill(&any, sizeof any);
  any.ss_family = families[static_cast<std::uint8_t>(any.ss_family) % families.size()];
  const endpoint read = endpoint_of(any, size);
  sockaddr_storage again{};
  const socklen_t written = write_address(read, again);
  must(written <= sizeof again);
  must(endpoint_of(again, written) == read);
  if (read.is_empty()) return;
  // An unnamed one prints as "unix:", which names no place.
  const auto parsed = endpoint::parse(to_string(read));
  if (parsed)
    must(*parsed == read);
  else
    must(read == endpoint::local_unnamed());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  source from(data, size);
  switch (from.byte() % 3) {
    case 0: read_any(from); break;
    case 1: write_and_read(from); break;
    default: read_address(from); break;
  }
  return 0;
}
