// Connecting: whom, from where, and what the errors say.  simulation.md, section 4.9; connect(2).
#include "child.hpp"
#include "network.hpp"
#include "on_each_driver.hpp"
#include "raw_socket.hpp"
#include "tcp_pair.hpp"

#include <cstdio>
#include <fstream>
#include <soquete/race.hpp>
#include <soquete/scope.hpp>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class tcp_connect : public on_each_driver {};
ON_EVERY_DRIVER(tcp_connect);
// Its tests make the loop in a child.
class tcp_connect_routes : public with_driver {};
ON_EACH_DRIVER(tcp_connect_routes);

// Nobody listens there: the socket that has it does not.
std::string at_port(std::string_view host, std::uint16_t port) {
  return std::string(host) + ":" + std::to_string(port);
}

TEST_P(tcp_connect, a_closed_port_refuses) {
  play([]() -> task<result<void>> {
    const raw_socket taken = raw_socket::bound();
    const std::string to = at_port("127.0.0.1", taken.port());
    auto got = co_await tcp::connect(to);
    EXPECT_TRUE(fails_with(got, std::errc::connection_refused));
    if (got) co_return {};
    EXPECT_EQ(to_string(got.error()), "connect " + to + ": connection refused");
    EXPECT_EQ(got.error().during(), step::connect);
    EXPECT_TRUE(got.error().attempts().empty());
    co_return {};
  });
}

TEST_P(tcp_connect, localhost_is_tried_at_v6_then_v4_and_the_error_lists_both) {
  play([]() -> task<result<void>> {
    // A port that is free on both: taken by a socket that does not listen.
    const raw_socket taken = raw_socket::bound();
    const std::string to = at_port("localhost", taken.port());
    auto got = co_await tcp::connect(to);
    EXPECT_TRUE(fails_with(got, std::errc::connection_refused));
    if (got) co_return {};
    const auto attempts = got.error().attempts();
    EXPECT_EQ(attempts.size(), 2U);
    if (attempts.size() != 2) co_return {};
    EXPECT_EQ(attempts[0].peer, at_port("[::1]", taken.port()));
    EXPECT_EQ(attempts[1].peer, at_port("127.0.0.1", taken.port()));
    for (const attempt& one : attempts) EXPECT_EQ(one.cause, std::errc::connection_refused);
    const std::string text = to_string(got.error());
    EXPECT_TRUE(text.starts_with("connect " + to + ": connection refused\n    [::1]:")) << text;
    co_return {};
  });
}

TEST_P(tcp_connect, localhost_falls_back_to_v4) {
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    const endpoint door = co_await ok(l.local());
    tcp::stream s = co_await ok(tcp::connect(at_port("localhost", door.port())));
    EXPECT_EQ(s.peer(), door);
    co_return {};
  });
}

TEST_P(tcp_connect, localhost_prefers_v6) {
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("[::]:0"));
    const endpoint door = co_await ok(l.local());
    tcp::stream s = co_await ok(tcp::connect(at_port("localhost", door.port())));
    EXPECT_EQ(s.peer(), endpoint(address::loopback_v6(), door.port()));
    co_return {};
  });
}

TEST_P(tcp_connect, alternatives_are_tried_in_turn) {
  play([]() -> task<result<void>> {
    const raw_socket taken = raw_socket::bound();
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    const endpoint door = co_await ok(l.local());
    const std::string to = at_port("127.0.0.1", taken.port()) + "|" + to_string(door);
    tcp::stream s = co_await ok(tcp::connect(to));
    EXPECT_EQ(s.peer(), door);
    co_return {};
  });
}

TEST_P(tcp_connect, the_error_lists_every_alternative) {
  play([]() -> task<result<void>> {
    const raw_socket one = raw_socket::bound(), other = raw_socket::bound();
    const std::string to = at_port("127.0.0.1", one.port()) + "|" + at_port("127.0.0.1", other.port());
    auto got = co_await tcp::connect(to);
    EXPECT_TRUE(fails_with(got, std::errc::connection_refused));
    if (got) co_return {};
    const auto attempts = got.error().attempts();
    EXPECT_EQ(attempts.size(), 2U);
    if (attempts.size() != 2) co_return {};
    EXPECT_EQ(attempts[0].peer, at_port("127.0.0.1", one.port()));
    EXPECT_EQ(attempts[1].peer, at_port("127.0.0.1", other.port()));
    co_return {};
  });
}

