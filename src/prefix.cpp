// Blocks of addresses in CIDR notation.  RFC 4632.
#include <soquete/prefix.hpp>

#include "text.hpp"

namespace soquete {

namespace {

unsigned bits_of(const address& of) noexcept { return of.is_v4() ? 32 : 128; }

// The bits of byte `at` that a prefix of this length leaves in place.
std::uint8_t mask_of(unsigned length, std::size_t at) noexcept {
  const std::size_t before = at * 8;
  if (length >= before + 8) return 0xff;
  if (length <= before) return 0;
  return static_cast<std::uint8_t>(0xff00U >> (length - before));
}

address masked(const address& from, unsigned length) noexcept {
  const auto octets = from.octets();
  std::array<std::uint8_t, 16> kept{};
  for (std::size_t i = 0; i < octets.size(); ++i) kept[i] = octets[i] & mask_of(length, i);
  return from.is_v6() ? address::v6(kept) : address::v4({kept[0], kept[1], kept[2], kept[3]});
}

}  // namespace

result<prefix> prefix::of(const address& base, unsigned length) {
  const auto refused = [&](std::string_view why) {
    return text::fail(to_string(base) + "/" + std::to_string(length), why);
  };
  if (length > bits_of(base)) return refused("the length is at most 32 for IPv4, 128 for IPv6");
  if (base.is_v4_mapped() && length < 96)
    return refused("the length of a v4-mapped prefix is at least 96; write the IPv4 prefix instead");
  prefix made;
  made.base_ = masked(base.unmapped(), base.is_v4_mapped() ? length - 96 : length);
  made.length_ = static_cast<std::uint8_t>(base.is_v4_mapped() ? length - 96 : length);
  return made;
}

result<prefix> prefix::parse(std::string_view whole) {
  const std::size_t slash = whole.find('/');
  address base;
  if (const text::refusal why = text::read_address(whole.substr(0, slash), nullptr, base))
    return text::fail(whole, why);
  if (base.zone() != 0) return text::fail(whole, "a prefix has no zone");
  if (slash == whole.npos) return of(base, bits_of(base));

  const std::string_view digits = whole.substr(slash + 1);
  const auto length = text::decimal(digits, bits_of(base));
  if (!length)
    return text::fail(whole, {digits, base.is_v4() ? "is no length: it is a number from 0 to 32"
                                                   : "is no length: it is a number from 0 to 128"});
  result<prefix> made = of(base, *length);
  if (made && made->base() != base.unmapped())
    return text::fail(whole, "there are bits after the length: write " + to_string(*made) +
                                 " for the block, or no length for the one address");
  return made;
}

bool prefix::contains(const address& whom) const noexcept {
  const address plain = whom.unmapped();
  return plain.is_v4() == base_.is_v4() && masked(plain, length_) == base_;
}

std::string to_string(const prefix& of) { return to_string(of.base()) + "/" + std::to_string(of.length()); }

}  // namespace soquete
