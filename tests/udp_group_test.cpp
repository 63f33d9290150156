// Datagrams to many: groups and broadcast.  RFC 1112, RFC 3376, RFC 3678; ip(7), ipv6(7)
#include "network.hpp"
#include "on_each_driver.hpp"
#include "udp_pair.hpp"

#include <soquete/deadline.hpp>
#include <string>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class udp_group : public with_driver {};
ON_EVERY_DRIVER(udp_group);

constexpr address group = address::v4({239, 1, 2, 3});
constexpr address other_group = address::v4({239, 1, 2, 4});
const address group_v6 = address::parse("ff12::1:2:3").value();
const address other_group_v6 = address::parse("ff12::1:2:4").value();

task<result<udp::socket>> open_member(const char* on = "0.0.0.0:0") { return udp::bind(on); }

task<result<std::uint16_t>> port_of(const udp::socket& s) { co_return (co_await ok(s.local())).port(); }

task<result<udp::socket>> open_sender(const char* on, std::uint32_t card) {
  auto s = co_await ok(udp::bind(on));
  co_await ok(s.options().set_multicast_interface(card));
  co_return s;
}

task<result<std::string>> text_at(udp::socket& s) {
  const udp::received got = co_await ok(within(20s, s.receive()));
  co_return std::string(got.text());
}

// The receiver, the group and the sender's place, of one family each, and IPv4 through a dual-stack socket.
struct family_case {
  const char* receiver;
  address group;
  address other;
  const char* sender;
};
const std::array<family_case, 3> families{{
    {"0.0.0.0:0", group, other_group, "0.0.0.0:0"},
    {"[::]:0", group_v6, other_group_v6, "[::]:0"},
    {":0", group, other_group, ":0"},
}};

TEST_P(udp_group, a_member_receives_until_it_leaves) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    const std::uint32_t v0 = plug_in_cards(GetParam());
    for (const family_case& f : families) {
      auto member = co_await ok(open_member(f.receiver));
      auto sender = co_await ok(open_sender(f.sender, v0));
      const endpoint to(f.group, co_await ok(port_of(member)));
      const group_membership which{.group = f.group, .interface = v0};
      co_await ok(sender.send_to(to, "too early"));
      co_await ok(expect_silence(member));
      co_await ok(member.join(which));
      EXPECT_TRUE(fails_with(member.join(which), std::errc::address_in_use));
      co_await ok(sender.send_to(to, "hello"));
      EXPECT_EQ(co_await ok(text_at(member)), "hello");
      co_await ok(sender.send_to(endpoint(f.other, to.port()), "to others"));
      co_await ok(member.leave(which));
      co_await ok(sender.send_to(to, "too late"));
      co_await ok(expect_silence(member));
      const auto again = member.leave(which);
      EXPECT_TRUE(fails_with(again, std::errc::address_not_available));
      if (!again) EXPECT_EQ(again.error().subject(), to_string(f.group));
    }
    co_return {};
  });
}

TEST_P(udp_group, the_mapped_form_of_a_group_is_the_same_group) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    const std::uint32_t v0 = plug_in_cards(GetParam());
    auto member = co_await ok(open_member(":0"));
    auto sender = co_await ok(open_sender("0.0.0.0:0", v0));
    const endpoint to(group, co_await ok(port_of(member)));
    co_await ok(member.join({.group = group.mapped(), .interface = v0}));
    co_await ok(sender.send_to(to, "hello"));
    EXPECT_EQ(co_await ok(text_at(member)), "hello");
    co_await ok(member.leave({.group = group, .interface = v0}));
    co_return {};
  });
}

