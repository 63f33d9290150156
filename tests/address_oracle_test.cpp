// Address parsing against what nobody here wrote: inet_pton(3), inet_ntop(3), and published vectors.
//
// Goal: our parser reads what inet_pton reads, to the same bytes, and nothing else.
// Method: ten million strings, each a valid or nearly valid address with up to four random edits; the seed is
// fixed, so a failure repeats. Then the published vectors, then round trips of random addresses.
#include <soquete/address.hpp>

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "random.hpp"
#include "text.hpp"

namespace soquete {
namespace {

using test::random_numbers;

constexpr std::string_view seeds[] = {
    "0.0.0.0",
    "127.0.0.1",
    "255.255.255.255",
    "1.2.3.4",
    "192.168.10.249",
    "10.20.30.40",
    "::",
    "::1",
    "1::",
    "fe80::1",
    "FE80::A:b",
    "2001:db8::1",
    "2001:db8:0:0:1:0:0:1",
    "1:2:3:4:5:6:7:8",
    "::2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7::",
    "1:2:3::6:7:8",
    "::ffff:192.0.2.128",
    "::13.1.68.3",
    "64:ff9b::192.0.2.33",
    "1:2:3:4:5:6:1.2.3.4",
    "1:2:3:4:5::1.2.3.4",
    "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fe80::1%1",
};

// The letters that addresses are made of come often, those that only look at home there seldom.
constexpr std::string_view alphabet = "00112233445566778899abcdefABCDEFgx....::::::%% /-+\t[]";

class mutated {
 public:
  static constexpr std::size_t size_max = 90;

  mutated(std::string_view seed) noexcept { insert(0, seed); }

  void edit(random_numbers& random) noexcept {
    const std::size_t at = random.below(static_cast<std::uint32_t>(size_ + 1));
    const char letter = alphabet[random.below(alphabet.size())];
    const std::size_t length = 1 + random.below(4);
    switch (random.below(6)) {
      case 0: remove(at, random.below(4) == 0 ? length : 1); break;
      case 1: insert(at, {&letter, 1}); break;
      case 2:
        if (at < size_) text_[at] = letter;
        break;
      case 3:
        if (at + 1 < size_) std::swap(text_[at], text_[at + 1]);
        break;
      case 4: {
        const std::string piece(view().substr(at, length));
        insert(at, piece);
        break;
      }
      case 5: {
        const std::string_view other = seeds[random.below(std::size(seeds))];
        if (random.below(2) == 0) remove(at, size_);
        insert(at, other.substr(random.below(static_cast<std::uint32_t>(other.size()))));
        break;
      }
    }
  }

  std::string_view view() const noexcept { return {text_, size_}; }
  const char* c_str() const noexcept { return text_; }

 private:
  void remove(std::size_t at, std::size_t length) noexcept {
    length = std::min(length, size_ - at);
    std::memmove(text_ + at, text_ + at + length, size_ - at - length + 1);
    size_ -= length;
  }

  void insert(std::size_t at, std::string_view piece) noexcept {
    piece = piece.substr(0, size_max - size_);
    std::memmove(text_ + at + piece.size(), text_ + at, size_ - at + 1);
    std::copy(piece.begin(), piece.end(), text_ + at);
    size_ += piece.size();
  }

