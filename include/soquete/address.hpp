// IPv4 and IPv6 addresses: values, classes, text.  RFC 791, 4291, 4007, 5952.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <soquete/error.hpp>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace soquete {

/// Finds the number of a zone (on Linux: of a network interface) by its name; 0 when there is none.
/// The kernel floor has one for the real system; a simulated network may have another.
using zone_lookup = std::uint32_t (*)(std::string_view name) noexcept;

/// An IPv4 or IPv6 address, with the zone of the latter. A plain value: copy it freely.
///
/// The order is: IPv4 before IPv6, then as numbers, then by zone. 1.2.3.4 and ::ffff:1.2.3.4 are not
/// equal; compare unmapped() values where both may occur. The questions from is_unspecified() on do see
/// through the mapped form, so that a filter cannot be passed by writing an address in another way.
class address {
 public:
  /// 0.0.0.0, the same as any_v4().
  constexpr address() noexcept = default;

  /// From bytes in network order, as written from left to right.
  static constexpr address v4(std::array<std::uint8_t, 4> octets) noexcept;

  /// Likewise. Zone 0 means none. A v4-mapped address has no zone: `zone` is then ignored.
  static constexpr address v6(std::array<std::uint8_t, 16> octets, std::uint32_t zone = 0) noexcept;

  static constexpr address any_v4() noexcept { return v4({0, 0, 0, 0}); }         ///< 0.0.0.0
  static constexpr address any_v6() noexcept { return v6({}); }                   ///< ::
  static constexpr address loopback_v4() noexcept { return v4({127, 0, 0, 1}); }  ///< 127.0.0.1
  static constexpr address loopback_v6() noexcept;                                ///< ::1

  /// Reads exactly what inet_pton(3) reads, for either family, and on IPv6 an optional `%zone`: a decimal
  /// number from 1 to 4294967295, or any other name if `find_zone` knows it. No brackets, no spaces, no
  /// short, octal or hexadecimal IPv4, no zone on a v4-mapped address.
  /// Errors: bad_address, with a detail.  RFC 4291 section 2.2, RFC 4007 section 11
  static result<address> parse(std::string_view text, zone_lookup find_zone = nullptr);

  constexpr bool is_v4() const noexcept { return family_ == family::v4; }  ///< Is it an IPv4 address?
  /// Is it an IPv6 address, mapped ones included?
  constexpr bool is_v6() const noexcept { return family_ == family::v6; }

  /// 4 or 16 bytes in network order. They live as long as this address.
  constexpr std::span<const std::uint8_t> octets() const noexcept {
    return {octets_.data(), is_v4() ? 4U : 16U};
  }

  /// The zone in which a link-local address is meant (a scope id), or 0.  RFC 4007
  constexpr std::uint32_t zone() const noexcept { return zone_; }

  /// The same address in that zone; 0 removes it. IPv4 and v4-mapped addresses have none and stay.
  constexpr address with_zone(std::uint32_t zone) const noexcept;

  /// ::ffff:0:0/96: an IPv4 address as a dual-stack IPv6 socket shows it.  RFC 4291 section 2.5.5.2
  constexpr bool is_v4_mapped() const noexcept;

  /// The IPv4 address inside a v4-mapped one; any other as it is.
  constexpr address unmapped() const noexcept;

  /// ::ffff:1.2.3.4 for 1.2.3.4; an IPv6 address as it is.
  constexpr address mapped() const noexcept;

  /// 0.0.0.0 or ::.  RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.2
  bool is_unspecified() const noexcept;

  /// 127.0.0.0/8 or ::1.  RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3
  bool is_loopback() const noexcept;

  /// 224.0.0.0/4 or ff00::/8.  RFC 5771, RFC 4291 section 2.7
  bool is_multicast() const noexcept;

  /// 169.254.0.0/16 or fe80::/10.  RFC 3927, RFC 4291 section 2.5.6
  bool is_link_local() const noexcept;

  /// 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, or the unique local fc00::/7.  RFC 1918, RFC 4193
  bool is_private() const noexcept;

  /// 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32 or 3fff::/20.  RFC 5737, 3849, 9637
  bool is_documentation() const noexcept;

  /// Unicast that the whole Internet may route. On the safe side: an address of any block that the
  /// registries of RFC 6890 hold for special uses is not global, nor is one that wraps an IPv4 address for
  /// 6to4 or NAT64; of IPv6 only 2000::/3 is.
  bool is_global() const noexcept;

  friend constexpr bool operator==(const address&, const address&) noexcept = default;
  friend constexpr std::strong_ordering operator<=>(const address&, const address&) noexcept = default;

 private:
  enum class family : std::uint8_t { v4 = 4, v6 = 6 };

  // The order of the members is the order of the values.
  family family_ = family::v4;
  std::array<std::uint8_t, 16> octets_{};  // Of IPv4 the first four; the rest is zero.
  std::uint32_t zone_ = 0;
};

static_assert(std::is_trivially_copyable_v<address>);
static_assert(sizeof(address) == 24);

/// The canonical text: lower case, the longest run of zeros shortened, ::ffff:1.2.3.4 for v4-mapped, and
/// the zone as a number. parse() reads it back to the same value.  RFC 5952
std::string to_string(const address&);

constexpr address address::v4(std::array<std::uint8_t, 4> octets) noexcept {
  address made;
  for (std::size_t i = 0; i < octets.size(); ++i) made.octets_[i] = octets[i];
  return made;
}

constexpr address address::v6(std::array<std::uint8_t, 16> octets, std::uint32_t zone) noexcept {
  address made;
  made.family_ = family::v6;
  made.octets_ = octets;
  return made.with_zone(zone);
}

constexpr address address::loopback_v6() noexcept {
  return v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
}

constexpr address address::with_zone(std::uint32_t zone) const noexcept {
  address moved = *this;
  if (is_v6() && !is_v4_mapped()) moved.zone_ = zone;
  return moved;
}

constexpr bool address::is_v4_mapped() const noexcept {
  if (!is_v6()) return false;
  for (std::size_t i = 0; i < 10; ++i)
    if (octets_[i] != 0) return false;
  return octets_[10] == 0xff && octets_[11] == 0xff;
}

constexpr address address::unmapped() const noexcept {
  if (!is_v4_mapped()) return *this;
  return v4({octets_[12], octets_[13], octets_[14], octets_[15]});
}

constexpr address address::mapped() const noexcept {
  if (is_v6()) return *this;
  return v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, octets_[0], octets_[1], octets_[2], octets_[3]});
}

}  // namespace soquete

/// Mixes all bits. Not proof against those who choose addresses to collide: bound what you key by it.
template <>
struct std::hash<soquete::address> {
  std::size_t operator()(const soquete::address&) const noexcept;
};