TEST_P(udp_group, the_zone_of_a_group_says_which_interface) {
  NEEDS_THE_KERNEL("a simulated host has one card");
  in_own_network(GetParam(), []() -> task<result<void>> {
    const std::uint32_t v0 = plug_in_cards(GetParam());
    auto member = co_await ok(open_member("[::]:0"));
    auto sender = co_await ok(open_sender("[::]:0", v0));
    const endpoint to(group_v6, co_await ok(port_of(member)));
    co_await ok(member.join({.group = group_v6.with_zone(zone_number("v1"))}));
    co_await ok(sender.send_to(to, "over the cable"));
    const udp::received got = co_await ok(within(20s, member.receive()));
    EXPECT_EQ(got.about().interface(), zone_number("v1"));
    co_return {};
  });
}

TEST_P(udp_group, a_datagram_to_a_group_tells_so_and_can_be_answered) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    const std::uint32_t v0 = plug_in_cards(GetParam());
    for (const family_case& f : families) {
      auto member = co_await ok(open_member(f.receiver));
      auto sender = co_await ok(open_sender(f.sender, v0));
      co_await ok(member.join({.group = f.group, .interface = v0}));
      co_await ok(sender.send_to({f.group, co_await ok(port_of(member))}, "who is there?"));
      const udp::batch got = co_await ok(receive_soon(member));
      const udp::datagram d = got.front();
      EXPECT_EQ(d.to().unmapped(), f.group);
      EXPECT_FALSE(d.answer_from().is_multicast());
      EXPECT_EQ(d.interface(), v0);
      EXPECT_TRUE(member.queue_reply(d, as_bytes("me")));
      const udp::flushed done = co_await ok(member.flush());
      EXPECT_EQ(done.sent, 1U) << done.first_cause.message();
      EXPECT_EQ(co_await ok(text_at(sender)), "me");
    }
    co_return {};
  });
}

TEST_P(udp_group, without_the_loop_nobody_on_this_host_hears_it) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    const std::uint32_t v0 = plug_in_cards(GetParam());
    for (const family_case& f : families) {
      auto member = co_await ok(open_member(f.receiver));
      auto sender = co_await ok(open_sender(f.sender, v0));
      co_await ok(member.join({.group = f.group, .interface = v0}));
      EXPECT_TRUE(co_await ok(sender.options().multicast_loop()));
      co_await ok(sender.options().set_multicast_loop(false));
      EXPECT_FALSE(co_await ok(sender.options().multicast_loop()));
      const endpoint to(f.group, co_await ok(port_of(member)));
      co_await ok(sender.send_to(to, "not here"));
      co_await ok(expect_silence(member));
      co_await ok(sender.options().set_multicast_loop(true));
      co_await ok(sender.send_to(to, "here"));
      EXPECT_EQ(co_await ok(text_at(member)), "here");
    }
    co_return {};
  });
}

TEST_P(udp_group, only_the_wanted_source_is_heard) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    const std::uint32_t v0 = plug_in_cards(GetParam());
    for (const char* more : {"10.9.0.5/24", "2001:db8::1/64 nodad", "2001:db8::5/64 nodad"})
      add_address(GetParam(), more);
    struct case_of_sources {
      const char* receiver;
      address group;
      const char* wanted;
      const char* unwanted;
    };
    const std::array<case_of_sources, 3> all{{
        {"0.0.0.0:0", group, "10.9.0.1", "10.9.0.5"},
        {"[::]:0", group_v6, "2001:db8::1", "2001:db8::5"},
        {":0", group, "10.9.0.1", "10.9.0.5"},
    }};
    for (const case_of_sources& c : all) {
      const address wanted = co_await ok(address::parse(c.wanted)),
                    other = co_await ok(address::parse(c.unwanted));
      auto member = co_await ok(open_member(c.receiver));
      const endpoint to(c.group, co_await ok(port_of(member)));
      const group_membership which{.group = c.group, .source = wanted, .interface = v0};
      co_await ok(member.join(which));
      for (const address& from : {other, wanted, other}) {
        auto sender = co_await ok(udp::bind(endpoint(from, 0)));
        co_await ok(sender.options().set_multicast_interface(v0));
        co_await ok(sender.send_to(to, from == wanted ? "wanted" : "unwanted"));
      }
      EXPECT_EQ(co_await ok(text_at(member)), "wanted");
      co_await ok(expect_silence(member));
      // A second one joins the first.
      co_await ok(member.join({.group = c.group, .source = other, .interface = v0}));
      auto sender = co_await ok(udp::bind(endpoint(other, 0)));
      co_await ok(sender.options().set_multicast_interface(v0));
      co_await ok(sender.send_to(to, "wanted now"));
      EXPECT_EQ(co_await ok(text_at(member)), "wanted now");
      co_await ok(member.leave({.group = c.group, .source = other, .interface = v0}));
      co_await ok(sender.send_to(to, "and no more"));
      co_await ok(expect_silence(member));
      co_await ok(member.leave(which));
    }
    co_return {};
  });
}

