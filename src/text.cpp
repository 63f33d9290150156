// Reading addresses: the parts that address, prefix, endpoint and where have in common.
#include "text.hpp"

namespace soquete::text {

namespace {

refusal read_port(std::string_view digits, std::uint16_t& into) noexcept {
  if (digits.empty()) return {"", "a port is missing after the last ':'"};
  const auto port = decimal(digits, 65535);
  if (!port) {
    if (digits.find_first_not_of("0123456789") != digits.npos)
      return {digits, "is not a port: a decimal number is expected; names of services are not looked up"};
    if (digits.front() == '0') return {digits, "is not a port: it begins with a zero"};
    return {digits, "is not a port: the highest is 65535"};
  }
  into = static_cast<std::uint16_t>(*port);
  return {};
}

}  // namespace

std::string shown(std::string_view raw, std::size_t length_max) {
  const bool whole = raw.size() <= length_max;
  return escape(raw.substr(0, length_max), "") + (whole ? "" : "...");
}

std::unexpected<error> fail(std::string_view whole, refusal why) {
  std::string detail;
  if (!why.part.empty()) detail.append("'").append(shown(why.part, 64)).append("' ");
  return fail(whole, detail.append(why.words));
}

std::unexpected<error> fail(std::string_view whole, std::string_view detail) {
  error why(fault::bad_address, step::parse);
  why.set_subject(whole.empty() ? "''" : shown(whole)).set_detail(detail);
  return soquete::fail(std::move(why));
}

refusal read_host_port(std::string_view whole, host_port& into) noexcept {
  if (whole.empty()) return {"", "the text is empty"};
  if (whole.front() == '[') {
    const std::size_t close = whole.find(']');
    if (close == whole.npos) return {whole, "has '[' without ']'"};
    const std::string_view rest = whole.substr(close + 1);
    if (rest.empty()) return {"", "a port is missing: write [address]:port"};
    if (rest.front() != ':') return {rest, "does not belong after ']': write [address]:port"};
    into.host = whole.substr(1, close - 1);
    into.in_brackets = true;
    return read_port(rest.substr(1), into.port);
  }
  const std::size_t colon = whole.find(':');
  if (colon == whole.npos) return {"", "a port is missing: write host:port"};
  if (whole.find("://") == colon)
    return {whole.substr(0, colon + 3), "does not belong here: write host:port"};
  if (whole.find(':', colon + 1) != whole.npos) {
    address bare;
    if (!read_address(whole, nullptr, bare)) return {"", "write an IPv6 address in brackets: [address]:port"};
    return {"", "more than one ':'; an IPv6 address is written in brackets: [address]:port"};
  }
  into.host = whole.substr(0, colon);
  into.in_brackets = false;
  return read_port(whole.substr(colon + 1), into.port);
}

refusal read_host_address(const host_port& from, zone_lookup find_zone, address& into) noexcept {
  if (!from.in_brackets) {
    std::array<std::uint8_t, 4> octets{};
    if (const refusal why = read_v4(from.host, octets)) return why;
    into = address::v4(octets);
    return {};
  }
  if (from.host.find(':') == from.host.npos)
    return {from.host, "in brackets: an IPv6 address is expected there"};
  return read_address(from.host, find_zone, into);
}

std::optional<std::uint32_t> decimal(std::string_view digits, std::uint32_t max) noexcept {
  if (digits.empty() || digits.size() > 10 || (digits.size() > 1 && digits.front() == '0')) return {};
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return {};
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (value > max) return {};
  return static_cast<std::uint32_t>(value);
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string escape(std::string_view raw, std::string_view also) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(raw.size());
  for (const char c : raw) {
    if (c >= ' ' && c <= '~' && also.find(c) == also.npos) {
      text += c;
      continue;
    }
    const unsigned value = static_cast<unsigned char>(c);
    text.append("\\x").append(1, digits[value >> 4]).append(1, digits[value & 15U]);
  }
  return text;
}

refusal unescape(std::string_view escaped, std::string& into) {
  for (std::size_t at = 0; at < escaped.size(); ++at) {
    if (escaped[at] != '\\') {
      into += escaped[at];
    } else if (escaped.substr(at + 1).starts_with('\\')) {
      into += '\\';
      at += 1;
    } else {
      const std::string_view four = escaped.substr(at, 4);
      const bool right =
          four.size() == 4 && four[1] == 'x' && hex_digit(four[2]) >= 0 && hex_digit(four[3]) >= 0;
      if (!right) return {four, "is no escape: write \\xNN for a byte, \\\\ for a backslash"};
      into += static_cast<char>(hex_digit(four[2]) * 16 + hex_digit(four[3]));
      at += 3;
    }
  }
  return {};
}

}  // namespace soquete::text
