// Blocks of addresses in CIDR notation.  RFC 4632.
#include <soquete/prefix.hpp>

#include <gtest/gtest.h>

#include "random.hpp"

namespace soquete {
namespace {

address at(std::string_view text) { return address::parse(text).value(); }

prefix block(std::string_view text) {
  const auto got = prefix::parse(text);
  if (!got) ADD_FAILURE() << to_string(got.error());
  return got.value_or(prefix());
}

std::string refused(std::string_view text) {
  const auto got = prefix::parse(text);
  if (got) return "was read as " + to_string(*got);
  EXPECT_EQ(got.error(), fault::bad_address);
  return std::string(got.error().detail());
}

TEST(prefix, text_is_read_and_printed_in_its_canonical_form) {
  const std::pair<const char*, const char*> table[] = {
      {"0.0.0.0/0", "0.0.0.0/0"},
      {"10.0.0.0/8", "10.0.0.0/8"},
      {"127.0.0.1/32", "127.0.0.1/32"},
      {"127.0.0.1", "127.0.0.1/32"},
      {"255.255.255.255/32", "255.255.255.255/32"},
      {"172.16.0.0/12", "172.16.0.0/12"},
      {"::/0", "::/0"},
      {"::1", "::1/128"},
      {"FE80::/10", "fe80::/10"},
      {"2001:0DB8:0000:CD30:0000:0000:0000:0000/60", "2001:db8:0:cd30::/60"},  // RFC 4291 section 2.3
      {"2001:0DB8::CD30:0:0:0:0/60", "2001:db8:0:cd30::/60"},
      {"2001:0DB8:0:CD30::/60", "2001:db8:0:cd30::/60"},
      {"::ffff:10.0.0.0/104", "10.0.0.0/8"},
      {"::ffff:0:0/96", "0.0.0.0/0"},
      {"::ffff:1.2.3.4", "1.2.3.4/32"},
  };
  for (const auto& [text, canonical] : table) {
    EXPECT_EQ(to_string(block(text)), canonical) << text;
    EXPECT_EQ(block(canonical), block(text)) << text;
  }
}

TEST(prefix, what_is_no_prefix_is_refused_with_a_reason) {
  const char* const table[] = {
      "",
      "/",
      "/8",
      "10/8",
      "10.0.0/8",
      "10.0.0.0/",
      "10.0.0.0/33",
      "::/129",
      "::/-1",
      "::/+1",
      "::/ 1",
      "::/1 ",
      "::/01",
      "::/001",
      "::/0x1",
      "::/ab",
      "::/1/2",
      "::1//64",
      "127.0.0.1//1",
      "fe80::1%1/64",
      "fe80::%1",
      "::ffff:0:0/95",
      "::ffff:1.2.3.4/0",
      "2001:0DB8:0:CD3/60",
      "10.0.0.0/255.0.0.0",
      "localhost/8",
      "10.0.0.0/4294967304",
  };
  for (const char* text : table) EXPECT_NE(refused(text), "") << text;
}

TEST(prefix, bits_after_the_length_are_refused_as_one_of_two_things_may_be_meant) {
  EXPECT_EQ(
      refused("10.1.2.3/8"),
      "there are bits after the length: write 10.0.0.0/8 for the block, or no length for the one address");
  refused("2001:db8::1/64");
  refused("::ffff:10.0.0.1/104");
  refused("128.0.0.0/0");
}

TEST(prefix, made_of_an_address_it_drops_the_bits_and_the_zone) {
  EXPECT_EQ(prefix::of(at("10.1.2.3"), 8).value(), block("10.0.0.0/8"));
  EXPECT_EQ(prefix::of(at("fe80::1%3"), 10).value(), block("fe80::/10"));
  EXPECT_EQ(prefix::of(at("::ffff:10.1.2.3"), 128).value(), block("10.1.2.3/32"));
  EXPECT_EQ(prefix::of(at("1.2.3.4"), 33).error(), fault::bad_address);
  EXPECT_EQ(prefix::of(at("::1"), 129).error(), fault::bad_address);
  EXPECT_EQ(prefix::of(at("::1"), 4294967295).error(), fault::bad_address);
}

TEST(prefix, a_block_contains_its_first_and_last_address_and_not_their_neighbours) {
  EXPECT_TRUE(block("172.16.0.0/12").contains(at("172.16.0.0")));
  EXPECT_TRUE(block("172.16.0.0/12").contains(at("172.31.255.255")));
  EXPECT_FALSE(block("172.16.0.0/12").contains(at("172.15.255.255")));
  EXPECT_FALSE(block("172.16.0.0/12").contains(at("172.32.0.0")));
  EXPECT_TRUE(block("2001:db8::/33").contains(at("2001:db8:7fff:ffff:ffff:ffff:ffff:ffff")));
  EXPECT_FALSE(block("2001:db8::/33").contains(at("2001:db8:8000::")));
  EXPECT_TRUE(block("1.2.3.4").contains(at("1.2.3.4")));
  EXPECT_FALSE(block("1.2.3.4").contains(at("1.2.3.5")));
}

TEST(prefix, an_ipv4_address_is_the_same_in_its_mapped_form) {
  EXPECT_TRUE(block("10.0.0.0/8").contains(at("::ffff:10.1.2.3")));
  EXPECT_TRUE(block("::ffff:10.0.0.0/104").contains(at("10.1.2.3")));
  EXPECT_FALSE(block("10.0.0.0/8").contains(at("::ffff:11.1.2.3")));
  EXPECT_FALSE(block("10.0.0.0/8").contains(at("::10.1.2.3")));
}

TEST(prefix, no_ipv6_block_contains_an_ipv4_address) {
  EXPECT_FALSE(block("::/0").contains(at("1.2.3.4")));
  EXPECT_FALSE(block("::/0").contains(at("::ffff:1.2.3.4")));
  EXPECT_FALSE(block("0.0.0.0/0").contains(at("::1")));
  EXPECT_FALSE(block("0.0.0.0/0").contains(at("::")));
}

TEST(prefix, a_zone_does_not_matter) { EXPECT_TRUE(block("fe80::/10").contains(at("fe80::1%2"))); }

TEST(prefix, a_block_contains_what_shares_its_bits_and_prints_back) {
  test::random_numbers random(0x9f1c);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t bits = random.next(), flip = random.below(32);
    const auto v4 = [](std::uint64_t n) {
      const auto byte = [n](int place) { return static_cast<std::uint8_t>(n >> place); };
      return address::v4({byte(24), byte(16), byte(8), byte(0)});
    };
    const unsigned length = random.below(33);
    const prefix made = prefix::of(v4(bits), length).value();
    ASSERT_EQ(prefix::parse(to_string(made)).value(), made);
    ASSERT_TRUE(made.contains(v4(bits)));
    ASSERT_EQ(made.contains(v4(bits ^ (1U << flip))), flip < 32 - length) << to_string(made);
  }
}

}  // namespace
}  // namespace soquete