TEST_P(udp_group, what_others_have_joined_is_not_for_those_who_say_so) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    const std::uint32_t v0 = plug_in_cards(GetParam());
    for (const family_case& f : families) {
      auto member = co_await ok(open_member(f.receiver));
      auto sender = co_await ok(open_sender(f.sender, v0));
      auto neighbour = co_await ok(open_member(f.receiver));
      co_await ok(neighbour.join({.group = f.group, .interface = v0}));
      co_await ok(member.join({.group = f.other, .interface = v0}));
      const endpoint to(f.group, co_await ok(port_of(member)));
      // Of a dual-stack socket Linux has it off for IPv4, else on.
      co_await ok(member.options().set_multicast_all(true));
      co_await ok(sender.send_to(to, "for all here"));
      EXPECT_EQ(co_await ok(text_at(member)), "for all here");
      co_await ok(member.options().set_multicast_all(false));
      co_await ok(sender.send_to(to, "not for me"));
      co_await ok(sender.send_to({f.other, to.port()}, "for me"));
      EXPECT_EQ(co_await ok(text_at(member)), "for me");
      co_await ok(expect_silence(member));
    }
    co_return {};
  });
}

TEST_P(udp_group, hops_to_groups_are_an_option_of_their_own) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    const std::uint32_t v0 = plug_in_cards(GetParam());
    for (const family_case& f : families) {
      auto member = co_await ok(open_member(f.receiver));
      auto sender = co_await ok(open_sender(f.sender, v0));
      co_await ok(member.join({.group = f.group, .interface = v0}));
      co_await ok(member.options().set_tell_hops(true));
      EXPECT_EQ(co_await ok(sender.options().multicast_hops()), 1);
      for (const int hops : {1, 17}) {
        co_await ok(sender.options().set_multicast_hops(hops));
        co_await ok(sender.send_to({f.group, co_await ok(port_of(member))}, "x"));
        EXPECT_EQ((co_await ok(receive_soon(member))).front().hops(), static_cast<unsigned>(hops));
      }
      EXPECT_TRUE(fails_with(sender.options().set_multicast_hops(256), std::errc::invalid_argument));
    }
    co_return {};
  });
}

TEST_P(udp_group, what_is_no_group_or_no_interface_is_told) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    const std::uint32_t v0 = plug_in_cards(GetParam());
    auto v4 = co_await ok(open_member());
    auto v6 = co_await ok(open_member("[::]:0"));
    EXPECT_TRUE(fails_with(v4.join({.group = address::loopback_v4()}), std::errc::invalid_argument));
    EXPECT_FALSE(v4.join({.group = group_v6}));
    EXPECT_FALSE(v6.join({.group = address::loopback_v6()}));
    EXPECT_TRUE(fails_with(v4.join({.group = group, .interface = 9999}), std::errc::no_such_device));
    EXPECT_TRUE(fails_with(v6.join({.group = group_v6, .interface = 9999}), std::errc::no_such_device));
    EXPECT_FALSE(v4.join({.group = group, .source = address::loopback_v6(), .interface = v0}));
    EXPECT_FALSE(v4.options().set_multicast_interface(9999));
    EXPECT_FALSE(v6.options().set_multicast_interface(9999));
    co_return {};
  });
}

