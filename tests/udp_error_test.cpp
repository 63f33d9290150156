// What goes wrong with datagrams, and who is told.  faults.md, C6 to C11; udp(7), ip(7)
#include "network.hpp"
#include "on_each_driver.hpp"
#include "udp_pair.hpp"

#include <unistd.h>
#include <soquete/deadline.hpp>
#include <soquete/scope.hpp>
#include <string>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class udp_error : public on_each_driver {};
ON_EVERY_DRIVER(udp_error);
class udp_error_network : public with_driver {};
ON_EACH_DRIVER(udp_error_network);

constexpr std::array<const char*, 2> loopbacks{"127.0.0.1:0", "[::1]:0"};

// C7
TEST_P(udp_error, a_refusal_is_told_once_to_the_receive_that_follows) {
  play([]() -> task<result<void>> {
    for (const char* on : loopbacks) {
      auto lone = co_await ok(open_deserted(on));
      co_await ok(lone.send("anybody?"));
      const auto told = co_await within(20s, lone.receive());
      EXPECT_TRUE(fails_with(told, std::errc::connection_refused));
      if (!told) EXPECT_EQ(told.error().subject(), to_string(lone.peer()));
      co_await ok(expect_silence(lone));
    }
    co_return {};
  });
}

TEST_P(udp_error, a_refusal_is_told_once_to_the_send_that_follows_if_nobody_receives) {
  play([]() -> task<result<void>> {
    for (const char* on : loopbacks) {
      auto lone = co_await ok(open_deserted(on));
      for (int i = 0; i < 3; ++i) {
        co_await ok(lone.send("anybody?"));
        EXPECT_TRUE(fails_with(co_await lone.send("and now?"), std::errc::connection_refused));
      }
      co_await ok(expect_silence(lone));
    }
    co_return {};
  });
}

TEST_P(udp_error, a_send_that_has_a_name_tells_each_time_how_it_went) {
  play([]() -> task<result<void>> {
    auto lone = co_await ok(open_deserted("127.0.0.1:0"));
    auto named = lone.send("anybody?");
    for (int i = 0; i < 3; ++i) {
      co_await ok(named);
      EXPECT_TRUE(fails_with(co_await named, std::errc::connection_refused));
    }
    co_return {};
  });
}

TEST_P(udp_error, a_refusal_is_told_to_the_receive_that_waits_and_sends_go_on) {
  play([]() -> task<result<void>> {
    for (const char* on : loopbacks) {
      auto lone = co_await ok(open_deserted(on));
      auto other = co_await ok(udp::bind(on));
      const endpoint elsewhere = co_await ok(other.local());
      int told = 0;
      auto receive = [&]() -> task<result<void>> {
        while (told < 3) {
          EXPECT_TRUE(fails_with(co_await lone.receive_batch(), std::errc::connection_refused));
          ++told;
        }
        co_return {};
      };
      auto body = [&](scope& s) -> task<result<void>> {
        s.spawn(receive());
        for (;;) {
          co_await ok(yield());
          if (told == 3) break;
          co_await ok(lone.send("anybody?"));
          co_await ok(lone.send_to(elsewhere, "you at least?"));
        }
        co_return {};
      };
      co_await ok(with_scope(body));
      EXPECT_EQ((co_await ok(other.receive())).text(), "you at least?");
    }
    co_return {};
  });
}

TEST_P(udp_error, a_refusal_that_nobody_waits_for_costs_no_turns) {
  play([this]() -> task<result<void>> {
    auto lone = co_await ok(open_deserted());
    auto receive = [&]() -> task<result<void>> {
      EXPECT_TRUE(fails_with(co_await lone.receive(), std::errc::connection_refused));
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(receive());
      co_await ok(yield());
      for (int i = 0; i < 3; ++i) co_await ok(lone.send("anybody?"));
      co_return {};
    };
    co_await ok(with_scope(body));
    // The last refusal is still there; the poll driver would go round and round if it asked for it.
    const auto before = here().net().counts().kernel_calls;
    co_await ok(sleep(30ms));
    EXPECT_LE(here().net().counts().kernel_calls - before, 10U);
    co_return {};
  });
}

