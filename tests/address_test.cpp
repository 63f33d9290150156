// Addresses: text, classes, order.  RFC 4291, 4007, 5952, 6890.
#include <soquete/address.hpp>

#include <gtest/gtest.h>

#include <set>
#include <unordered_set>
#include <utility>

namespace soquete {
namespace {

address read(std::string_view text) {
  const auto got = address::parse(text);
  if (!got) ADD_FAILURE() << to_string(got.error());
  return got.value_or(address());
}

std::string refused(std::string_view text, zone_lookup find_zone = nullptr) {
  const auto got = address::parse(text, find_zone);
  if (got) return "was read as " + to_string(*got);
  EXPECT_EQ(got.error(), fault::bad_address);
  EXPECT_EQ(got.error().during(), step::parse);
  EXPECT_NE(got.error().detail(), "");
  return std::string(got.error().detail());
}

TEST(address, text_is_read_and_printed_in_its_canonical_form) {
  const std::pair<const char*, const char*> table[] = {
      {"0.0.0.0", "0.0.0.0"},
      {"127.0.0.1", "127.0.0.1"},
      {"255.255.255.255", "255.255.255.255"},
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"0:0:0:0:0:0:0:0", "::"},
      {"FE80:0:0:0:0:0:0:1", "fe80::1"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
      {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
      {"::ffff:c000:201", "::ffff:192.0.2.1"},
      {"::192.0.2.1", "::c000:201"},
      {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
      {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
      {"fe80::1%2", "fe80::1%2"},
      {"fe80::1%4294967295", "fe80::1%4294967295"},
      {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
      {"1:0:0:0:2:0:0:3", "1::2:0:0:3"},
      {"0:0:0:1:0:0:0:0", "0:0:0:1::"},
  };
  for (const auto& [text, canonical] : table) {
    EXPECT_EQ(to_string(read(text)), canonical) << text;
    EXPECT_EQ(read(canonical), read(text)) << text;
  }
}

// One line for each rule of section 4, with the examples given there.
TEST(address, the_examples_of_rfc_5952_print_as_it_recommends) {
  const std::pair<const char*, const char*> table[] = {
      {"2001:0db8::0001", "2001:db8::1"},               // 4.1
      {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},        // 4.2.1
      {"2001:db8::0:1", "2001:db8::1"},                 // 4.2.1
      {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // 4.2.2
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},          // 4.2.3
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},    // 4.2.3
      {"2001:DB8::AAAA", "2001:db8::aaaa"},             // 4.3
      {"2001:db8:aaaa:bbbb:cccc:dddd::1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1"},
      {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},  // 5
  };
  for (const auto& [text, canonical] : table) EXPECT_EQ(to_string(read(text)), canonical) << text;
}

TEST(address, what_is_no_address_is_refused_with_a_reason) {
  const char* const table[] = {
      "",
      " ",
      "1",
      "1.2",
      "1.2.3",
      "1.2.3.",
      ".1.2.3.4",
      "1.2.3.4.",
      "1.2.3.4.5",
      "1..2.3",
      "1.2.3.256",
      "1.2.3.1000",
      "1.2.3.-4",
      "1.2.3.+4",
      " 1.2.3.4",
      "1.2.3.4 ",
      "1.2.3.4\n",
      "1.2.3.4/8",
      "1.2.3.4%1",
      "1.2.3.a",
      "0x7f.0.0.1",
      "127.1",
      "2130706433",
      "1.2.3.4:80",
      "localhost",
      ":",
      ":::",
      ":1",
      "1:",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:8::",
      "::1::",
      "1::2::3",
      "12345::",
      "::g",
      "::1.2.3",
      "::1.2.3.4.5",
      "::01.2.3.4",
      "1:2:3:4:5:6:7:1.2.3.4",
      "1.2.3.4::",
      "::1.2.3.4:5",
      "[::1]",
      "::1/64",
      " ::1",
      "::1 ",
      "::-1",
      "1:2:3:4:5:6:7:",
      "::1%",
      "::ffff:1.2.3.4%1",
      "%1",
      "fe80::1%0",
      "fe80::1%01",
      "fe80::1%4294967296",
      "fe80::1%eth0",
      "fe80::1%1%2",
      "fe80::1%25eth0",
      "fe80::1% 1",
      "fe80::1%-1",
      "fe80::1%99999999999999999999",
  };
  for (const char* text : table) refused(text);
}

TEST(address, an_octal_looking_octet_is_refused) {  // CVE-2021-29921, 29922, 29923
  EXPECT_EQ(refused("010.0.0.1"), "'010' begins with a zero, which some programs read as octal");
  refused("1.2.3.00");
  refused("192.168.1.08");
  EXPECT_EQ(to_string(read("0.0.0.0")), "0.0.0.0");
}

TEST(address, the_reason_names_the_bad_part_and_what_was_expected) {
  EXPECT_EQ(refused("1.2.3.256"), "'256' is too large: each part of an IPv4 address is 0 to 255");
  EXPECT_EQ(refused("1.2.3"), "'1.2.3' is too short: an IPv4 address has four numbers, as in 127.0.0.1");
  EXPECT_EQ(refused("::1::2"), "'::' may stand only once");
  EXPECT_EQ(refused("::12345"), "'12345' is too long: a group of an IPv6 address has at most four digits");
  EXPECT_EQ(refused("fe80::1%eth0"),
            "'eth0' is no zone: a number is expected, as names are not looked up here");
  EXPECT_EQ(to_string(address::parse("1.2.3.256").error()),
            "read address 1.2.3.256: not an address ('256' is too large: each part of an IPv4 address is 0 "
            "to 255)");
}

TEST(address, an_error_neither_floods_nor_steers_the_terminal) {
  const std::string hostile = "\x1b[2J" + std::string(1'000'000, 'A');
  const auto got = address::parse(hostile);
  ASSERT_FALSE(got);
  EXPECT_LT(to_string(got.error()).size(), 600U);
  EXPECT_EQ(to_string(got.error()).find('\x1b'), std::string::npos);
}

TEST(address, a_zero_byte_ends_nothing) {
  refused(std::string_view("127.0.0.1\0", 10));
  refused(std::string_view("::1\0", 4));
  refused(std::string_view("\0::1", 4));
  refused(std::string_view("fe80::1%1\0", 10));
}

TEST(address, a_view_without_a_terminating_zero_is_read) {
  const char text[] = {'1', '.', '2', '.', '3', '.', '4'};
  EXPECT_EQ(read({text, sizeof text}), address::v4({1, 2, 3, 4}));
  EXPECT_EQ(read(std::string_view("::123456").substr(0, 5)), read("::123"));
}

TEST(address, the_name_of_a_zone_is_looked_up_only_where_asked) {
  const zone_lookup find = [](std::string_view name) noexcept { return name == "eth0" ? 7U : 0U; };
  EXPECT_EQ(address::parse("fe80::1%eth0", find).value().zone(), 7U);
  EXPECT_EQ(address::parse("fe80::1%3", find).value().zone(), 3U);
  EXPECT_EQ(refused("fe80::1%eth9", find), "'eth9' is no zone: there is no such interface");
  refused("fe80::1%", find);
  refused("fe80::1%0", find);
}

TEST(address, a_zone_belongs_to_ipv6_alone) {
  EXPECT_EQ(read("fe80::1").with_zone(3), read("fe80::1%3"));
  EXPECT_EQ(read("fe80::1%3").with_zone(0), read("fe80::1"));
  EXPECT_EQ(read("1.2.3.4").with_zone(3), read("1.2.3.4"));
  EXPECT_EQ(read("::ffff:1.2.3.4").with_zone(3), read("::ffff:1.2.3.4"));
}

TEST(address, mapping_and_unmapping_undo_each_other) {
  EXPECT_EQ(to_string(read("1.2.3.4").mapped()), "::ffff:1.2.3.4");
  EXPECT_EQ(read("::ffff:1.2.3.4").unmapped(), read("1.2.3.4"));
  EXPECT_EQ(read("2001:db8::1").mapped(), read("2001:db8::1"));
  EXPECT_EQ(read("2001:db8::1").unmapped(), read("2001:db8::1"));
  EXPECT_NE(read("::ffff:1.2.3.4"), read("1.2.3.4"));
  EXPECT_FALSE(read("::1.2.3.4").is_v4_mapped());
  EXPECT_FALSE(read("::1:ffff:1.2.3.4").is_v4_mapped());
}

TEST(address, the_octets_are_those_of_the_family_in_network_order) {
  EXPECT_EQ(read("1.2.3.4").octets().size(), 4U);
  EXPECT_EQ(read("1.2.3.4").octets()[0], 1);
  const address long_one = read("102:304::f");
  EXPECT_EQ(long_one.octets().size(), 16U);
  EXPECT_EQ(long_one.octets()[1], 2);
  EXPECT_EQ(long_one.octets()[15], 15);
}

// Each letter says one thing that is true of the address.
std::string classes(const address& of) {
  std::string letters;
  if (of.is_unspecified()) letters += 'u';
  if (of.is_loopback()) letters += 'l';
  if (of.is_multicast()) letters += 'm';
  if (of.is_link_local()) letters += 'k';
  if (of.is_private()) letters += 'p';
  if (of.is_documentation()) letters += 'd';
  if (of.is_global()) letters += 'g';
  return letters;
}

TEST(address, the_classes_begin_and_end_where_the_registries_say) {
  const std::pair<const char*, const char*> table[] = {
      {"0.0.0.0", "u"},
      {"0.0.0.1", ""},
      {"1.0.0.0", "g"},
      {"9.255.255.255", "g"},
      {"10.0.0.0", "p"},
      {"10.255.255.255", "p"},
      {"11.0.0.0", "g"},
      {"100.63.255.255", "g"},
      {"100.64.0.0", ""},
      {"100.127.255.255", ""},
      {"100.128.0.0", "g"},
      {"126.255.255.255", "g"},
      {"127.0.0.0", "l"},
      {"127.255.255.255", "l"},
      {"128.0.0.0", "g"},
      {"169.253.255.255", "g"},
      {"169.254.0.0", "k"},
      {"169.254.255.255", "k"},
      {"172.15.255.255", "g"},
      {"172.16.0.0", "p"},
      {"172.31.255.255", "p"},
      {"172.32.0.0", "g"},
      {"192.0.0.1", ""},
      {"192.0.2.0", "d"},
      {"192.0.3.0", "g"},
      {"192.88.99.1", ""},
      {"192.168.255.255", "p"},
      {"192.169.0.0", "g"},
      {"198.17.255.255", "g"},
      {"198.18.0.0", ""},
      {"198.19.255.255", ""},
      {"198.20.0.0", "g"},
      {"198.51.100.7", "d"},
      {"203.0.113.255", "d"},
      {"223.255.255.255", "g"},
      {"224.0.0.0", "m"},
      {"239.255.255.255", "m"},
      {"240.0.0.0", ""},
      {"255.255.255.255", ""},
      {"::", "u"},
      {"::1", "l"},
      {"::2", ""},
      {"::7f00:1", ""},
      {"1::1", ""},
      {"64:ff9b::a00:1", ""},
      {"100::1", ""},
      {"2000::", "g"},
      {"2001::1", ""},
      {"2001:1ff:ffff::", ""},
      {"2001:200::", "g"},
      {"2001:db7:ffff::", "g"},
      {"2001:db8::1", "d"},
      {"2001:db9::", "g"},
      {"2002:a00:1::", ""},
      {"2003::1", "g"},
      {"3ffe:ffff::", "g"},
      {"3fff::", "d"},
      {"3fff:fff::", "d"},
      {"3fff:1000::", "g"},
      {"4000::", ""},
      {"5f00::1", ""},
      {"fbff::", ""},
      {"fc00::", "p"},
      {"fdff:ffff::", "p"},
      {"fe00::", ""},
      {"fe80::", "k"},
      {"febf:ffff::", "k"},
      {"fec0::", ""},
      {"ff02::1", "m"},
      {"8000::", ""},
      {"a000::1", ""},
  };
  for (const auto& [text, expected] : table) {
    EXPECT_EQ(classes(read(text)), expected) << text;
    EXPECT_EQ(classes(read(text).mapped()), expected) << text << ", mapped";  // CVE-2024-24790
  }
}

TEST(address, the_well_known_ones_are_what_they_are_called) {
  EXPECT_EQ(to_string(address::any_v4()), "0.0.0.0");
  EXPECT_EQ(to_string(address::any_v6()), "::");
  EXPECT_EQ(to_string(address::loopback_v4()), "127.0.0.1");
  EXPECT_EQ(to_string(address::loopback_v6()), "::1");
  EXPECT_EQ(address(), address::any_v4());
  static_assert(address::loopback_v6().is_v6() && address::v4({1, 2, 3, 4}).mapped().is_v4_mapped());
}

TEST(address, the_order_is_family_number_zone) {
  const char* const ascending[] = {"0.0.0.0",        "1.2.3.4", "1.2.4.3", "255.0.0.0", "::",     "::1",
                                   "::ffff:1.2.3.4", "1::",     "fe80::1", "fe80::1%1", "fe80::2"};
  std::set<address> ordered;
  std::unordered_set<address> hashed;
  for (const char* text : ascending) {
    ASSERT_TRUE(ordered.empty() || *ordered.rbegin() < read(text)) << text;
    ordered.insert(read(text));
    hashed.insert(read(text));
    hashed.insert(read(text));
  }
  EXPECT_EQ(hashed.size(), std::size(ascending));
}

TEST(address, neighbours_hash_apart) {
  std::set<std::size_t> low_bits;
  for (unsigned i = 0; i < 65536; ++i)
    low_bits.insert(std::hash<address>()(address::v4(
                        {10, 0, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i & 255)})) %
                    65536);
  EXPECT_GT(low_bits.size(), 40'000U);  // Chance leaves 41,427.
}

}  // namespace
}  // namespace soquete