  char text_[size_max + 1] = {};
  std::size_t size_ = 0;
};

mutated next_string(random_numbers& random) noexcept {
  mutated text(seeds[random.below(std::size(seeds))]);
  for (std::uint32_t edits = random.below(5); edits > 0; --edits) text.edit(random);
  return text;
}

template <std::size_t Size>
using octets = std::array<std::uint8_t, Size>;

// True if both read the text to the same bytes or both refuse it.
template <std::size_t Size, class Read>
bool agree(const mutated& text, int family, Read read, std::uint64_t& valid) {
  octets<Size> ours{}, theirs{};
  const bool read_by_us = !read(text.view(), ours);
  const bool read_by_them = inet_pton(family, text.c_str(), theirs.data()) == 1;
  if (read_by_them) ++valid;
  return read_by_us == read_by_them && (!read_by_them || ours == theirs);
}

TEST(address_oracle, ten_million_mutated_strings_are_read_as_inet_pton_reads_them) {
  random_numbers random(0x50c0'4e7e);
  std::uint64_t v4 = 0, v6 = 0;
  for (int i = 0; i < 10'000'000; ++i) {
    const mutated text = next_string(random);
    ASSERT_TRUE(agree<4>(text, AF_INET, text::read_v4, v4)) << i << ": '" << text.view() << "'";
    ASSERT_TRUE(agree<16>(text, AF_INET6, text::read_v6, v6)) << i << ": '" << text.view() << "'";
  }
  // Neither verdict may be rare, or the comparison would say little.
  EXPECT_GT(v4, 500'000U);
  EXPECT_GT(v6, 1'500'000U);
  EXPECT_LT(v4 + v6, 6'000'000U);
}

// inet_pton knows no zones: it gets what stands before '%', and we hold the zone to its own rule.
result<address> as_inet_pton(std::string_view text) {
  const std::size_t percent = text.find('%');
  const std::string host(text.substr(0, percent));
  octets<16> bytes{};
  if (percent == text.npos && inet_pton(AF_INET, host.c_str(), bytes.data()) == 1)
    return address::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
  if (inet_pton(AF_INET6, host.c_str(), bytes.data()) != 1) return fail(fault::bad_address);
  if (percent == text.npos) return address::v6(bytes);
  const std::string zone(text.substr(percent + 1));
  const bool right = !zone.empty() && zone[0] != '0' && zone.find_first_not_of("0123456789") == zone.npos &&
                     zone.size() <= 10 && std::stoull(zone) <= 0xffff'ffffU;
  if (!right || address::v6(bytes).is_v4_mapped()) return fail(fault::bad_address);
  return address::v6(bytes, static_cast<std::uint32_t>(std::stoull(zone)));
}

TEST(address_oracle, a_million_mutated_strings_pass_through_the_public_parser_likewise) {
  random_numbers random(0x5eed'2026);
  for (int i = 0; i < 1'000'000; ++i) {
    const mutated text = next_string(random);
    const auto ours = address::parse(text.view());
    const auto theirs = as_inet_pton(text.view());
    ASSERT_EQ(ours.has_value(), theirs.has_value()) << i << ": '" << text.view() << "'";
    if (!ours) continue;
    ASSERT_EQ(*ours, *theirs) << i << ": '" << text.view() << "'";
    const std::string canonical = to_string(*ours);
    ASSERT_EQ(to_string(address::parse(canonical).value()), canonical) << i << ": '" << text.view() << "'";
  }
}

TEST(address_oracle, the_published_vectors_are_read_as_inet_pton_reads_them) {
  std::ifstream file(SOQUETE_TEST_DATA "/addresses.txt");
  int count = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t tab = line.find('\t');
    ASSERT_NE(tab, line.npos) << line;
    const std::string verdict = line.substr(0, tab), text = line.substr(tab + 1);
    const auto ours = address::parse(text);
    EXPECT_EQ(ours ? (ours->is_v4() ? "v4" : "v6") : "no", verdict) << text;
    const auto theirs = as_inet_pton(text);
    ASSERT_EQ(ours.has_value(), theirs.has_value()) << text;
    EXPECT_EQ(ours.value_or(address()), theirs.value_or(address())) << text;
    ++count;
  }
  EXPECT_EQ(count, 527);
}

// Groups of zero and of few digits are as frequent as others, unlike in evenly random bytes.
address random_v6(random_numbers& random) noexcept {
  octets<16> bytes{};
  const bool maybe_mapped = random.below(16) == 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    const auto group = random.below(2) == 0 ? 0U : random.below(65536) >> random.below(16);
    bytes[i] = static_cast<std::uint8_t>(group >> 8);
    bytes[i + 1] = static_cast<std::uint8_t>(group & 255U);
  }
  if (maybe_mapped) {
    std::fill(bytes.begin(), bytes.begin() + 10, std::uint8_t{0});
    bytes[10] = bytes[11] = 255;
  }
  return address::v6(bytes, random.below(4) == 0 ? static_cast<std::uint32_t>(random.next()) : 0);
}

// glibc prints ::1.2.3.4, the retired v4-compatible form, where RFC 5952 has no reason to.
bool is_v4_compatible(const address& of) noexcept {
  const auto o = of.octets();
  return std::ranges::count(o.first(12), 0) == 12 && (o[12] != 0 || o[13] != 0);
}

TEST(address_oracle, a_million_ipv6_addresses_print_as_inet_ntop_and_read_back) {
  random_numbers random(0x6666'6666);
  char theirs[INET6_ADDRSTRLEN] = {};
  for (int i = 0; i < 1'000'000; ++i) {
    const address made = random_v6(random);
    const std::string text = to_string(made);
    ASSERT_EQ(address::parse(text).value(), made) << text;
    if (is_v4_compatible(made)) continue;
    ASSERT_NE(inet_ntop(AF_INET6, made.octets().data(), theirs, sizeof theirs), nullptr);
    ASSERT_EQ(to_string(made.with_zone(0)), theirs) << text;
  }
}

TEST(address_oracle, a_million_ipv4_addresses_print_as_inet_ntop_and_read_back) {
  random_numbers random(0x4444'4444);
  char theirs[INET_ADDRSTRLEN] = {};
  for (int i = 0; i < 1'000'000; ++i) {
    const std::uint64_t bits = random.next();
    const auto byte = [bits](int at) { return static_cast<std::uint8_t>(bits >> (8 * at)); };
    const address made = address::v4({byte(0), byte(1), byte(2), byte(3)});
    const std::string text = to_string(made);
    ASSERT_EQ(address::parse(text).value(), made) << text;
    ASSERT_NE(inet_ntop(AF_INET, made.octets().data(), theirs, sizeof theirs), nullptr);
    ASSERT_EQ(text, theirs);
  }
}

}  // namespace
}  // namespace soquete
