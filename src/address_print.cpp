// Addresses as text.  RFC 5952.
#include <soquete/address.hpp>

#include <algorithm>
#include <charconv>

#include "text.hpp"

namespace soquete {

namespace {

// "4294967295" is the longest number that comes here.
char* put_number(char* to, std::uint32_t value, int base) noexcept {
  return std::to_chars(to, to + 10, value, base).ptr;
}

char* put_v4(char* to, std::span<const std::uint8_t> octets) noexcept {
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0) *to++ = '.';
    to = put_number(to, octets[i], 10);
  }
  return to;
}

struct run {
  std::size_t first = 8;
  std::size_t length = 0;
};

// The first of the longest; one zero group alone is not shortened.  Sections 4.2.2 and 4.2.3
run longest_zeros(const std::array<std::uint16_t, 8>& groups) noexcept {
  run best;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    run here{i, 0};
    while (i < groups.size() && groups[i] == 0) ++i, ++here.length;
    if (here.length > best.length) best = here;
  }
  return best.length > 1 ? best : run{};
}

char* put_v6(char* to, std::span<const std::uint8_t> octets) noexcept {
  std::array<std::uint16_t, 8> groups{};
  for (std::size_t i = 0; i < groups.size(); ++i)
    groups[i] = static_cast<std::uint16_t>(octets[2 * i] << 8 | octets[2 * i + 1]);
  const run zeros = longest_zeros(groups);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i == zeros.first) {
      *to++ = ':';
      i += zeros.length - 1;
      if (i + 1 == groups.size()) *to++ = ':';
      continue;
    }
    if (i > 0) *to++ = ':';
    to = put_number(to, groups[i], 16);
  }
  return to;
}

}  // namespace

char* text::put(char* to, const address& of) noexcept {
  if (of.is_v4()) {
    to = put_v4(to, of.octets());
  } else if (of.is_v4_mapped()) {
    to = std::ranges::copy(std::string_view("::ffff:"), to).out;
    to = put_v4(to, of.octets().subspan(12));
  } else {
    to = put_v6(to, of.octets());
  }
  if (of.zone() != 0) {
    *to++ = '%';
    to = put_number(to, of.zone(), 10);
  }
  return to;
}

std::string to_string(const address& of) {
  std::array<char, text::address_length_max> room;
  return {room.data(), text::put(room.data(), of)};
}

}  // namespace soquete