TEST_P(udp_error, datagrams_that_came_before_a_refusal_are_not_lost_by_it) {
  play([]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair());
    for (const char* text : {"one", "two"})
      co_await ok(both.server.send_to(co_await ok(both.client.local()), text));
    both.server.close();
    co_await ok(both.client.send("still there?"));
    EXPECT_TRUE(fails_with(co_await both.client.receive_batch(), std::errc::connection_refused));
    EXPECT_EQ((co_await ok(both.client.receive())).text(), "one");
    EXPECT_EQ((co_await ok(both.client.receive())).text(), "two");
    co_return co_await expect_silence(both.client);
  });
}

TEST_P(udp_error, after_a_refusal_the_peer_may_come_back) {
  play([]() -> task<result<void>> {
    auto lone = co_await ok(open_deserted());
    co_await ok(lone.send("anybody?"));
    EXPECT_TRUE(fails_with(co_await lone.receive(), std::errc::connection_refused));
    auto back = co_await ok(udp::bind(lone.peer()));
    for (int i = 0; i < 3; ++i) {
      co_await ok(lone.send("hello"));
      const udp::received got = co_await ok(back.receive());
      co_await ok(back.send_to(got.from(), "welcome"));
      EXPECT_EQ((co_await ok(within(20s, lone.receive()))).text(), "welcome");
    }
    co_return {};
  });
}

TEST_P(udp_error, a_socket_can_be_connected_elsewhere_and_let_go) {
  play([]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair());
    auto other = co_await ok(udp::bind("127.0.0.1:0"));
    const endpoint first = both.client.peer(), second = co_await ok(other.local());
    const endpoint here = co_await ok(both.client.local());
    co_await ok(both.client.connect(second));
    EXPECT_EQ(both.client.peer(), second);
    co_await ok(both.client.send("to the other"));
    EXPECT_EQ((co_await ok(other.receive())).from(), here);
    co_await ok(both.server.send_to(here, "not to be seen"));
    co_await ok(expect_silence(both.client));

    co_await ok(both.client.disconnect());
    EXPECT_TRUE(both.client.peer().is_empty());
    EXPECT_TRUE(fails_with(co_await both.client.send("whither?"), std::errc::destination_address_required));
    co_await ok(both.client.send_to(first, "free again"));
    const udp::received got = co_await ok(both.server.receive());
    EXPECT_EQ(got.text(), "free again");
    co_await ok(other.send_to(got.from(), "from anybody"));
    EXPECT_EQ((co_await ok(both.client.receive())).text(), "from anybody");
    co_return {};
  });
}

TEST_P(udp_error, a_bound_socket_keeps_its_port_when_let_go) {
  play([]() -> task<result<void>> {
    endpoint here;
    {
      auto first = co_await ok(udp::bind("127.0.0.1:0"));
      here = co_await ok(first.local());
    }
    auto bound = co_await ok(udp::bind(here));
    co_await ok(bound.connect(here));
    co_await ok(bound.disconnect());
    EXPECT_EQ(co_await ok(bound.local()), here);
    co_return {};
  });
}

// C6
TEST_P(udp_error, what_is_too_long_is_refused_and_nothing_of_it_is_sent) {
  play([]() -> task<result<void>> {
    const std::string longest(udp::socket::payload_max, 'x');
    for (const char* on : loopbacks) {
      udp_pair both = co_await ok(open_udp_pair(on));
      const std::string too_long(longest.size() + 21, 'x');
      const auto refused = co_await both.client.send(too_long);
      EXPECT_TRUE(fails_with(refused, std::errc::message_size));
      if (!refused) EXPECT_EQ(refused.error().during(), step::send);
      co_await ok(both.client.send(longest));
      EXPECT_EQ((co_await ok(both.server.receive())).payload().size(), longest.size());
      co_await ok(expect_silence(both.server));
    }
    co_return {};
  });
}

