// Messages of a simulated network as IP packets.
#include "world/packet.hpp"

#include <algorithm>
#include <span>

namespace soquete::sim {
namespace {

constexpr std::uint8_t icmp = 1, tcp = 6, udp = 17, icmp_v6 = 58, fragment = 44;
constexpr std::uint8_t fin = 1, syn = 2, rst = 4, psh = 8, ack = 16;
constexpr std::size_t ethernet_mtu = 1500, loopback_mtu = 65'535;  // The longest that IPv4 can say.
constexpr std::size_t tcp_header = 20;
constexpr std::uint32_t window_field_max = 65'535;

using view = std::span<const std::uint8_t>;

class writer {
 public:
  writer& byte(std::uint64_t value) { return made_.push_back(static_cast<std::uint8_t>(value)), *this; }
  writer& two(std::uint64_t value) { return byte(value >> 8).byte(value); }
  writer& four(std::uint64_t value) { return two(value >> 16).two(value); }
  writer& all(view part) { return made_.insert(made_.end(), part.begin(), part.end()), *this; }
  octets take() { return std::move(made_); }

 private:
  octets made_;
};

void put_two(octets& into, std::size_t at, std::uint16_t value) {
  into[at] = static_cast<std::uint8_t>(value >> 8);
  into[at + 1] = static_cast<std::uint8_t>(value);
}

bool is_v4(const message& one) noexcept { return one.source.at.is_v4(); }
std::size_t ip_header(const message& one) noexcept { return is_v4(one) ? 20 : 40; }
std::size_t mtu(const message& one) noexcept { return one.from == one.to ? loopback_mtu : ethernet_mtu; }

view payload_of(const message& one) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(one.payload.data()), one.payload.size()};
}

// What both headers of IP give to the checksums of TCP, UDP and ICMPv6.
std::uint32_t pseudo_header(const address& from, const address& to, std::uint8_t protocol, std::size_t size) {
  std::uint32_t sum =
      protocol + static_cast<std::uint32_t>(size >> 16) + static_cast<std::uint32_t>(size & 0xffff);
  for (const address& each : {from, to})
    for (std::size_t i = 0; i < each.octets().size(); i += 2)
      sum += static_cast<std::uint32_t>(each.octets()[i] << 8 | each.octets()[i + 1]);
  return sum;
}