TEST_P(tcp_connect, the_unspecified_address_reaches_the_loopback) {
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    const endpoint door = co_await ok(l.local());
    tcp::stream client = co_await ok(tcp::connect(endpoint(address::any_v4(), door.port())));
    tcp::stream server = co_await ok(l.accept());
    const endpoint ours = co_await ok(client.local());
    EXPECT_EQ(server.peer(), ours);
    EXPECT_TRUE(ours.addr().is_loopback());
    co_return {};
  });
}

// TCP's simultaneous open with itself: the client would talk to its own echo.
TEST_P(tcp_connect, a_client_that_reaches_itself_is_refused) {
  play([]() -> task<result<void>> {
    for (const char* host : {"127.0.0.1", "0.0.0.0"}) {
      std::uint16_t port = 0;
      {
        const raw_socket free = raw_socket::bound();
        port = free.port();
      }
      const std::string from = at_port("127.0.0.1", port);
      auto got = co_await tcp::connect(at_port(host, port), {.from = from});
      EXPECT_TRUE(fails_with(got, std::errc::connection_refused)) << host;
    }
    co_return {};
  });
}

TEST_P(tcp_connect, a_client_can_choose_its_own_address) {
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    auto both = co_await ok(connect_to(l, {.from = "127.0.0.77:0"}));
    EXPECT_EQ(both.server.peer().addr(), address::v4({127, 0, 0, 77}));
    co_return {};
  });
}

TEST_P(tcp_connect, an_address_that_is_not_ours_cannot_be_chosen) {
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    const endpoint door = co_await ok(l.local());
    auto got = co_await tcp::connect(to_string(door), {.from = "192.0.2.1:0"});
    EXPECT_TRUE(fails_with(got, std::errc::address_not_available));
    if (got) co_return {};
    EXPECT_EQ(got.error().during(), step::bind);
    auto bad = co_await tcp::connect(to_string(door), {.from = "nonsense"});
    EXPECT_TRUE(fails_with(bad, fault::bad_address));
    co_return {};
  });
}

TEST_P(tcp_connect, a_dual_stack_listener_sees_v4_clients_as_mapped) {
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen(":0"));
    const endpoint door = co_await ok(l.local());
    EXPECT_TRUE(door.addr().is_v6());
    tcp::stream client = co_await ok(tcp::connect(endpoint(address::loopback_v4(), door.port())));
    tcp::stream server = co_await ok(l.accept());
    EXPECT_EQ(server.peer().addr(), address::loopback_v4().mapped());
    EXPECT_TRUE(to_string(server.peer()).starts_with("[::ffff:127.0.0.1]:"));
    co_return {};
  });
}

TEST_P(tcp_connect, a_v6_only_listener_leaves_v4_alone) {
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("[::]:0", {.v6_only = true}));
    const endpoint door = co_await ok(l.local());
    auto got = co_await tcp::connect(endpoint(address::loopback_v4(), door.port()));
    EXPECT_TRUE(fails_with(got, std::errc::connection_refused));
    co_return {};
  });
}

TEST_P(tcp_connect, what_is_no_address_is_told_before_anything_is_opened) {
  play([]() -> task<result<void>> {
    for (const char* bad : {"", "nonsense", "127.0.0.1", "127.0.0.1:65536", "[::1:80", "1.2.3:4"}) {
      auto got = co_await tcp::connect(bad);
      EXPECT_TRUE(fails_with(got, fault::bad_address)) << bad;
    }
    auto name = co_await tcp::connect("nobody.invalid:1");
    EXPECT_TRUE(fails_with(name, fault::name_not_found));
    auto local = co_await tcp::connect("unix:/nowhere");
    EXPECT_TRUE(fails_with(local, fault::unsupported));
    co_return {};
  });
}

// The queue of connections is full, so that the kernel drops the SYN: nothing answers.
struct silent_door {
  raw_socket listening = raw_socket::listening(0);
  raw_socket queued = raw_socket::connected(listening.port());
  std::string where() const { return at_port("127.0.0.1", listening.port()); }
};