TEST_P(udp_group, a_broadcast_reaches_the_network_and_is_answered_from_an_address_of_ours) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    const std::uint32_t v0 = plug_in_cards(GetParam());
    for (const char* on : {"0.0.0.0:0", ":0"}) {
      auto server = co_await ok(udp::bind(on));
      const std::uint16_t port = co_await ok(port_of(server));
      auto client = co_await ok(udp::bind("10.9.0.1:0", {.broadcast = true}));
      for (const address& to : {address::v4({10, 9, 0, 255}), address::v4({255, 255, 255, 255})}) {
        co_await ok(client.send_to({to, port}, "anybody?", {.interface = v0}));
        const udp::batch got = co_await ok(receive_soon(server));
        const udp::datagram d = got.front();
        EXPECT_EQ(d.to().unmapped(), to);
        EXPECT_EQ(d.answer_from().unmapped(), address::v4({10, 9, 0, 1}));
        EXPECT_EQ(d.answer_from().is_v4(), d.to().is_v4());
        EXPECT_TRUE(server.queue_reply(d, as_bytes("me")));
        const udp::flushed done = co_await ok(server.flush());
        EXPECT_EQ(done.sent, 1U) << done.first_cause.message();
        const udp::received answer = co_await ok(within(20s, client.receive()));
        EXPECT_EQ(answer.text(), "me");
        EXPECT_EQ(answer.from(), endpoint(address::v4({10, 9, 0, 1}), port));
      }
    }
    co_return {};
  });
}

TEST_P(udp_group, of_several_that_share_a_port_each_gets_a_copy) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    const std::uint32_t v0 = plug_in_cards(GetParam());
    for (const family_case& f : families) {
      const udp::bind_options sharing{.reuse_address = true};
      auto one = co_await ok(udp::bind(f.receiver, sharing));
      const endpoint door = co_await ok(one.local());
      auto two = co_await ok(udp::bind(door, sharing));
      auto deaf = co_await ok(udp::bind(door, sharing));
      for (udp::socket* const each : {&one, &two, &deaf})
        co_await ok(each->options().set_multicast_all(false));
      for (udp::socket* const each : {&one, &two})
        co_await ok(each->join({.group = f.group, .interface = v0}));
      auto sender = co_await ok(open_sender(f.sender, v0));
      co_await ok(sender.send_to({f.group, door.port()}, "for two"));
      EXPECT_EQ(co_await ok(text_at(one)), "for two");
      EXPECT_EQ(co_await ok(text_at(two)), "for two");
      co_await ok(expect_silence(deaf));
      if (f.group.is_v6()) continue;
      co_await ok(sender.options().set_broadcast(true));
      co_await ok(sender.send_to({address::v4({10, 9, 0, 255}), door.port()}, "for all"));
      for (udp::socket* const each : {&one, &two, &deaf}) EXPECT_EQ(co_await ok(text_at(*each)), "for all");
    }
    co_return {};
  });
}

TEST_P(udp_group, of_several_that_share_a_port_the_last_gets_what_is_for_one) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    for (const char* on : {"127.0.0.1:0", "[::1]:0"}) {
      const udp::bind_options sharing{.reuse_address = true};
      auto one = co_await ok(udp::bind(on, sharing));
      const endpoint door = co_await ok(one.local());
      auto two = co_await ok(udp::bind(door, sharing));
      for (int i = 0; i != 5; ++i) {
        auto sender = co_await ok(udp::connect(door));
        co_await ok(sender.send("for the last"));
        EXPECT_EQ(co_await ok(text_at(two)), "for the last");
      }
      two.close();
      auto sender = co_await ok(udp::connect(door));
      co_await ok(sender.send("for the first"));
      EXPECT_EQ(co_await ok(text_at(one)), "for the first");
    }
    co_return {};
  });
}

