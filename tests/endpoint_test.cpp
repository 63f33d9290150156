// Endpoints: address and port, local names, text.  RFC 3986 section 3.2.2, unix(7).
#include <soquete/endpoint.hpp>

#include <gtest/gtest.h>

#include <unordered_set>

#include "random.hpp"

namespace soquete {
namespace {

using namespace std::string_literals;

endpoint read(std::string_view text) {
  const auto got = endpoint::parse(text);
  if (!got) ADD_FAILURE() << to_string(got.error());
  return got.value_or(endpoint());
}

std::string refused(std::string_view text) {
  const auto got = endpoint::parse(text);
  if (got) return "was read as " + to_string(*got);
  EXPECT_TRUE(got.error() == fault::bad_address || got.error() == std::errc::filename_too_long);
  EXPECT_NE(got.error().detail(), "") << text;
  return std::string(got.error().detail());
}

TEST(endpoint, text_is_read_and_printed_in_its_canonical_form) {
  const std::pair<const char*, const char*> table[] = {
      {"127.0.0.1:80", "127.0.0.1:80"},
      {"0.0.0.0:0", "0.0.0.0:0"},
      {"255.255.255.255:65535", "255.255.255.255:65535"},
      {"[::1]:80", "[::1]:80"},
      {"[0:0:0:0:0:0:0:0]:0", "[::]:0"},
      {"[fe80::1%2]:80", "[fe80::1%2]:80"},
      {"[::FFFF:1.2.3.4]:5", "[::ffff:1.2.3.4]:5"},
      {"unix:/run/x", "unix:/run/x"},
      {"unix:x", "unix:x"},
      {"unix:a b:c", "unix:a b:c"},
      {"unix:///run/x", "unix:/run/x"},
      {"unix:@name", "unix:@name"},
      {"unix://@name", "unix:@name"},
      {"unix:@@", "unix:@@"},
      {"unix:@/", "unix:@/"},
      {R"(unix:/a\\b)", R"(unix:/a\x5cb)"},
      {R"(unix:/a\x41)", "unix:/aA"},
      {R"(unix:\x40a)", R"(unix:\x40a)"},
      {R"(unix:@\x00)", R"(unix:@\x00)"},
      {R"(unix:@\xFF)", R"(unix:@\xff)"},
  };
  for (const auto& [text, canonical] : table) {
    EXPECT_EQ(to_string(read(text)), canonical) << text;
    EXPECT_EQ(read(canonical), read(text)) << text;
  }
}

TEST(endpoint, what_is_no_endpoint_is_refused_with_a_reason) {
  const char* const table[] = {
      "",
      ":",
      ":80",
      "127.0.0.1",
      "127.0.0.1:",
      "127.0.0.1:65536",
      "127.0.0.1:-1",
      "127.0.0.1:+1",
      "127.0.0.1: 1",
      "127.0.0.1:1 ",
      " 127.0.0.1:1",
      "127.0.0.1:080",
      "127.0.0.1:0x50",
      "127.0.0.1:http",
      "127.0.0.1:99999999999999999999",
      "127.0.0.1:80:80",
      "127.0.0.1:80\n",
      "localhost:80",
      "*:80",
      "010.0.0.1:80",
      "1.2.3:80",
      "[127.0.0.1]:80",
      "::1",
      "::1:80",
      "[::1]",
      "[::1]:",
      "[::1",
      "::1]:80",
      "[::1]80",
      "[::1]:80]",
      "[]:80",
      "[[::1]]:80",
      "[::1%]:80",
      "[::1%lo]:80",
      "[::1] :80",
      "[::1]:65536",
      "[:80",
      "]:80",
      "http://1.2.3.4:80",
      "unix:",
      "unix:@",
      "unix://",
      "unix://run/x",
      "unix:a\\",
      "unix:a\\x",
      "unix:a\\x4",
      "unix:a\\xg0",
      "unix:a\\n",
      "unix:a\\x00",
      "UNIX:/run/x",
      "unix",
      "fd:3",
  };
  for (const char* text : table) EXPECT_FALSE(endpoint::parse(text)) << text << " " << refused(text);
  EXPECT_FALSE(endpoint::parse("127.0.0.1:80\0"s));
  EXPECT_FALSE(endpoint::parse("unix:a\0b"s));
}

TEST(endpoint, the_reason_says_what_to_write_instead) {
  EXPECT_EQ(refused("::1:80"), "write an IPv6 address in brackets: [address]:port");
  EXPECT_EQ(refused("127.0.0.1"), "a port is missing: write host:port");
  EXPECT_EQ(refused("127.0.0.1:65536"), "'65536' is not a port: the highest is 65535");
  EXPECT_EQ(refused("127.0.0.1:http"),
            "'http' is not a port: a decimal number is expected; names of services are not looked up");
  EXPECT_EQ(to_string(endpoint::parse("[::1]80").error()),
            "read address [::1]80: not an address ('80' does not belong after ']': write [address]:port)");
}

TEST(endpoint, the_name_of_a_zone_is_looked_up_only_where_asked) {
  const auto got = endpoint::parse("[fe80::1%lo]:80", [](std::string_view) noexcept { return 1U; });
  EXPECT_EQ(to_string(got.value()), "[fe80::1%1]:80");
}

TEST(endpoint, each_kind_knows_what_it_is) {
  const endpoint none;
  EXPECT_TRUE(none.is_empty() && !none.is_ip() && !none.is_local());
  EXPECT_EQ(to_string(none), "");
  const endpoint ip(address::loopback_v6(), 80);
  EXPECT_TRUE(ip.is_ip() && !ip.is_local() && !ip.is_empty());
  EXPECT_EQ(ip.addr(), address::loopback_v6());
  EXPECT_EQ(ip.port(), 80);
  EXPECT_EQ(ip.local_name(), "");
  const endpoint path = read("unix:/run/x");
  EXPECT_TRUE(path.is_local() && !path.is_abstract() && !path.is_ip() && !path.is_empty());
  EXPECT_EQ(path.local_name(), "/run/x");
  EXPECT_EQ(path.port(), 0);
  const endpoint hidden = read("unix:@x");
  EXPECT_TRUE(hidden.is_local() && hidden.is_abstract());
  EXPECT_EQ(hidden.local_name(), "x");
  const endpoint unnamed = endpoint::local_unnamed();
  EXPECT_TRUE(unnamed.is_local() && !unnamed.is_abstract());
  EXPECT_EQ(unnamed.local_name(), "");
  EXPECT_EQ(to_string(unnamed), "unix:");
}

TEST(endpoint, a_local_name_is_never_cut) {
  const std::string path(endpoint::path_max, 'p'), name(endpoint::abstract_max, 'n');
  EXPECT_EQ(endpoint::local_path(path).value().local_name(), path);
  EXPECT_EQ(endpoint::local_abstract(name).value().local_name(), name);
  EXPECT_EQ(endpoint::local_path(path + "p").error(), std::errc::filename_too_long);
  EXPECT_EQ(endpoint::local_abstract(name + "n").error(), std::errc::filename_too_long);
  EXPECT_EQ(refused("unix:" + path + "p"), "the path of a socket has at most 108 bytes, not 109");
  EXPECT_EQ(endpoint::parse("unix:" + path + "p").error().subject(), "unix:" + path + "p");
}

TEST(endpoint, a_zero_byte_is_part_of_an_abstract_name_and_of_no_path) {
  EXPECT_EQ(endpoint::local_abstract("a\0b"s).value().local_name(), "a\0b"s);
  EXPECT_NE(endpoint::local_abstract("a\0b"s).value(), endpoint::local_abstract("a\0c"s).value());
  EXPECT_NE(endpoint::local_abstract("a"s).value(), endpoint::local_abstract("a\0"s).value());
  EXPECT_EQ(endpoint::local_path("a\0b"s).error(), fault::bad_address);
  EXPECT_EQ(endpoint::local_path("").error(), fault::bad_address);
  EXPECT_EQ(endpoint::local_abstract("").error(), fault::bad_address);
}

TEST(endpoint, a_printed_name_cannot_steer_a_terminal) {
  EXPECT_EQ(to_string(endpoint::local_path("/a\x1b[2J\n").value()), R"(unix:/a\x1b[2J\x0a)");
  EXPECT_EQ(to_string(endpoint::local_abstract("\0\x7f\xff|\\"s).value()), R"(unix:@\x00\x7f\xff\x7c\x5c)");
}

TEST(endpoint, any_name_reads_back_as_the_same_name) {
  test::random_numbers random(0x10ca1);
  constexpr std::string_view awkward = "@/\\|: x0a4";
  for (int i = 0; i < 100'000; ++i) {
    std::string name(1 + random.below(endpoint::abstract_max), '\0');
    for (char& c : name)
      c = random.below(2) == 0 ? awkward[random.below(awkward.size())] : static_cast<char>(random.below(256));
    const endpoint hidden = endpoint::local_abstract(name).value();
    ASSERT_EQ(endpoint::parse(to_string(hidden)).value(), hidden) << to_string(hidden);
    if (name.find('\0') != name.npos) continue;
    const endpoint path = endpoint::local_path(name).value();
    ASSERT_EQ(endpoint::parse(to_string(path)).value(), path) << to_string(path);
    ASSERT_NE(path, hidden);
  }
}

TEST(endpoint, equal_ones_have_equal_hashes_and_different_ones_differ) {
  const endpoint all[] = {
      endpoint(),          read("1.2.3.4:5"),        read("1.2.3.4:6"), read("[::ffff:1.2.3.4]:5"),
      read("[fe80::1]:5"), read("[fe80::1%1]:5"),    read("unix:a"),    read("unix:b"),
      read("unix:@a"),     endpoint::local_unnamed()};
  std::unordered_set<endpoint> seen;
  for (const endpoint& one : all) {
    const endpoint copy = one;
    EXPECT_EQ(copy, one);
    EXPECT_EQ(std::hash<endpoint>()(copy), std::hash<endpoint>()(one));
    EXPECT_TRUE(seen.insert(one).second) << to_string(one);
  }
}

}  // namespace
}  // namespace soquete