TEST_P(tcp_connect, a_deadline_ends_a_connect_that_nobody_answers) {
  NEEDS_THE_KERNEL("the silent door is a socket of the kernel");
  play([]() -> task<result<void>> {
    const silent_door door;
    auto got = co_await within(5ms, tcp::connect(door.where()));
    EXPECT_TRUE(fails_with(got, std::errc::timed_out));
    if (!got) EXPECT_EQ(to_string(got.error()), "connect " + door.where() + ": timed out");
    co_return {};
  });
}

TEST_P(tcp_connect, a_connect_that_was_cancelled_does_not_come_about_later) {
  NEEDS_THE_KERNEL("the queue is filled by a socket of the kernel");
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0", {.backlog = 0}));
    const endpoint door = co_await ok(l.local());
    const raw_socket queued = raw_socket::connected(door.port());
    const std::size_t before = open_descriptors();
    auto late = co_await within(5ms, tcp::connect(door));
    EXPECT_TRUE(fails_with(late, std::errc::timed_out));
    co_await ok(wait_until([&] { return open_descriptors() == before; }));
    tcp::stream first = co_await ok(l.accept());
    EXPECT_EQ(first.peer().port(), queued.port());
    auto next = co_await ok(connect_to(l));
    const endpoint ours = co_await ok(next.client.local());
    EXPECT_EQ(next.server.peer(), ours);
    auto none = co_await within(5ms, l.accept());
    EXPECT_TRUE(fails_with(none, std::errc::timed_out));
    co_return {};
  });
}

TEST_P(tcp_connect, the_first_of_two_doors_that_answers_wins) {
  NEEDS_THE_KERNEL("the silent door is a socket of the kernel");
  play([]() -> task<result<void>> {
    const silent_door silent;
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    const endpoint door = co_await ok(l.local());
    tcp::stream s = co_await ok(first_of(tcp::connect(silent.where()), tcp::connect(door)));
    EXPECT_EQ(s.peer(), door);
    co_return {};
  });
}

TEST_P(tcp_connect, an_interface_that_is_not_there_is_named) {
  NEEDS_THE_KERNEL("the simulated network refuses this option");
  play([]() -> task<result<void>> {
    auto got = co_await tcp::connect("127.0.0.1:1", {.device = "no-such-device"});
    EXPECT_TRUE(fails_with(got, std::errc::no_such_device));
    if (!got) EXPECT_NE(to_string(got.error()).find("SO_BINDTODEVICE"), std::string::npos);
    co_return {};
  });
}

TEST_P(tcp_connect, the_loopback_interface_reaches_the_loopback) {
  NEEDS_THE_KERNEL("the simulated network refuses this option");
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair({.device = "lo"}, {.device = "lo"}));
    const std::string device = co_await ok(both.client.options().bound_device());
    EXPECT_EQ(device, "lo");
    co_return {};
  });
}

// In a network of its own, whose routes are ours.

// What `connect` to an address behind a route of that kind says, as "step error".
std::string through(driver_choice which, route kind) {
  test_loop loop(which);
  std::string said;
  const address to = add_route(kind);
  auto ask = [](address behind, std::string& told) -> task<result<void>> {
    auto got = co_await tcp::connect(endpoint(behind, 80));
    told =
        got ? "connected" : std::string(to_string(got.error().during())) + " " + got.error().code().message();
    co_return {};
  };
  static_cast<void>(loop.run(ask(to, said)));
  return said;
}

void expect_route(driver_choice which, route kind, std::errc why) {
  const child_ending how = in_a_child([&] {
    if (!enter_own_network()) return std::puts("no network namespace may be made here"), lacks_permission;
    std::puts(through(which, kind).c_str());
    return 0;
  });
  if (how.exit_code == lacks_permission) GTEST_SKIP() << how.output;
  EXPECT_EQ(how.exit_code, 0);
  EXPECT_EQ(how.output, "connect " + std::make_error_code(why).message() + "\n");
}