TEST_P(udp_group, who_is_bound_to_a_group_or_broadcast_hears_nothing_else_and_sends_as_itself) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    const std::uint32_t v0 = plug_in_cards(GetParam());
    add_address(GetParam(), "2001:db8::1/64 nodad");
    const address all = address::v4({10, 9, 0, 255});
    struct place {
      address bound;
      address own;
    };
    const address v6 = address::parse("2001:db8::1").value();
    for (const place& p : {place{group, address::v4({10, 9, 0, 1})}, place{all, address::v4({10, 9, 0, 1})},
                           place{group_v6.with_zone(v0), v6}}) {
      auto member = co_await ok(udp::bind(endpoint(p.bound, 0), {.broadcast = true}));
      const std::uint16_t port = co_await ok(port_of(member));
      if (p.bound != all) co_await ok(member.join({.group = p.bound, .interface = v0}));
      auto sender = co_await ok(udp::bind(endpoint(p.own, 0), {.broadcast = true}));
      co_await ok(sender.send_to({p.own, port}, "for one"));
      co_await ok(expect_silence(member));
      co_await ok(sender.send_to({p.bound, port}, "for all"));
      const udp::received got = co_await ok(within(20s, member.receive()));
      EXPECT_EQ(got.text(), "for all");
      co_await ok(member.send_to(got.from(), "answer"));
      const udp::received answer = co_await ok(within(20s, sender.receive()));
      EXPECT_EQ(answer.from(), endpoint(p.own, port));
    }
    EXPECT_TRUE(fails_with(co_await udp::bind(endpoint(group_v6, 0)), std::errc::invalid_argument))
        << "of which link?";
    co_return {};
  });
}

TEST_P(udp_group, who_is_connected_to_a_group_sends_there_and_hears_nobody) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    const std::uint32_t v0 = plug_in_cards(GetParam());
    for (const family_case& f : families) {
      auto member = co_await ok(open_member(f.receiver));
      auto sender = co_await ok(open_sender(f.sender, v0));
      co_await ok(member.join({.group = f.group, .interface = v0}));
      co_await ok(sender.connect({f.group, co_await ok(port_of(member))}));
      co_await ok(sender.send("hello"));
      const udp::received got = co_await ok(within(20s, member.receive()));
      EXPECT_EQ(got.text(), "hello");
      co_await ok(member.send_to(got.from(), "answer"));
      co_await ok(expect_silence(sender));
    }
    co_return {};
  });
}

TEST_P(udp_group, memberships_of_all_and_of_some_sources_are_kept_apart) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    const std::uint32_t v0 = plug_in_cards(GetParam());
    struct sources {
      const char* receiver;
      address group;
      address one;
      address other;
    };
    for (const sources& c :
         {sources{"0.0.0.0:0", group, address::v4({10, 9, 0, 1}), address::v4({10, 9, 0, 5})},
          sources{"[::]:0", group_v6, address::parse("2001:db8::1").value(),
                  address::parse("2001:db8::5").value()}}) {
      auto member = co_await ok(open_member(c.receiver));
      const group_membership of_all{.group = c.group, .interface = v0};
      const group_membership of_one{.group = c.group, .source = c.one, .interface = v0};
      const group_membership of_other{.group = c.group, .source = c.other, .interface = v0};
      EXPECT_TRUE(fails_with(member.leave(of_one), std::errc::invalid_argument)) << "nothing is joined";
      co_await ok(member.join(of_one));
      EXPECT_TRUE(fails_with(member.join(of_one), std::errc::address_not_available));
      EXPECT_TRUE(fails_with(member.join(of_all), std::errc::address_in_use));
      EXPECT_TRUE(fails_with(member.leave(of_other), std::errc::address_not_available));
      co_await ok(member.leave(of_one));
      EXPECT_TRUE(fails_with(member.leave(of_all), std::errc::address_not_available)) << "it was the last";
      co_await ok(member.join(of_one));
      co_await ok(member.leave(of_all));
      co_await ok(member.join(of_all));
      co_await ok(member.join(of_one));
      EXPECT_TRUE(fails_with(member.join(of_all), std::errc::address_in_use)) << "it is of one now";
      co_await ok(member.leave(of_one));
    }
    co_return {};
  });
}

