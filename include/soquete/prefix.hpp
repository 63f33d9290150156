// Blocks of addresses in CIDR notation: "10.0.0.0/8".  RFC 4632, RFC 4291 section 2.3.
#pragma once

#include <cstdint>
#include <soquete/address.hpp>
#include <soquete/error.hpp>
#include <string>
#include <string_view>

namespace soquete {

/// All addresses that begin with the same bits. The bits after them are always zero here.
///
/// An IPv4 address is one thing, however it is written: 10.0.0.0/8 contains 10.1.2.3 and ::ffff:10.1.2.3,
/// and ::ffff:10.0.0.0/104 is 10.0.0.0/8. No IPv6 prefix contains an IPv4 address, so ::/0 alone does not
/// admit IPv4 clients of a dual-stack socket. Addresses wrapped for 6to4 or NAT64 are plain IPv6.
class prefix {
 public:
  /// 0.0.0.0/0: all of IPv4.
  constexpr prefix() noexcept = default;

  /// The first `length` bits of `base`; the other bits and the zone are dropped.
  /// Errors: bad_address if `length` is over 32 for IPv4 or 128 for IPv6, or if it cuts the
  /// mark of a v4-mapped base (below 96), which would mean another block than the one written.
  static result<prefix> of(const address& base, unsigned length);

  /// Reads an address, '/' and a decimal length without leading zeros. An address alone is the prefix of
  /// just itself. No zones. Bits after the length must be zero: 10.1.2.3/8 is refused, as it may mean
  /// 10.0.0.0/8 or 10.1.2.3/32.
  /// Errors: bad_address, with a detail.
  static result<prefix> parse(std::string_view text);

  /// True if the address begins with these bits. Its zone does not matter.
  bool contains(const address&) const noexcept;

  /// The first address of the block.
  constexpr const address& base() const noexcept { return base_; }

  /// How many bits count: 0 to 32, or to 128.
  constexpr unsigned length() const noexcept { return length_; }

  friend constexpr bool operator==(const prefix&, const prefix&) noexcept = default;
  friend constexpr std::strong_ordering operator<=>(const prefix&, const prefix&) noexcept = default;

 private:
  address base_;
  std::uint8_t length_ = 0;
};

static_assert(std::is_trivially_copyable_v<prefix>);

/// "10.0.0.0/8", always with the length. parse() reads it back to the same value.
std::string to_string(const prefix&);

}  // namespace soquete
