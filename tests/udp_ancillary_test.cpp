// What travels beside the bytes of datagrams.  ip(7), ipv6(7), RFC 3168, RFC 3542
#include "network.hpp"
#include "on_each_driver.hpp"
#include "udp_pair.hpp"

#include <sys/socket.h>
#include <soquete/deadline.hpp>
#include <string>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class udp_ancillary : public on_each_driver {};
ON_EVERY_DRIVER(udp_ancillary);
class udp_ancillary_network : public with_driver {};
ON_EACH_DRIVER(udp_ancillary_network);

const address other_loopback = address::v4({127, 0, 0, 77});

// A way to send: from a client's family over to a server's.
struct path {
  const char* server;
  address to;
};
constexpr std::array<path, 3> paths{{
    {"0.0.0.0:0", address::loopback_v4()},
    {":0", address::loopback_v6()},
    {":0", address::loopback_v4()},
}};

struct way {
  udp::socket server;
  udp::socket client;
};
task<result<way>> open_way(path p) {
  way w;
  w.server = co_await ok(udp::bind(p.server));
  w.client = co_await ok(udp::connect(endpoint(p.to, (co_await ok(w.server.local())).port())));
  co_return w;
}

TEST_P(udp_ancillary, a_datagram_tells_where_it_was_sent_to_and_by_which_interface_it_came) {
  play([]() -> task<result<void>> {
    for (const path& p : paths) {
      way w = co_await ok(open_way(p));
      co_await ok(w.client.send("x"));
      const udp::batch got = co_await ok(receive_soon(w.server));
      const udp::datagram d = got.front();
      EXPECT_EQ(d.to().unmapped(), p.to);
      EXPECT_EQ(d.answer_from(), d.to());
      EXPECT_EQ(d.to().is_v4(), d.from().addr().is_v4()) << "of one form, on either kind of socket";
      EXPECT_EQ(d.interface(), zone_number("lo"));
    }
    co_return {};
  });
}

TEST_P(udp_ancillary, nothing_is_told_that_was_not_asked_for) {
  play([]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair());
    co_await ok(both.client.send("x"));
    const udp::batch got = co_await ok(receive_soon(both.server));
    const udp::datagram d = got.front();
    EXPECT_TRUE(d.to().is_unspecified());
    EXPECT_TRUE(d.answer_from().is_unspecified());
    EXPECT_EQ(d.interface(), 0U);
    EXPECT_FALSE(d.hops() || d.ecn() || d.dscp() || d.when());
    EXPECT_EQ(d.drops(), 0U);
    co_return {};
  });
}

TEST_P(udp_ancillary, a_room_that_is_used_again_tells_nothing_of_the_datagram_before) {
  play([]() -> task<result<void>> {
    way told = co_await ok(open_way({"0.0.0.0:0", address::loopback_v4()}));
    co_await ok(told.server.options().set_tell_hops(true));
    co_await ok(told.server.options().set_tell_time(true));
    udp_pair untold = co_await ok(open_udp_pair());
    for (int i = 0; i < 3; ++i) {
      co_await ok(told.client.send("x"));
      EXPECT_TRUE((co_await ok(receive_soon(told.server))).front().hops());
      co_await ok(untold.client.send("y"));
      const udp::batch got = co_await ok(receive_soon(untold.server));
      EXPECT_FALSE(got.front().hops() || got.front().when());
      EXPECT_TRUE(got.front().to().is_unspecified());
    }
    co_return {};
  });
}

TEST_P(udp_ancillary, hops_marks_and_classes_of_a_socket_arrive) {
  play([]() -> task<result<void>> {
    for (const path& p : paths) {
      way w = co_await ok(open_way(p));
      auto heard = w.server.options();
      co_await ok(heard.set_tell_hops(true));
      co_await ok(heard.set_tell_traffic_class(true));
      auto said = w.client.options();
      co_await ok(said.set_hop_limit(33));
      co_await ok(said.set_ecn(ecn::capable_1));
      co_await ok(said.set_dscp(46));
      EXPECT_EQ(co_await ok(said.ecn()), ecn::capable_1) << "set_dscp() leaves it alone";
      co_await ok(w.client.send("x"));
      const udp::batch got = co_await ok(receive_soon(w.server));
      EXPECT_EQ(got.front().hops(), 33U);
      EXPECT_EQ(got.front().ecn(), ecn::capable_1);
      EXPECT_EQ(got.front().dscp(), 46U);
    }
    co_return {};
  });
}