// C11
TEST_P(udp_error, a_broadcast_wants_permission) {
  play([]() -> task<result<void>> {
    const endpoint all(address::v4({127, 255, 255, 255}), 9);
    auto s = co_await ok(udp::bind("127.0.0.1:0"));
    EXPECT_TRUE(fails_with(co_await s.send_to(all, "x"), std::errc::permission_denied));
    EXPECT_TRUE(fails_with(s.connect(all), std::errc::permission_denied));
    EXPECT_FALSE(co_await ok(s.options().broadcast()));
    co_await ok(s.options().set_broadcast(true));
    EXPECT_TRUE(succeeds(co_await s.send_to(all, "x")));
    auto allowed = co_await ok(udp::bind("127.0.0.1:0", {.broadcast = true}));
    EXPECT_TRUE(succeeds(co_await allowed.send_to(all, "x")));
    co_return {};
  });
}

TEST_P(udp_error, addresses_that_are_none_are_refused) {
  play([]() -> task<result<void>> {
    auto v4 = co_await ok(udp::bind("127.0.0.1:0"));
    auto v6 = co_await ok(udp::bind("[::1]:0"));
    auto connected = co_await ok(udp::connect(co_await ok(v4.local())));
    EXPECT_TRUE(fails_with(co_await v4.send_to(endpoint(), "x"), std::errc::destination_address_required));
    EXPECT_TRUE(
        fails_with(co_await connected.send_to(endpoint(), "x"), std::errc::destination_address_required));
    EXPECT_FALSE(co_await v4.send_to(endpoint(address::loopback_v4(), 0), "x"));
    EXPECT_FALSE(co_await v4.send_to(endpoint(address::loopback_v6(), 9), "x"));
    EXPECT_FALSE(co_await v4.send_to(co_await ok(endpoint::local_path("/nowhere")), "x"));
    EXPECT_FALSE(co_await v6.send_to(co_await ok(endpoint::local_path("/nowhere")), "x"));
    EXPECT_FALSE(co_await v6.send_to(endpoint(address::loopback_v4(), 9), "x")) << "bound to ::1";
    EXPECT_FALSE(v4.connect(endpoint()));
    EXPECT_FALSE(v4.connect(endpoint(address::loopback_v6(), 9)));
    EXPECT_TRUE(v4.peer().is_empty());
    for (const char* text : {"127.0.0.1", "nonsense:nonsense", "", "127.0.0.1:65536"}) {
      EXPECT_FALSE(co_await udp::bind(text)) << text;
      EXPECT_FALSE(co_await udp::connect(text)) << text;
    }
    EXPECT_TRUE(fails_with(co_await udp::bind(co_await ok(endpoint::local_path("/x"))), fault::unsupported));
    EXPECT_TRUE(fails_with(co_await udp::connect(endpoint()), fault::unsupported));
    co_await ok(expect_silence(v4));
    co_return {};
  });
}

TEST_P(udp_error, a_port_in_use_is_told_with_its_address) {
  play([]() -> task<result<void>> {
    for (const char* on : {"127.0.0.1:0", "[::1]:0", ":0"}) {
      auto first = co_await ok(udp::bind(on));
      const endpoint taken = co_await ok(first.local());
      const auto second = co_await udp::bind(taken);
      EXPECT_TRUE(fails_with(second, std::errc::address_in_use));
      if (!second) EXPECT_EQ(second.error().subject(), to_string(taken));
      EXPECT_TRUE(fails_with(co_await udp::bind(taken, {.reuse_port = true}), std::errc::address_in_use));
    }
    auto shared = co_await ok(udp::bind("127.0.0.1:0", {.reuse_port = true}));
    EXPECT_TRUE(succeeds(co_await udp::bind(co_await ok(shared.local()), {.reuse_port = true})));
    EXPECT_TRUE(fails_with(co_await udp::bind("198.51.100.1:0"), std::errc::address_not_available));
    co_return {};
  });
}

TEST_P(udp_error, what_is_no_datagram_socket_is_not_adopted) {
  NEEDS_THE_KERNEL("descriptors of the real system are not simulated");
  play([]() -> task<result<void>> {
    int ends[2];
    if (::pipe(ends) != 0) co_return fail(std::errc::io_error);
    EXPECT_TRUE(
        fails_with(co_await udp::socket::adopt(owned_descriptor(ends[0])), std::errc::invalid_argument));
    ::close(ends[1]);
    EXPECT_TRUE(
        fails_with(co_await udp::socket::adopt(owned_descriptor(1 << 20)), std::errc::bad_file_descriptor));
    co_return {};
  });
}