// The header of IP before `content`. An offset in bytes, and whether more follows, are for fragments.
octets in_ip(const message& one, std::uint8_t protocol, view content, std::uint64_t number,
             std::size_t offset = 0, bool has_more = false, bool is_whole = true) {
  writer w;
  const auto traffic = static_cast<std::uint8_t>(one.traffic_class);
  const auto hops = static_cast<std::uint8_t>(one.hops);
  const std::uint64_t place = offset / 8;
  if (is_v4(one)) {
    const bool may_fragment = protocol != tcp;
    w.byte(0x45).byte(traffic).two(20 + content.size()).two(number);
    w.two((may_fragment ? 0 : 0x4000) | (has_more ? 0x2000 : 0) | place).byte(hops).byte(protocol).two(0);
    w.all(one.source.at.octets()).all(one.target.at.octets());
    octets made = w.take();
    put_two(made, 10, internet_checksum(made));
    made.insert(made.end(), content.begin(), content.end());
    return made;
  }
  const std::size_t more = is_whole ? 0 : 8;
  w.four(0x6000'0000U | std::uint32_t{traffic} << 20).two(content.size() + more);
  w.byte(is_whole ? protocol : fragment).byte(hops);
  w.all(one.source.at.octets()).all(one.target.at.octets());
  if (!is_whole) w.byte(protocol).byte(0).two(place << 3 | (has_more ? 1 : 0)).four(number);
  return w.all(content).take();
}

// Where the numbers of this side begin.
std::uint32_t first_number(const message& one, unsigned side) noexcept {
  return static_cast<std::uint32_t>(mixed(one.connection << 1 | side));
}

// Windows above 65,535 are told in larger units.  RFC 7323
unsigned window_shift(const message& one) noexcept {
  unsigned shift = 0;
  while ((one.window_max >> shift) > window_field_max && shift != 14) ++shift;
  return shift;
}

octets segment(const message& one, std::uint8_t flags, std::uint64_t position, view part,
               std::uint64_t number) {
  const bool is_first = (flags & syn) != 0;
  const std::uint32_t sequence =
      first_number(one, one.side) + static_cast<std::uint32_t>(position) + (is_first ? 0 : 1);
  const std::uint32_t answer =
      first_number(one, 1 - one.side) + static_cast<std::uint32_t>(one.acknowledged) + 1;
  const unsigned shift = is_first ? 0 : window_shift(one);
  const std::uint64_t window = (one.window + (std::size_t{1} << shift) - 1) >> shift;
  const std::size_t options = is_first ? 8 : 0;
  writer w;
  w.two(one.source.port).two(one.target.port);
  w.four(one.what == parcel::refusal ? 0 : sequence).four((flags & ack) != 0 ? answer : 0);
  w.byte((tcp_header + options) / 4 << 4).byte(flags);
  w.two(one.what == parcel::refusal ? 0 : std::min<std::uint64_t>(window, window_field_max)).two(0).two(0);
  if (is_first) {
    const std::size_t segment_max = mtu(one) - ip_header(one) - tcp_header;
    w.byte(2).byte(4).two(segment_max).byte(1).byte(3).byte(3).byte(window_shift(one));
  }
  octets made = w.all(part).take();
  const std::uint32_t sum = pseudo_header(one.source.at, one.target.at, tcp, made.size());
  put_two(made, 16, internet_checksum(made, sum));
  return in_ip(one, tcp, made, number);
}

std::vector<octets> segments(const message& one, std::uint64_t number) {
  switch (one.what) {
    case parcel::ask: return {segment(one, syn, 0, {}, number)};
    case parcel::agree: return {segment(one, syn | ack, 0, {}, number)};
    case parcel::end: return {segment(one, fin | ack, one.position, {}, number)};
    case parcel::reset:
    case parcel::refusal: return {segment(one, rst | ack, one.position, {}, number)};
    case parcel::bytes: break;
    default: return {segment(one, ack, one.position, {}, number)};
  }
  std::vector<octets> all;
  const view whole = payload_of(one);
  const std::size_t most = mtu(one) - ip_header(one) - tcp_header;
  for (std::size_t at = 0; at < whole.size(); at += most) {
    const view part = whole.subspan(at, std::min(most, whole.size() - at));
    const bool is_last = at + part.size() == whole.size();
    all.push_back(segment(one, is_last ? psh | ack : ack, one.position + at, part, number));
  }
  return all;
}

octets datagram(const end_name& from, const end_name& to, view content, std::size_t size) {
  octets made = writer().two(from.port).two(to.port).two(size + 8).two(0).all(content).take();
  if (content.size() != size) return made;  // A part of it has no checksum.
  const std::uint16_t sum = internet_checksum(made, pseudo_header(from.at, to.at, udp, made.size()));
  put_two(made, 6, sum == 0 ? 0xffff : sum);
  return made;
}

std::vector<octets> fragments(const message& one, std::uint64_t number) {
  const octets made = datagram(one.source, one.target, payload_of(one), one.size);
  const view whole(made);
  const std::size_t header = ip_header(one);
  if (whole.size() + header <= mtu(one)) return {in_ip(one, udp, whole, number)};
  std::vector<octets> all;
  const std::size_t room = mtu(one) - header - (is_v4(one) ? 0 : 8);
  const std::size_t most = room / 8 * 8;
  for (std::size_t at = 0; at < whole.size(); at += most) {
    const view part = whole.subspan(at, std::min(most, whole.size() - at));
    all.push_back(in_ip(one, udp, part, number, at, at + part.size() < whole.size(), false));
  }
  return all;
}

// The news that a datagram was refused quotes it.
octets unreachable(const message& one, std::uint64_t number) {
  message refused = one;
  std::swap(refused.source, refused.target);
  const octets quoted = datagram(refused.source, refused.target, payload_of(one), one.size);
  octets whole = in_ip(refused, udp, quoted, number);
  if (one.payload.size() != one.size) {  // What it says of its length is that of all of it.
    const std::size_t size = std::min(one.size + 8 + (is_v4(one) ? 20U : 0U), std::size_t{0xffff});
    put_two(whole, is_v4(one) ? 2 : 4, static_cast<std::uint16_t>(size));
    if (is_v4(one)) {
      put_two(whole, 10, 0);
      put_two(whole, 10, internet_checksum(octets(whole.begin(), whole.begin() + 20)));
    }
  }
  octets made = writer().byte(is_v4(one) ? 3 : 1).byte(is_v4(one) ? 3 : 4).two(0).four(0).all(whole).take();
  const std::uint32_t sum =
      is_v4(one) ? 0 : pseudo_header(one.source.at, one.target.at, icmp_v6, made.size());
  put_two(made, 2, internet_checksum(made, sum));
  return in_ip(one, is_v4(one) ? icmp : icmp_v6, made, number);
}

}  // namespace

std::uint16_t internet_checksum(const octets& of, std::uint32_t begin) noexcept {
  std::uint64_t sum = begin;
  for (std::size_t i = 0; i < of.size(); i += 2)
    sum += static_cast<std::uint64_t>(of[i] << 8 | (i + 1 < of.size() ? of[i + 1] : 0));
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::vector<octets> packets_of(const message& one, std::uint64_t number) {
  if (one.what == parcel::datagram) return fragments(one, number);
  if (one.what == parcel::unreachable) return {unreachable(one, number)};
  return segments(one, number);
}

}  // namespace soquete::sim