TEST_P(udp_ancillary, hops_marks_and_classes_of_a_single_datagram_arrive) {
  play([]() -> task<result<void>> {
    for (const path& p : paths) {
      way w = co_await ok(open_way(p));
      co_await ok(w.server.options().set_tell_hops(true));
      co_await ok(w.server.options().set_tell_traffic_class(true));
      co_await ok(w.client.send("x", {.hops = 7, .traffic_class = 12 * 4 + 3}));
      co_await ok(w.client.send("y"));
      udp::batch got = co_await ok(receive_soon(w.server));
      EXPECT_EQ(got.front().hops(), 7U);
      EXPECT_EQ(got.front().ecn(), ecn::congested);
      EXPECT_EQ(got.front().dscp(), 12U);
      if (got.size() == 1)
        got = co_await ok(receive_soon(w.server));
      else
        got.drop_front();
      EXPECT_EQ(got.front().hops(), 64U);
      EXPECT_EQ(got.front().ecn(), ecn::not_capable);
      EXPECT_EQ(got.front().dscp(), 0U);
    }
    co_return {};
  });
}

TEST_P(udp_ancillary, an_answer_of_a_dual_stack_socket_has_the_marks_of_its_family) {
  play([]() -> task<result<void>> {
    for (const address& at : {address::loopback_v4(), address::loopback_v6()}) {
      way w = co_await ok(open_way({":0", at}));
      co_await ok(w.client.options().set_tell_hops(true));
      co_await ok(w.client.options().set_tell_traffic_class(true));
      co_await ok(w.client.send("x"));
      const udp::batch got = co_await ok(receive_soon(w.server));
      // The peer as it was told, and as a user may write it.
      const endpoint from = got.front().from();
      for (const endpoint& to : {from, endpoint(from.addr().unmapped(), from.port())}) {
        co_await ok(w.server.send_to(to, "y", {.hops = 9, .traffic_class = 2}));
        const udp::batch answer = co_await ok(receive_soon(w.client));
        EXPECT_EQ(answer.front().hops(), 9U);
        EXPECT_EQ(answer.front().ecn(), ecn::capable_0);
      }
      co_await ok(w.server.options().set_hop_limit(5));
      co_await ok(w.server.options().set_ecn(ecn::congested));
      co_await ok(w.server.send_to(from, "z"));
      const udp::batch last = co_await ok(receive_soon(w.client));
      EXPECT_EQ(last.front().hops(), 5U);
      EXPECT_EQ(last.front().ecn(), ecn::congested);
    }
    co_return {};
  });
}