// C8
void expect_of_route(driver_choice which, route kind, std::errc why) {
  in_own_network(which, [=]() -> task<result<void>> {
    const endpoint behind(add_route(kind), 9);
    auto s = co_await ok(udp::bind("0.0.0.0:0"));
    const auto refused = co_await s.send_to(behind, "x");
    EXPECT_TRUE(fails_with(refused, why));
    if (!refused) EXPECT_EQ(refused.error().subject(), to_string(behind));
    EXPECT_TRUE(fails_with(co_await udp::connect(behind), why));
    // Among others it does not keep them.
    auto server = co_await ok(udp::bind("127.0.0.1:0"));
    const endpoint door = co_await ok(server.local());
    for (const endpoint* to : {&behind, &door, &behind, &behind, &door}) s.queue(to, as_bytes("y"));
    const udp::flushed done = co_await ok(s.flush());
    EXPECT_EQ(done.sent, 2U);
    EXPECT_EQ(done.failed, 3U);
    EXPECT_EQ(done.first_cause, why);
    co_return {};
  });
}

TEST_P(udp_error_network, without_a_route_the_network_is_unreachable) {
  expect_of_route(GetParam(), route::none, std::errc::network_unreachable);
}
TEST_P(udp_error_network, an_unreachable_host_says_so) {
  expect_of_route(GetParam(), route::unreachable, std::errc::host_unreachable);
}
TEST_P(udp_error_network, a_prohibited_host_denies_permission) {
  expect_of_route(GetParam(), route::prohibit, std::errc::permission_denied);
}

TEST_P(udp_error_network, a_black_hole_is_an_invalid_argument_as_the_kernel_says) {
  expect_of_route(GetParam(), route::blackhole, std::errc::invalid_argument);
}

TEST_P(udp_error_network, on_a_narrow_path_the_mode_says_what_becomes_of_long_ones) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    ip("route add local 198.51.100.7/32 dev lo mtu 1280");
    ip("route add local 2001:db8::7/128 dev lo mtu 1280");
    const std::string fits(1200, 'f'), too_long(1300, 'l');
    for (const char* to : {"198.51.100.7", "2001:db8::7"}) {
      auto server = co_await ok(udp::bind(":0"));
      const endpoint door(co_await ok(address::parse(to)), (co_await ok(server.local())).port());
      auto client = co_await ok(udp::connect(door));
      auto o = client.options();
      EXPECT_EQ(co_await ok(o.path_mtu()), 1280);
      EXPECT_EQ(co_await ok(o.mtu_discovery()), path_mtu_discovery::want) << "the system's default";
      using enum path_mtu_discovery;
      for (const path_mtu_discovery how : {off, want, always}) {
        co_await ok(o.set_path_mtu_discovery(how));
        EXPECT_EQ(co_await ok(o.mtu_discovery()), how);
        co_await ok(client.send(fits));
        EXPECT_EQ((co_await ok(server.receive())).text(), fits);
        const auto sent = co_await client.send(too_long);
        if (how == always) {
          EXPECT_TRUE(fails_with(sent, std::errc::message_size));
        } else {
          EXPECT_TRUE(succeeds(sent));
          EXPECT_EQ((co_await ok(within(20s, server.receive()))).text(), too_long);
        }
      }
      co_await ok(o.set_path_mtu_discovery(probe));
      EXPECT_TRUE(succeeds(co_await client.send(too_long))) << "the loopback itself takes it";
      EXPECT_EQ((co_await ok(within(20s, server.receive()))).text(), too_long);
      EXPECT_TRUE(fails_with(o.set_path_mtu_discovery(static_cast<path_mtu_discovery>(77)),
                             std::errc::invalid_argument));
    }
    co_return {};
  });
}

TEST_P(udp_error, the_path_mtu_of_nobody_is_not_known) {
  play([]() -> task<result<void>> {
    auto s = co_await ok(udp::bind("127.0.0.1:0"));
    EXPECT_TRUE(fails_with(s.options().path_mtu(), std::errc::not_connected));
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
