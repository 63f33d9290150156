// Reading addresses: the parts that address, prefix, endpoint and where have in common. Not public.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <soquete/address.hpp>
#include <soquete/error.hpp>
#include <string>
#include <string_view>

namespace soquete::text {

/// Why a text was not read: the part that is wrong, and words that go on from it; no words if it was read.
/// Costs nothing to make, so that a flood of bad texts is cheap to turn down.
struct refusal {
  std::string_view part;
  std::string_view words;

  explicit operator bool() const noexcept { return !words.empty(); }
};

/// At most `length_max` bytes of `raw`, escaped. Errors go to logs and terminals: what a peer wrote must
/// neither fill nor steer them.
std::string shown(std::string_view raw, std::size_t length_max = 256);

/// The refusal as the error that a public parse function returns: bad_address, with `whole` for its subject.
std::unexpected<error> fail(std::string_view whole, refusal);
std::unexpected<error> fail(std::string_view whole, std::string_view detail);

/// As inet_pton(3), whole text or nothing; `into` is written on success only.
refusal read_v4(std::string_view, std::array<std::uint8_t, 4>& into) noexcept;
refusal read_v6(std::string_view, std::array<std::uint8_t, 16>& into) noexcept;

/// Either family, with an optional zone.
refusal read_address(std::string_view, zone_lookup, address& into) noexcept;

/// "host:port", "[host]:port", ":port". The host is not looked at, but for a second colon.
struct host_port {
  std::string_view host;
  bool in_brackets = false;
  std::uint16_t port = 0;
};
refusal read_host_port(std::string_view, host_port& into) noexcept;

/// An address out of a host_port: IPv6 in brackets, IPv4 without.
refusal read_host_address(const host_port&, zone_lookup, address& into) noexcept;

/// Digits only, no leading zero but in "0" itself, at most `max`.
std::optional<std::uint32_t> decimal(std::string_view, std::uint32_t max) noexcept;

/// 45 characters of address, '%' and ten digits of zone; rounded up.
inline constexpr std::size_t address_length_max = 64;

/// Writes an address as to_string() does; returns the end.
char* put(char* to, const address&) noexcept;

/// The value of a hexadecimal digit, or -1.
int hex_digit(char) noexcept;

/// With "\xNN" for each byte that is not printable ASCII or is in `also`.
std::string escape(std::string_view raw, std::string_view also);

/// Reverses escape(), and takes "\\" for a backslash.
refusal unescape(std::string_view escaped, std::string& into);

}  // namespace soquete::text
