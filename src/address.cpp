// What kind of address it is.  RFC 6890 and the IANA registries of special-purpose addresses.
#include <soquete/address.hpp>

#include <cstring>

namespace soquete {

namespace {

// The first bytes of an address, as one number: what most blocks are told by.
std::uint32_t head(const address& of) noexcept {
  const auto o = of.octets();
  return std::uint32_t{o[0]} << 24 | std::uint32_t{o[1]} << 16 | std::uint32_t{o[2]} << 8 |
         std::uint32_t{o[3]};
}

constexpr bool begins(std::uint32_t number, std::uint32_t with, unsigned bits) noexcept {
  return (number ^ with) >> (32 - bits) == 0;
}

bool all_zero(std::span<const std::uint8_t> octets) noexcept {
  for (const std::uint8_t one : octets)
    if (one != 0) return false;
  return true;
}

struct block {
  std::uint32_t head;
  unsigned bits;
};

constexpr block special_v4[] = {
    {0x00000000, 8},   // 0.0.0.0/8        this network         RFC 791
    {0x0a000000, 8},   // 10.0.0.0/8       private              RFC 1918
    {0x64400000, 10},  // 100.64.0.0/10    shared by carriers   RFC 6598
    {0x7f000000, 8},   // 127.0.0.0/8      loopback             RFC 1122
    {0xa9fe0000, 16},  // 169.254.0.0/16   link-local           RFC 3927
    {0xac100000, 12},  // 172.16.0.0/12    private              RFC 1918
    {0xc0000000, 24},  // 192.0.0.0/24     protocol assignments RFC 6890
    {0xc0000200, 24},  // 192.0.2.0/24     documentation        RFC 5737
    {0xc0586300, 24},  // 192.88.99.0/24   6to4 relays, retired RFC 7526
    {0xc0a80000, 16},  // 192.168.0.0/16   private              RFC 1918
    {0xc6120000, 15},  // 198.18.0.0/15    benchmarks           RFC 2544
    {0xc6336400, 24},  // 198.51.100.0/24  documentation        RFC 5737
    {0xcb007100, 24},  // 203.0.113.0/24   documentation        RFC 5737
    {0xe0000000, 3},   // 224.0.0.0/3      multicast, reserved, broadcast  RFC 5771, 1112, 919
};

constexpr block special_v6[] = {
    {0x20010000, 23},  // 2001::/23      protocol assignments, Teredo  RFC 2928
    {0x20010db8, 32},  // 2001:db8::/32  documentation                 RFC 3849
    {0x20020000, 16},  // 2002::/16      6to4                          RFC 3056
    {0x3fff0000, 20},  // 3fff::/20      documentation                 RFC 9637
};

}  // namespace

bool address::is_unspecified() const noexcept { return all_zero(unmapped().octets()); }

bool address::is_loopback() const noexcept {
  const address plain = unmapped();
  if (plain.is_v4()) return begins(head(plain), 0x7f000000, 8);
  return all_zero(octets().first(15)) && octets_[15] == 1;
}

bool address::is_multicast() const noexcept {
  const address plain = unmapped();
  return plain.is_v4() ? begins(head(plain), 0xe0000000, 4) : begins(head(plain), 0xff000000, 8);
}

bool address::is_link_local() const noexcept {
  const address plain = unmapped();
  return plain.is_v4() ? begins(head(plain), 0xa9fe0000, 16) : begins(head(plain), 0xfe800000, 10);
}

bool address::is_private() const noexcept {
  const address plain = unmapped();
  const std::uint32_t first = head(plain);
  if (plain.is_v6()) return begins(first, 0xfc000000, 7);
  return begins(first, 0x0a000000, 8) || begins(first, 0xac100000, 12) || begins(first, 0xc0a80000, 16);
}

bool address::is_documentation() const noexcept {
  const address plain = unmapped();
  const std::uint32_t first = head(plain);
  if (plain.is_v6()) return begins(first, 0x20010db8, 32) || begins(first, 0x3fff0000, 20);
  return begins(first, 0xc0000200, 24) || begins(first, 0xc6336400, 24) || begins(first, 0xcb007100, 24);
}

bool address::is_global() const noexcept {
  const address plain = unmapped();
  const std::uint32_t first = head(plain);
  const bool v4 = plain.is_v4();
  if (!v4 && !begins(first, 0x20000000, 3)) return false;
  for (const block& special : v4 ? std::span<const block>(special_v4) : std::span<const block>(special_v6))
    if (begins(first, special.head, special.bits)) return false;
  return true;
}

}  // namespace soquete

std::size_t std::hash<soquete::address>::operator()(const soquete::address& of) const noexcept {
  std::uint64_t words[2] = {};
  std::memcpy(words, of.octets().data(), of.octets().size());
  std::uint64_t mixed = of.zone() + (of.is_v6() ? 0x9e3779b97f4a7c15U : 0U);
  for (const std::uint64_t word : words) {
    mixed = (mixed ^ word) * 0xbf58476d1ce4e5b9U;
    mixed ^= mixed >> 31;
  }
  return static_cast<std::size_t>(mixed * 0x94d049bb133111ebU ^ mixed >> 29);
}
