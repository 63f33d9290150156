// Places as people write them.  RFC 1123 section 2.1, RFC 6761 section 6.3, sd_listen_fds(3).
#include <soquete/where.hpp>

#include <gtest/gtest.h>

namespace soquete {
namespace {

using namespace std::string_literals;
using kind = where::kind;

where read(std::string_view text) {
  auto got = where::parse(text);
  if (!got) ADD_FAILURE() << to_string(got.error());
  return std::move(got).value_or(where());
}

where::alternative one(std::string_view text) {
  const where all = read(text);
  EXPECT_EQ(all.alternatives().size(), 1U) << text;
  return all.alternatives().empty() ? where::alternative() : all.alternatives()[0];
}

std::string refused(std::string_view text) {
  const auto got = where::parse(text);
  if (got) return "was read as " + to_string(*got);
  EXPECT_TRUE(got.error() == fault::bad_address || got.error() == std::errc::filename_too_long);
  EXPECT_NE(got.error().detail(), "") << text;
  return std::string(got.error().detail());
}

TEST(where, each_form_is_told_from_the_others) {
  EXPECT_EQ(one(":8080"), (where::alternative{.what = kind::any_host, .port = 8080}));
  EXPECT_EQ(one("*:8080"), one(":8080"));
  EXPECT_EQ(one("[::1]:53"), (where::alternative{.what = kind::ip, .at = {address::loopback_v6(), 53}}));
  EXPECT_EQ(one("127.0.0.1:80"), (where::alternative{.what = kind::ip, .at = {address::loopback_v4(), 80}}));
  EXPECT_EQ(one("localhost:80"), (where::alternative{.what = kind::host, .port = 80, .name = "localhost"}));
  EXPECT_EQ(one("unix:/run/x"),
            (where::alternative{.what = kind::local, .at = *endpoint::local_path("/run/x")}));
  EXPECT_EQ(one("unix:@x"), (where::alternative{.what = kind::local, .at = *endpoint::local_abstract("x")}));
  EXPECT_EQ(one("fd:3"), (where::alternative{.what = kind::descriptor, .descriptor = 3}));
  EXPECT_EQ(one("systemd:"), (where::alternative{.what = kind::inherited}));
  EXPECT_EQ(one("systemd:web"), (where::alternative{.what = kind::inherited, .name = "web"}));
}

TEST(where, text_is_printed_in_its_canonical_form_and_reads_back) {
  const std::pair<const char*, const char*> table[] = {
      {":0", ":0"},
      {"*:65535", ":65535"},
      {"[0::1]:1", "[::1]:1"},
      {"[fe80::1%3]:1", "[fe80::1%3]:1"},
      {"Example.ORG:80", "Example.ORG:80"},
      {"example.org.:80", "example.org.:80"},
      {"a:1", "a:1"},
      {"a-b_c.d:1", "a-b_c.d:1"},
      {"_sip._tcp.example:1", "_sip._tcp.example:1"},
      {"xn--caf-dma.example:1", "xn--caf-dma.example:1"},
      {"1a.2:1", "1a.2:1"},
      {"dead.beef:1", "dead.beef:1"},
      {"fd.:3", "fd.:3"},
      {"fd0:3", "fd0:3"},
      {"unix.:3", "unix.:3"},
      {"systemd.:3", "systemd.:3"},
      {"fd:0", "fd:0"},
      {"fd:2147483647", "fd:2147483647"},
      {"systemd:a b", "systemd:a b"},
      {"systemd:web|[::]:8080", "systemd:web|[::]:8080"},
      {"systemd:|fd:3|*:1|a:2|1.2.3.4:3|unix:x", "systemd:|fd:3|:1|a:2|1.2.3.4:3|unix:x"},
      {R"(unix:/a\x7cb|unix:@c)", R"(unix:/a\x7cb|unix:@c)"},
      {"unix:///run/x|:1", "unix:/run/x|:1"},
  };
  for (const auto& [text, canonical] : table) {
    EXPECT_EQ(to_string(read(text)), canonical) << text;
    EXPECT_EQ(read(canonical), read(text)) << text;
  }
}

TEST(where, alternatives_keep_their_order_and_are_limited) {
  const where all = read("systemd:web|unix:/run/x|:80");
  ASSERT_EQ(all.alternatives().size(), 3U);
  EXPECT_EQ(all.alternatives()[0].what, kind::inherited);
  EXPECT_EQ(all.alternatives()[1].what, kind::local);
  EXPECT_EQ(all.alternatives()[2].what, kind::any_host);
  std::string many = ":1";
  for (std::size_t i = 1; i < where::alternatives_max; ++i) many += "|:1";
  EXPECT_EQ(read(many).alternatives().size(), where::alternatives_max);
  EXPECT_EQ(refused(many + "|:1"), "more than 16 alternatives");
  EXPECT_TRUE(where().alternatives().empty());
}

TEST(where, what_names_no_place_is_refused_with_a_reason) {
  const std::string table[] = {
      "",
      " ",
      "|",
      ":80|",
      "|:80",
      ":80||:81",
      ":80 | :81",
      ":",
      "*",
      "*:",
      "**:80",
      "*.example:80",
      "localhost",
      "localhost:",
      "localhost:http",
      "localhost:65536",
      "localhost:+80",
      "localhost: 80",
      "localhost:080",
      "local host:80",
      " localhost:80",
      "localhost :80",
      "::1",
      "::1:80",
      "[::1]",
      "[localhost]:80",
      "[1.2.3.4]:80",
      "[]:80",
      "[*]:80",
      "a:b:80",
      "tcp://a:80",
      "http://a/",
      "a/b:80",
      "user@host:80",
      "caf\xc3\xa9:80",
      "a..b:80",
      ".a:80",
      "a..:80",
      ".:80",
      "..:80",
      "-a:80",
      "a-:80",
      "a.-b:80",
      "a.b-.c:80",
      "a%1:80",
      "a\\b:80",
      "fd:",
      "fd:-1",
      "fd:+3",
      "fd:03",
      "fd:0x3",
      "fd:2147483648",
      "fd:3:80",
      "fd:stdin",
      "systemd:web:80",
      "systemd:a\tb",
      "systemd:caf\xc3\xa9",
      "unix:",
      "unix:@",
      "unix://run/x",
      "unix:\\",
      "a\0:80"s,
      "\0:80"s,
      ":80\0"s,
      "systemd:\0"s,
      "fd:3\0"s,
  };
  for (const std::string& text : table) EXPECT_FALSE(where::parse(text)) << text << " " << refused(text);
}

TEST(where, numbers_only_are_an_address_or_a_mistake_and_never_a_name) {
  for (const char* text : {"1.2.3:80", "127.1:80", "0x7f.1:80", "010.0.0.1:80", "1:80", "2130706433:80",
                           "0x7f000001:80", "0X7F.0.0.1:80", "1.2.3.4.5:80", "127.0.0.1.:80", "256.1.1.1:80",
                           "0x:80", "017700000001:80", "1.2.3.0x4:80"})
    EXPECT_FALSE(where::parse(text)) << text << " " << refused(text);
  EXPECT_EQ(refused("010.0.0.1:80"), "'010' begins with a zero, which some programs read as octal");
  EXPECT_EQ(refused("127.1:80"), "'127.1' is too short: an IPv4 address has four numbers, as in 127.0.0.1");
  EXPECT_EQ(one("1.2.3.4:80").what, kind::ip);
  EXPECT_EQ(one("1.2.3.4a:80").what, kind::host);
}

TEST(where, a_name_has_63_bytes_between_dots_and_253_in_all) {
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
  ASSERT_EQ(longest.size(), 253U);
  EXPECT_EQ(one(longest + ":80").name, longest);
  EXPECT_EQ(one(longest + ".:80").name, longest + ".");
  EXPECT_EQ(refused(longest + "a:80"), "the name is too long: it has at most 253 bytes");
  EXPECT_FALSE(where::parse(longest + "..:80"));
  EXPECT_FALSE(where::parse(label + "a:80"));
}

TEST(where, the_error_carries_the_text_and_says_which_part_is_wrong) {
  const auto got = where::parse("systemd:web|localhost:http");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().subject(), "systemd:web|localhost:http");
  EXPECT_EQ(to_string(got.error()),
            "read address systemd:web|localhost:http: not an address ('http' is not a port: "
            "a decimal number is expected; names of services are not looked up)");
  EXPECT_EQ(where::parse(":1|unix:@").error().subject(), ":1|unix:@");
  EXPECT_EQ(where::parse(":1|unix:" + std::string(109, 'x')).error(), std::errc::filename_too_long);
  EXPECT_EQ(refused("localhost"), "a port is missing: write host:port");
  EXPECT_EQ(refused("::1"), "write an IPv6 address in brackets: [address]:port");
  EXPECT_EQ(refused("tcp://a:80"), "'tcp://' does not belong here: write host:port");
  EXPECT_EQ(refused("[localhost]:80"), "'localhost' in brackets: an IPv6 address is expected there");
  EXPECT_EQ(refused("a b:80"), "' ' cannot be in a name: it has letters, digits, '-', '_' and '.'");
  EXPECT_EQ(refused("fd:stdin"),
            "'stdin' is no descriptor: a decimal number is expected after 'fd:', as in fd:3");
}

TEST(where, the_name_of_a_zone_is_looked_up_only_where_asked) {
  refused("[fe80::1%lo]:80");
  const auto got = where::parse("[fe80::1%lo]:80", [](std::string_view) noexcept { return 1U; });
  EXPECT_EQ(to_string(got.value()), "[fe80::1%1]:80");
}

std::string candidates(std::string_view text, purpose what_for) {
  const auto got = literal_endpoints(one(text), what_for);
  if (!got) return to_string(got.error());
  std::string all;
  for (const endpoint& each : *got) all += (all.empty() ? "" : " ") + to_string(each);
  return all;
}

TEST(where, no_host_is_every_address_to_listen_and_this_host_to_connect) {
  EXPECT_EQ(candidates(":80", purpose::listen), "[::]:80");
  EXPECT_EQ(candidates(":80", purpose::connect), "[::1]:80 127.0.0.1:80");
}

TEST(where, localhost_is_always_loopback) {
  for (const char* text :
       {"localhost:80", "LocalHost:80", "localhost.:80", "db.localhost:80", "a.b.LOCALHOST.:80"})
    for (const purpose what_for : {purpose::listen, purpose::connect})
      EXPECT_EQ(candidates(text, what_for), "[::1]:80 127.0.0.1:80") << text;
}

TEST(where, literals_stand_for_themselves_and_open_sockets_for_none) {
  EXPECT_EQ(candidates("1.2.3.4:80", purpose::connect), "1.2.3.4:80");
  EXPECT_EQ(candidates("[::]:80", purpose::connect), "[::]:80");
  EXPECT_EQ(candidates("unix:@x", purpose::listen), "unix:@x");
  EXPECT_EQ(candidates("fd:3", purpose::listen), "");
  EXPECT_EQ(candidates("systemd:web", purpose::listen), "");
}

TEST(where, other_names_are_not_found_in_this_version) {
  for (const char* text : {"example.org:80", "notlocalhost:80", "localhost.example:80", "xlocalhost.:80"}) {
    const auto got = literal_endpoints(one(text), purpose::connect);
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error(), fault::name_not_found);
    EXPECT_EQ(got.error().during(), step::resolve);
  }
  EXPECT_EQ(candidates("example.org:80", purpose::connect),
            "resolve example.org: name not found (only literal addresses and localhost are resolved in this "
            "version; other names come with DNS)");
}

}  // namespace
}  // namespace soquete