TEST_P(udp_ancillary, what_is_out_of_range_is_refused) {
  play([]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair());
    for (const int hops : {0, 256, 65'536 + 64, -2})
      EXPECT_TRUE(fails_with(co_await both.client.send("x", {.hops = hops}), std::errc::invalid_argument))
          << hops;
    for (const int all : {256, 65'536, -2})
      EXPECT_TRUE(
          fails_with(co_await both.client.send("x", {.traffic_class = all}), std::errc::invalid_argument));
    for (const int hops : {0, 256, -1})
      EXPECT_TRUE(fails_with(both.client.options().set_hop_limit(hops), std::errc::invalid_argument)) << hops;
    co_await ok(both.client.send("after all"));
    EXPECT_EQ((co_await ok(both.server.receive())).text(), "after all");
    co_return {};
  });
}

TEST_P(udp_ancillary, times_are_those_of_now_and_go_forward) {
  NEEDS_THE_KERNEL("a simulated clock does not show the real time");
  play([]() -> task<result<void>> {
    for (const path& p : paths) {
      way w = co_await ok(open_way(p));
      co_await ok(w.server.options().set_tell_time(true));
      auto before = std::chrono::system_clock::now() - 1s;
      const auto limit = before + 60s;
      for (int i = 0; i < 10; ++i) {
        co_await ok(w.client.send("x"));
        const udp::received got = co_await ok(w.server.receive());
        const auto when = got.about().when();
        if (!when) co_return fail(std::errc::no_message);
        EXPECT_GE(*when, before);
        EXPECT_LE(*when, limit);
        before = *when;
      }
    }
    co_return {};
  });
}

// C9
TEST_P(udp_ancillary, datagrams_that_a_full_buffer_lost_are_counted_exactly) {
  play([]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair("127.0.0.1:0", {.receive_buffer = 10'000}));
    co_await ok(both.server.options().set_tell_drops(true));
    const std::string piece(1000, 'd');
    constexpr std::size_t sent = 200;
    for (std::size_t i = 0; i < sent; ++i) co_await ok(both.client.send(piece));
    std::size_t got = 0;
    for (;;) {
      const auto some = co_await within(10ms, both.server.receive_batch());
      if (!some) break;
      for (const udp::datagram& d : *some) EXPECT_EQ(d.drops(), 0U) << "they were lost after it";
      got += some->size();
    }
    EXPECT_GT(got, 0U);
    EXPECT_LT(got, sent);
    co_await ok(both.client.send("and now?"));
    EXPECT_EQ((co_await ok(receive_soon(both.server))).front().drops(), sent - got);
    co_return {};
  });
}

TEST_P(udp_ancillary, a_datagram_leaves_from_the_address_and_interface_asked) {
  play([]() -> task<result<void>> {
    const std::uint32_t lo = zone_number("lo");
    auto server = co_await ok(udp::bind("127.0.0.1:0"));
    const endpoint door = co_await ok(server.local());
    for (const char* on : {"0.0.0.0:0", ":0"}) {
      auto client = co_await ok(udp::bind(on));
      // Each way to write it.
      for (const endpoint& to : {door, endpoint(door.addr().mapped(), door.port())}) {
        if (to.addr().is_v6() && std::string_view(on) != ":0") continue;
        for (const address& from : {other_loopback, other_loopback.mapped()}) {
          co_await ok(client.send_to(to, "x", {.from = from, .interface = lo}));
          EXPECT_EQ((co_await ok(server.receive())).from().addr(), other_loopback);
        }
        co_await ok(client.send_to(to, "x", {.interface = lo}));
        EXPECT_EQ((co_await ok(server.receive())).from().addr(), address::loopback_v4());
        // Not ours.
        const address foreign = address::v4({198, 51, 100, 1});
        EXPECT_FALSE(co_await client.send_to(to, "x", {.from = foreign}));
        EXPECT_FALSE(co_await client.send_to(to, "x", {.from = address::loopback_v6()}));
      }
    }
    co_await ok(expect_silence(server));
    co_return {};
  });
}

TEST_P(udp_ancillary, an_ipv6_datagram_leaves_from_the_address_asked_and_no_ipv4_one) {
  play([]() -> task<result<void>> {
    auto server = co_await ok(udp::bind("[::1]:0"));
    const endpoint door = co_await ok(server.local());
    auto client = co_await ok(udp::bind(":0"));
    co_await ok(client.send_to(door, "x", {.from = address::loopback_v6(), .interface = zone_number("lo")}));
    EXPECT_EQ((co_await ok(server.receive())).from().addr(), address::loopback_v6());
    EXPECT_FALSE(co_await client.send_to(door, "x", {.from = other_loopback}));
    co_return {};
  });
}

// An adopted socket, as systemd passes one, answers from the address asked too.
TEST_P(udp_ancillary, an_adopted_socket_answers_from_the_address_asked) {
  play([]() -> task<result<void>> {
    auto opened = co_await ok(udp::bind("0.0.0.0:0"));
    co_await ok(opened.options().set_tell_destination(false));
    auto server = co_await ok(udp::socket::adopt(opened.release()));
    const std::uint16_t port = (co_await ok(server.local())).port();
    auto client = co_await ok(udp::connect(endpoint(other_loopback, port)));
    co_await ok(client.send("which?"));
    const udp::batch got = co_await ok(receive_soon(server));
    server.queue_reply(got.front(), as_bytes("this"));
    EXPECT_EQ((co_await ok(server.flush())).sent, 1U);
    EXPECT_EQ((co_await ok(client.receive())).text(), "this");
    co_return {};
  });
}

TEST_P(udp_ancillary_network, a_link_local_peer_is_told_with_its_link_and_answered_by_it) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    const std::uint32_t v0 = plug_in_cards(GetParam()), v1 = zone_number("v1");
    ip("addr add fe80::1/64 dev v0 nodad");
    ip("addr add fe80::2/64 dev v1 nodad");
    for (const char* on : {":0", "[fe80::1%v0]:0"}) {
      auto server = co_await ok(udp::bind(on));
      co_await ok(server.options().set_tell_destination(true));
      const std::uint16_t port = (co_await ok(server.local())).port();
      auto client = co_await ok(udp::bind("[fe80::2%v1]:0"));
      const endpoint door = endpoint(co_await ok(address::parse("fe80::1")), port);
      EXPECT_TRUE(fails_with(co_await udp::connect(door), std::errc::invalid_argument)) << "on which link?";
      co_await ok(client.send_to(endpoint(door.addr().with_zone(v1), port), "hello"));
      const udp::batch got = co_await ok(receive_soon(server));
      const udp::datagram d = got.front();
      EXPECT_EQ(d.interface(), v0);
      EXPECT_EQ(d.to(), door.addr().with_zone(v0));
      const address them = co_await ok(address::parse("fe80::2"));
      EXPECT_EQ(d.from(), endpoint(them.with_zone(v0), (co_await ok(client.local())).port()));
      server.queue_reply(d, as_bytes("and back"));
      EXPECT_EQ((co_await ok(server.flush())).sent, 1U);
      const udp::received answer = co_await ok(within(20s, client.receive()));
      EXPECT_EQ(answer.text(), "and back");
      EXPECT_EQ(answer.from(), endpoint(door.addr().with_zone(v1), port));
    }
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