TEST_P(udp_group, groups_and_sources_have_limits) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    const std::uint32_t v0 = plug_in_cards(GetParam());
    auto member = co_await ok(open_member());
    const auto nth = [](std::size_t i) { return address::v4({239, 1, 0, static_cast<std::uint8_t>(i)}); };
    std::size_t joined = 0;
    result<void> done;
    for (; joined != 100 && done; ++joined) done = member.join({.group = nth(joined), .interface = v0});
    EXPECT_EQ(joined, 21U);
    EXPECT_TRUE(fails_with(done, std::errc::no_buffer_space));
    co_await ok(member.leave({.group = nth(0), .interface = v0}));
    std::size_t sources = 0;
    for (done = {}; sources != 100 && done; ++sources) {
      const address source = address::v4({10, 9, 0, static_cast<std::uint8_t>(sources + 1)});
      done = member.join({.group = group, .source = source, .interface = v0});
    }
    EXPECT_EQ(sources, 11U);
    EXPECT_TRUE(fails_with(done, std::errc::no_buffer_space));
    co_return {};
  });
}

TEST_P(udp_group, a_group_on_the_loopback_is_heard_there_only) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    const std::uint32_t v0 = plug_in_cards(GetParam());
    const std::uint32_t lo = zone_number("lo");
    auto member = co_await ok(open_member());
    const endpoint to(group, co_await ok(port_of(member)));
    co_await ok(member.options().set_multicast_all(false));
    co_await ok(member.join({.group = group, .interface = lo}));
    auto inside = co_await ok(udp::bind("127.0.0.1:0"));
    co_await ok(inside.options().set_multicast_loop(false));
    co_await ok(inside.send_to(to, "by the loopback"));
    EXPECT_EQ(co_await ok(text_at(member)), "by the loopback");
    co_await ok(inside.options().set_multicast_interface(v0));
    EXPECT_TRUE(fails_with(co_await inside.send_to(to, "x"), std::errc::invalid_argument))
        << "who could answer?";
    auto outside = co_await ok(open_sender("0.0.0.0:0", v0));
    co_await ok(outside.send_to(to, "by the card"));
    co_await ok(expect_silence(member));
    EXPECT_TRUE(
        fails_with(co_await outside.send_to(to, "x", {.interface = 9999}), std::errc::no_such_device));
    co_return {};
  });
}

TEST_P(udp_group, over_ipv4_who_names_an_interface_for_a_datagram_leaves_the_address_to_the_system) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    const std::uint32_t v0 = plug_in_cards(GetParam());
    auto member = co_await ok(open_member());
    const endpoint to(group, co_await ok(port_of(member)));
    co_await ok(member.join({.group = group, .interface = v0}));
    auto inside = co_await ok(udp::bind("127.0.0.1:0"));
    co_await ok(inside.send_to(to, "x", {.interface = v0}));
    EXPECT_EQ((co_await ok(within(20s, member.receive()))).from().addr(), address::v4({10, 9, 0, 1}));
    co_return {};
  });
}

TEST_P(udp_group, without_hops_it_stays_on_this_host) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    const std::uint32_t v0 = plug_in_cards(GetParam());
    for (const family_case& f : families) {
      auto member = co_await ok(open_member(f.receiver));
      auto sender = co_await ok(open_sender(f.sender, v0));
      co_await ok(member.join({.group = f.group, .interface = v0}));
      co_await ok(sender.options().set_multicast_hops(0));
      co_await ok(sender.send_to({f.group, co_await ok(port_of(member))}, "nearby"));
      EXPECT_EQ(co_await ok(text_at(member)), "nearby");
    }
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