TEST_P(tcp_connect_routes, an_unreachable_host_says_so) {
  expect_route(GetParam(), route::unreachable, std::errc::host_unreachable);
}
TEST_P(tcp_connect_routes, a_prohibited_host_denies_permission) {
  expect_route(GetParam(), route::prohibit, std::errc::permission_denied);
}
TEST_P(tcp_connect_routes, a_black_hole_is_an_invalid_argument_as_the_kernel_says) {
  expect_route(GetParam(), route::blackhole, std::errc::invalid_argument);
}
TEST_P(tcp_connect_routes, without_a_route_the_network_is_unreachable) {
  expect_route(GetParam(), route::none, std::errc::network_unreachable);
}

// faults.md B23: what a system may have switched off.
TEST_P(tcp_connect_routes, without_multipath_it_is_a_clear_error_and_with_it_an_ordinary_stream) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    for (const bool has_it : {true, false}) {
      std::ofstream("/proc/sys/net/mptcp/enabled") << has_it;
      auto l = co_await tcp::listen("127.0.0.1:0", {.multipath = true});
      if (!has_it) {
        EXPECT_TRUE(fails_with(l, std::errc::no_protocol_option));
        if (!l) EXPECT_EQ(l.error().during(), step::open);
        auto plain = co_await ok(tcp::listen("127.0.0.1:0"));
        auto client = co_await tcp::connect(co_await ok(plain.local()), {.multipath = true});
        EXPECT_TRUE(fails_with(client, std::errc::no_protocol_option));
        continue;
      }
      // A kernel that was built without it says the same.
      if (!l && l.error() == std::errc::protocol_not_supported) co_return {};
      EXPECT_TRUE(succeeds(l));
      auto both = co_await ok(connect_to(*l, {.multipath = true}));
      const std::string sent = pattern(300'000);
      std::string got;
      auto body = [&](scope& s) -> task<result<void>> {
        auto sending = [&]() -> task<result<void>> {
          co_await ok(both.client.send(sent));
          co_return both.client.finish();
        };
        s.spawn(sending());
        got = co_await ok(receive_all(both.server));
        co_return {};
      };
      co_await ok(with_scope(body));
      EXPECT_TRUE(got == sent);
    }
    co_return {};
  });
}

TEST_P(tcp_connect_routes, without_fast_open_a_client_is_told_and_a_listener_does_without) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    std::ofstream("/proc/sys/net/ipv4/tcp_fastopen") << 0;
    auto l = co_await ok(tcp::listen("127.0.0.1:0", {.fast_open_queue = 16}));
    const endpoint door = co_await ok(l.local());
    auto refused = co_await tcp::connect(door, {.fast_open = true});
    EXPECT_TRUE(fails_with(refused, std::errc::operation_not_supported));
    if (!refused) EXPECT_NE(to_string(refused.error()).find("TCP_FASTOPEN_CONNECT"), std::string::npos);
    auto both = co_await ok(connect_to(l));
    co_await ok(both.client.send("as any other"));
    lease got = co_await ok(both.server.receive());
    EXPECT_EQ(got.text(), "as any other");
    co_return {};
  });
}

// Eight ports, all towards one door: the ninth client has none left.
TEST_P(tcp_connect_routes, ports_that_run_out_are_told_and_come_back) {
  const child_ending how = in_a_child([&] {
    if (!enter_own_network()) return std::puts("no network namespace may be made here"), lacks_permission;
    limit_ports(40'000, 40'007);
    test_loop loop(GetParam());
    auto exhaust = []() -> task<result<void>> {
      auto l = co_await ok(tcp::listen("127.0.0.1:0"));
      const endpoint door = co_await ok(l.local());
      std::vector<tcp::stream> clients;
      for (;;) {
        auto next = co_await tcp::connect(door);
        if (!next) {
          EXPECT_TRUE(fails_with(next, std::errc::address_not_available));
          break;
        }
        clients.push_back(std::move(*next));
        if (clients.size() > 8) co_return fail(std::errc::result_out_of_range);
      }
      EXPECT_GE(clients.size(), 7U);
      clients.back().abort();
      co_await ok(sleep(1ms));
      tcp::stream again = co_await ok(tcp::connect(door));
      co_return {};
    };
    EXPECT_TRUE(succeeds(loop.run(exhaust())));
    return 0;
  });
  if (how.exit_code == lacks_permission) GTEST_SKIP() << how.output;
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

}  // namespace
}  // namespace soquete::test
