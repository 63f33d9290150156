// Addresses out of text.  RFC 4291 section 2.2, RFC 4007 section 11, inet_pton(3).
#include <soquete/address.hpp>

#include <algorithm>

#include "text.hpp"

namespace soquete {

namespace text {

namespace {

refusal read_octet(std::string_view digits, std::uint8_t& into) noexcept {
  if (digits.empty()) return {"", "a number is missing beside a '.'"};
  const auto value = decimal(digits, 255);
  if (!value) {
    if (digits.find_first_not_of("0123456789") != digits.npos)
      return {digits, "is not a decimal number, as each of the four parts of an IPv4 address is"};
    if (digits.front() == '0') return {digits, "begins with a zero, which some programs read as octal"};
    return {digits, "is too large: each part of an IPv4 address is 0 to 255"};
  }
  into = static_cast<std::uint8_t>(*value);
  return {};
}

// How many of the first characters are hexadecimal digits, looking no further than five.
std::size_t count_hex(std::string_view rest) noexcept {
  std::size_t digits = 0;
  while (digits < rest.size() && digits < 5 && hex_digit(rest[digits]) >= 0) ++digits;
  return digits;
}

// The groups between the colons, and where "::" stood. Sixteen bytes hold eight groups.
struct groups {
  std::array<std::uint8_t, 16> octets{};
  std::size_t filled = 0;
  std::size_t gap = none;

  static constexpr std::size_t none = 99;

  refusal add_group(std::string_view digits) noexcept {
    if (digits.size() > 4) return {digits, "is too long: a group of an IPv6 address has at most four digits"};
    if (filled == octets.size()) return {digits, "is one group too many: an IPv6 address has eight"};
    int value = 0;
    for (const char c : digits) value = value * 16 + hex_digit(c);
    octets[filled++] = static_cast<std::uint8_t>(value >> 8);
    octets[filled++] = static_cast<std::uint8_t>(value & 0xff);
    return {};
  }

  refusal add_v4(std::string_view tail) noexcept {
    std::array<std::uint8_t, 4> four{};
    if (const refusal why = read_v4(tail, four)) return why;
    if (filled > octets.size() - four.size()) return {tail, "leaves too many groups before it"};
    std::ranges::copy(four, octets.begin() + static_cast<std::ptrdiff_t>(filled));
    filled += four.size();
    return {};
  }

  refusal finish() noexcept {
    if (gap == none)
      return filled == octets.size()
                 ? refusal{}
                 : refusal{"", "an IPv6 address has eight groups, or '::' for those that are zero"};
    if (filled == octets.size()) return {"::", "stands for no group here: the address has eight without it"};
    const auto begin = octets.begin();
    const auto first = begin + static_cast<std::ptrdiff_t>(gap);
    std::rotate(first, begin + static_cast<std::ptrdiff_t>(filled), octets.end());
    return {};
  }
};

}  // namespace

refusal read_v4(std::string_view whole, std::array<std::uint8_t, 4>& into) noexcept {
  std::array<std::uint8_t, 4> octets{};
  std::string_view rest = whole;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const bool last = i + 1 == octets.size();
    const std::size_t dot = rest.find('.');
    if (last && dot != rest.npos) return {rest.substr(dot), "is too much: an IPv4 address has four numbers"};
    if (const refusal why = read_octet(rest.substr(0, dot), octets[i])) return why;
    if (!last && dot == rest.npos)
      return {whole, "is too short: an IPv4 address has four numbers, as in 127.0.0.1"};
    if (!last) rest.remove_prefix(dot + 1);
  }
  into = octets;
  return {};
}

refusal read_v6(std::string_view whole, std::array<std::uint8_t, 16>& into) noexcept {
  if (whole.empty()) return {"", "the text is empty"};
  groups parts;
  std::string_view rest = whole;
  if (rest.starts_with("::")) {
    parts.gap = 0;
    rest.remove_prefix(2);
  }
  while (!rest.empty()) {
    const std::size_t digits = count_hex(rest);
    if (digits == 0) return {rest.substr(0, 1), "does not belong there: hexadecimal digits are expected"};
    if (digits < rest.size() && rest[digits] == '.') {
      if (const refusal why = parts.add_v4(rest)) return why;
      break;
    }
    if (const refusal why = parts.add_group(rest.substr(0, digits))) return why;
    rest.remove_prefix(digits);
    if (rest.empty()) break;
    if (rest.front() != ':')
      return {rest.substr(0, 1), "does not belong there: ':' is expected after a group"};
    rest.remove_prefix(1);
    if (rest.empty()) return {":", "at the end is one too few or too many"};
    if (rest.front() != ':') continue;
    if (parts.gap != groups::none) return {"::", "may stand only once"};
    parts.gap = parts.filled;
    rest.remove_prefix(1);
  }
  if (const refusal why = parts.finish()) return why;
  into = parts.octets;
  return {};
}

refusal read_address(std::string_view whole, zone_lookup find_zone, address& into) noexcept {
  if (whole.empty()) return {"", "the text is empty"};
  if (whole.find(':') == whole.npos) {
    std::array<std::uint8_t, 4> four{};
    if (const refusal why = read_v4(whole, four)) return why;
    into = address::v4(four);
    return {};
  }
  const std::size_t percent = whole.find('%');
  std::array<std::uint8_t, 16> octets{};
  if (const refusal why = read_v6(whole.substr(0, percent), octets)) return why;
  into = address::v6(octets);
  if (percent == whole.npos) return {};

  const std::string_view name = whole.substr(percent + 1);
  if (name.empty()) return {"%", "at the end: a zone is expected after it"};
  if (into.is_v4_mapped())
    return {whole.substr(percent), "does not belong there: an IPv4 address has no zone"};
  if (name.find_first_not_of("0123456789") == name.npos) {
    const auto number = decimal(name, UINT32_MAX);
    if (!number || *number == 0) return {name, "is no zone: it has a number from 1 to 4294967295"};
    into = into.with_zone(*number);
    return {};
  }
  if (find_zone == nullptr)
    return {name, "is no zone: a number is expected, as names are not looked up here"};
  const std::uint32_t found = find_zone(name);
  if (found == 0) return {name, "is no zone: there is no such interface"};
  into = into.with_zone(found);
  return {};
}

}  // namespace text

result<address> address::parse(std::string_view whole, zone_lookup find_zone) {
  address read;
  if (const text::refusal why = text::read_address(whole, find_zone, read)) return text::fail(whole, why);
  return read;
}

}  // namespace soquete
