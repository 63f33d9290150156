// Listening: addresses, reuse, backlogs, and sockets that come from elsewhere.  listen(2), sd_listen_fds(3).
#include "child.hpp"
#include "network.hpp"
#include "on_each_driver.hpp"
#include "raw_socket.hpp"
#include "tcp_pair.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include <soquete/scope.hpp>
#include <vector>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class tcp_listen : public on_each_driver {};
ON_EVERY_DRIVER(tcp_listen);
// Its tests make the loop in a child.
class tcp_listen_in_a_child : public with_driver {};
ON_EACH_DRIVER(tcp_listen_in_a_child);
// With two loops.
class sharing_a_listener : public with_driver {};
ON_EACH_DRIVER(sharing_a_listener);

TEST_P(tcp_listen, port_0_becomes_a_port_that_can_be_read_back) {
  play([]() -> task<result<void>> {
    auto one = co_await ok(tcp::listen("127.0.0.1:0"));
    auto other = co_await ok(tcp::listen("127.0.0.1:0"));
    const endpoint first = co_await ok(one.local());
    const endpoint second = co_await ok(other.local());
    EXPECT_NE(first.port(), 0);
    EXPECT_NE(first.port(), second.port());
    EXPECT_EQ(first.addr(), address::loopback_v4());
    co_return {};
  });
}

TEST_P(tcp_listen, an_address_in_use_is_told_and_named) {
  play([]() -> task<result<void>> {
    auto one = co_await ok(tcp::listen("127.0.0.1:0"));
    const endpoint taken = co_await ok(one.local());
    for (bool reuse : {true, false}) {
      auto other = co_await tcp::listen(to_string(taken), {.reuse_address = reuse});
      EXPECT_TRUE(fails_with(other, std::errc::address_in_use));
      if (!other) EXPECT_EQ(other.error().subject(), to_string(taken));
    }
    co_return {};
  });
}

TEST_P(tcp_listen, a_port_is_shared_only_if_both_agree) {
  play([]() -> task<result<void>> {
    auto one = co_await ok(tcp::listen("127.0.0.1:0", {.reuse_port = true}));
    const endpoint shared = co_await ok(one.local());
    auto other = co_await ok(tcp::listen(shared, {.reuse_port = true}));
    const endpoint same = co_await ok(other.local());
    EXPECT_EQ(same, shared);
    auto third = co_await tcp::listen(shared);
    EXPECT_TRUE(fails_with(third, std::errc::address_in_use));
    co_return {};
  });
}

// Connections of the server that was there before still have the port.
TEST_P(tcp_listen, a_restart_rebinds_at_once_with_reuse_and_not_without) {
  NEEDS_THE_KERNEL("TIME_WAIT is not simulated");
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    const endpoint door = co_await ok(l.local());
    auto before = co_await ok(connect_to(l));
    const int number = l.descriptor();
    l.close();
    // A driver may close in a later turn.
    co_await ok(wait_until([&] { return ::fcntl(number, F_GETFD) < 0; }));
    auto without = co_await tcp::listen(door, {.reuse_address = false});
    EXPECT_TRUE(fails_with(without, std::errc::address_in_use));
    auto with = co_await tcp::listen(door);
    EXPECT_TRUE(succeeds(with));
    co_return {};
  });
}

// The server closes first, so its end of the connection lingers in TIME_WAIT, and its port with it.
task<result<endpoint>> linger() {
  auto l = co_await ok(tcp::listen("127.0.0.1:0"));
  const endpoint door = co_await ok(l.local());
  {
    auto both = co_await ok(connect_to(l));
    co_await ok(both.server.finish());
    EXPECT_EQ(co_await ok(receive_all(both.client)), "");
    co_await ok(both.client.finish());
    EXPECT_EQ(co_await ok(receive_all(both.server)), "");
  }
  const int number = l.descriptor();
  l.close();
  co_await ok(wait_until([&] { return ::fcntl(number, F_GETFD) < 0; }));
  co_return door;
}

// In a network of its own: elsewhere another program, or another run of this one, may ask for that port.
TEST_P(tcp_listen_in_a_child, a_restart_rebinds_while_connections_linger_with_reuse_and_not_without) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    for (int i = 0; i != 100; ++i) {
      const endpoint door = co_await ok(linger());
      auto without = co_await tcp::listen(door, {.reuse_address = false});
      EXPECT_TRUE(fails_with(without, std::errc::address_in_use));
      auto with = co_await tcp::listen(door);
      EXPECT_TRUE(succeeds(with));
    }
    co_return {};
  });
}

// Who asks for any port is given none that lingers. When all do, "address already in use" is said of port 0.
TEST_P(tcp_listen_in_a_child, ports_that_linger_are_given_only_to_who_asks_for_them) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    limit_ports(40'000, 40'015);
    std::vector<std::uint16_t> lingering;
    for (;;) {
      auto door = co_await linger();
      if (!door) {
        EXPECT_TRUE(fails_with(door, std::errc::address_in_use) ||
                    fails_with(door, std::errc::address_not_available));
        break;
      }
      EXPECT_EQ(std::find(lingering.begin(), lingering.end(), door->port()), lingering.end());
      lingering.push_back(door->port());
    }
    EXPECT_GE(lingering.size(), 8U);
    std::vector<tcp::listener> all;
    result<tcp::listener> any = co_await tcp::listen("127.0.0.1:0");
    for (; any; any = co_await tcp::listen("127.0.0.1:0")) all.push_back(std::move(*any));
    EXPECT_TRUE(fails_with(any, std::errc::address_in_use));
    for (const std::uint16_t port : lingering)
      all.push_back(co_await ok(tcp::listen(endpoint(address::loopback_v4(), port))));
    EXPECT_EQ(all.size(), 16U);
    co_return {};
  });
}

TEST_P(tcp_listen, an_address_of_another_host_is_not_available) {
  play([]() -> task<result<void>> {
    auto l = co_await tcp::listen("192.0.2.1:0");
    EXPECT_TRUE(fails_with(l, std::errc::address_not_available));
    if (!l) EXPECT_EQ(to_string(l.error()), "bind 192.0.2.1:0: cannot assign requested address");
    co_return {};
  });
}

TEST_P(tcp_listen, what_is_no_address_is_an_error) {
  play([]() -> task<result<void>> {
    for (const char* bad : {"", "nonsense", "127.0.0.1", "::1:80", ":99999"}) {
      auto l = co_await tcp::listen(bad);
      EXPECT_TRUE(fails_with(l, fault::bad_address)) << bad;
    }
    auto local = co_await tcp::listen("unix:/tmp/x");
    EXPECT_TRUE(fails_with(local, fault::unsupported));
    co_return {};
  });
}

TEST_P(tcp_listen, a_listener_that_goes_resets_whom_it_never_accepted) {
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    const endpoint door = co_await ok(l.local());
    tcp::stream client = co_await ok(tcp::connect(door));
    l.close();
    auto got = co_await client.receive();
    EXPECT_TRUE(fails_with(got, std::errc::connection_reset));
    co_return {};
  });
}

// A driver that accepts ahead has it already, as a connection of its own.
TEST_P(tcp_listen, a_listener_that_goes_resets_whom_its_driver_accepted_ahead) {
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    auto first = co_await ok(connect_to(l));
    const endpoint door = co_await ok(l.local());
    tcp::stream client = co_await ok(tcp::connect(door));
    for (int i = 0; i != 5; ++i) co_await ok(sleep(1ms));
    l.close();
    auto got = co_await client.receive();
    EXPECT_TRUE(fails_with(got, std::errc::connection_reset));
    co_return {};
  });
}

TEST_P(tcp_listen, a_full_backlog_answers_nobody_until_there_is_room) {
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0", {.backlog = 1}));
    const endpoint door = co_await ok(l.local());
    std::vector<tcp::stream> queued;
    for (;;) {
      auto next = co_await within(20ms, tcp::connect(door));
      if (!next) {
        EXPECT_TRUE(fails_with(next, std::errc::timed_out));
        break;
      }
      queued.push_back(std::move(*next));
      EXPECT_LE(queued.size(), 2U);
    }
    for (std::size_t i = 0; i != queued.size(); ++i) {
      tcp::stream s = co_await ok(l.accept());
      const endpoint ours = co_await ok(queued[i].local());
      EXPECT_EQ(s.peer(), ours);
    }
    auto now = co_await ok(connect_to(l));
    co_return {};
  });
}

TEST_P(tcp_listen, connections_are_accepted_in_the_order_in_which_they_came) {
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    const endpoint door = co_await ok(l.local());
    std::vector<tcp::stream> clients;
    for (int i = 0; i != 150; ++i) clients.push_back(co_await ok(tcp::connect(door)));
    for (const tcp::stream& client : clients) {
      tcp::stream s = co_await ok(l.accept());
      const endpoint ours = co_await ok(client.local());
      EXPECT_EQ(s.peer(), ours);
    }
    co_return {};
  });
}

TEST_P(tcp_listen, a_connection_that_died_in_the_queue_is_accepted_dead) {
  NEEDS_THE_KERNEL("the peer is a socket of the kernel");
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    const endpoint door = co_await ok(l.local());
    for (int i = 0; i != 50; ++i) raw_socket::connected(door.port()).reset();
    raw_socket alive = raw_socket::connected(door.port());
    alive.send("x");
    for (;;) {
      auto s = co_await l.accept();
      if (!s) {
        EXPECT_TRUE(fails_with(s, std::errc::connection_aborted));
        continue;
      }
      auto got = co_await s->receive();
      if (got) {
        EXPECT_EQ(got->text(), "x");
        co_return {};
      }
      EXPECT_TRUE(fails_with(got, std::errc::connection_reset) || fails_with(got, std::errc::not_connected));
    }
  });
}

TEST_P(tcp_listen, a_cancelled_accept_loses_no_connection) {
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    for (int i = 0; i != 20; ++i) {
      auto none = co_await within(1ms, l.accept());
      EXPECT_TRUE(fails_with(none, std::errc::timed_out));
      auto both = co_await ok(connect_to(l));
      const endpoint ours = co_await ok(both.client.local());
      EXPECT_EQ(both.server.peer(), ours);
    }
    co_return {};
  });
}

TEST_P(tcp_listen, options_pass_to_the_connections) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair({.receive_buffer = 20'000, .send_buffer = 30'000}));
    auto options = both.server.options();
    const auto receive_buffer = co_await ok(options.receive_buffer());
    const auto send_buffer = co_await ok(options.send_buffer());
    const bool no_delay = co_await ok(options.no_delay());
    EXPECT_EQ(receive_buffer, 40'000);
    EXPECT_EQ(send_buffer, 60'000);
    EXPECT_TRUE(no_delay);
    auto slow = co_await ok(connect_pair({.no_delay = false}, {.no_delay = false}));
    const bool server_waits = !co_await ok(slow.server.options().no_delay());
    const bool client_waits = !co_await ok(slow.client.options().no_delay());
    EXPECT_TRUE(server_waits && client_waits);
    co_return {};
  });
}

TEST_P(tcp_listen, a_deferred_accept_waits_for_bytes) {
  NEEDS_THE_KERNEL("the simulated network refuses this option");
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0", {.defer = 30s}));
    const endpoint door = co_await ok(l.local());
    tcp::stream client = co_await ok(tcp::connect(door));
    auto early = co_await within(5ms, l.accept());
    EXPECT_TRUE(fails_with(early, std::errc::timed_out));
    co_await ok(client.send("x"));
    tcp::stream server = co_await ok(l.accept());
    lease got = co_await ok(server.receive());
    EXPECT_EQ(got.text(), "x");
    co_return {};
  });
}

TEST_P(tcp_listen, a_listener_by_number_is_adopted_and_owned) {
  NEEDS_THE_KERNEL("descriptors of the real system are not simulated");
  play([]() -> task<result<void>> {
    const int number = raw_socket::listening(5).release();
    ::fcntl(number, F_SETFD, 0);
    auto l = co_await ok(tcp::listen("fd:" + std::to_string(number)));
    EXPECT_EQ(l.descriptor(), number);
    EXPECT_EQ(::fcntl(number, F_GETFD), FD_CLOEXEC);
    auto both = co_await ok(connect_to(l));
    co_await ok(both.client.send("x"));
    lease got = co_await ok(both.server.receive());
    EXPECT_EQ(got.text(), "x");
    co_return {};
  });
}

// As a service manager has it, which starts us again for the next client.
TEST_P(tcp_listen, a_listener_that_others_have_too_listens_on_for_them) {
  NEEDS_THE_KERNEL("it is given descriptors of the real system");
  play([]() -> task<result<void>> {
    const raw_socket theirs = raw_socket::listening(5);
    for (int i = 0; i != 2; ++i) {
      auto l = co_await ok(tcp::listen("fd:" + std::to_string(::dup(theirs.number()))));
      auto both = co_await ok(connect_to(l));
      auto idle = co_await within(1ms, l.accept());
      EXPECT_TRUE(fails_with(idle, std::errc::timed_out));
    }
    const endpoint door(address::loopback_v4(), theirs.port());
    auto late = co_await ok(tcp::connect(door));
    const owned_descriptor served(::accept4(theirs.number(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_TRUE(served.is_open());
    co_return {};
  });
}

TEST_P(tcp_listen, a_number_that_is_no_listener_is_an_error) {
  NEEDS_THE_KERNEL("descriptors of the real system are not simulated");
  play([]() -> task<result<void>> {
    const std::string far = "fd:1000000";
    auto none = co_await tcp::listen(far);
    EXPECT_TRUE(fails_with(none, std::errc::bad_file_descriptor));
    const std::string number = std::to_string(raw_socket::bound().release());
    auto not_listening = co_await tcp::listen("fd:" + number);
    EXPECT_TRUE(fails_with(not_listening, std::errc::invalid_argument));
    if (!not_listening) EXPECT_EQ(not_listening.error().subject(), "fd:" + number);
    co_return {};
  });
}

// Runs `play` in a child whose service manager has passed it two listeners, at 3 and 4.
child_ending with_two_passed(driver_choice which, const std::function<task<result<void>>()>& play) {
  return in_a_child([&] {
    const raw_socket one = raw_socket::listening(5), other = raw_socket::listening(5);
    const int first = ::fcntl(one.number(), F_DUPFD, 100), second = ::fcntl(other.number(), F_DUPFD, 100);
    ::dup2(first, 3);
    ::dup2(second, 4);
    ::setenv("LISTEN_FDS", "2", 1);
    ::setenv("LISTEN_FDNAMES", "web:admin", 1);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    test_loop loop(which);
    EXPECT_TRUE(succeeds(loop.run(play())));
    return 0;
  });
}

TEST_P(tcp_listen_in_a_child, systemd_passes_listeners_by_name) {
  const child_ending how = with_two_passed(GetParam(), []() -> task<result<void>> {
    auto admin = co_await ok(tcp::listen("systemd:admin"));
    EXPECT_EQ(admin.descriptor(), 4);
    auto first = co_await ok(tcp::listen("systemd:"));
    EXPECT_EQ(first.descriptor(), 3);
    auto both = co_await ok(connect_to(admin));
    co_await ok(both.client.send("x"));
    lease got = co_await ok(both.server.receive());
    EXPECT_EQ(got.text(), "x");
    co_return {};
  });
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

TEST_P(tcp_listen_in_a_child, what_systemd_did_not_pass_falls_to_the_next_alternative) {
  const child_ending how = with_two_passed(GetParam(), []() -> task<result<void>> {
    auto missing = co_await tcp::listen("systemd:other");
    EXPECT_TRUE(fails_with(missing, fault::not_inherited));
    auto l = co_await ok(tcp::listen("systemd:other|127.0.0.1:0"));
    const endpoint at = co_await ok(l.local());
    EXPECT_EQ(at.addr(), address::loopback_v4());
    ::setenv("LISTEN_PID", "1", 1);
    auto foreign = co_await tcp::listen("systemd:web");
    EXPECT_TRUE(fails_with(foreign, fault::not_inherited));
    ::unsetenv("LISTEN_PID");
    auto none = co_await tcp::listen("systemd:web");
    EXPECT_TRUE(fails_with(none, fault::not_inherited));
    co_return {};
  });
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

// Whoever starts a program with standard input closed gives its first socket the number 0.
TEST_P(tcp_listen_in_a_child, sockets_numbered_0_to_2_work) {
  const child_ending how = in_a_child([&] {
    const int keep = ::fcntl(STDOUT_FILENO, F_DUPFD, 100);
    test_loop loop(GetParam());
    for (int number : {0, 1, 2}) ::close(number);
    auto talk = []() -> task<result<void>> {
      auto both = co_await ok(connect_pair());
      if (both.client.descriptor() > 2) co_return fail(std::errc::bad_file_descriptor);
      co_await ok(both.client.send("x"));
      lease got = co_await ok(both.server.receive());
      if (got.text() != "x") co_return fail(std::errc::bad_message);
      co_return {};
    };
    auto ended = loop.run(talk());
    ::dup2(keep, STDOUT_FILENO);
    EXPECT_TRUE(succeeds(ended));
    return 0;
  });
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

// Of those that wait in an accept the kernel wakes one. Whoever was woken and does not come to it, such as
// the old server of a hand-over that is about to end, must not keep the others asleep.
TEST_P(sharing_a_listener, one_that_was_woken_and_does_not_come_keeps_nobody_asleep) {
  test_loop idle(GetParam());
  test_loop busy(GetParam());
  ASSERT_TRUE(idle.opened() && busy.opened());
  tcp::listener first;
  tcp::listener second;
  const auto waits_for_a_while = [&]() -> task<result<void>> {
    first = co_await ok(tcp::listen("127.0.0.1:0"));
    EXPECT_TRUE(fails_with(co_await within(1ms, first.accept()), std::errc::timed_out));
    co_return {};
  };
  EXPECT_TRUE(succeeds(idle.run(waits_for_a_while())));
  // From here on it takes no turn.
  const auto gets_it = [&]() -> task<result<void>> {
    const int copy = ::fcntl(first.descriptor(), F_DUPFD_CLOEXEC, 0);
    second = co_await ok(tcp::listener::adopt(busy.here(), owned_descriptor(copy)));
    auto accept_one = [&]() -> task<result<void>> {
      co_await ok(within(20s, second.accept()));
      co_return {};
    };
    auto both = [&](scope& s) -> task<result<void>> {
      s.spawn(accept_one());
      co_await ok(sleep(1ms));
      co_await ok(tcp::connect(co_await ok(second.local())));
      co_return {};
    };
    co_await ok(with_scope(both));
    second.close();
    co_return {};
  };
  EXPECT_TRUE(succeeds(busy.run(gets_it())));
  busy.settle();
  first.close();
  idle.settle();
}

}  // namespace
}  // namespace soquete::test
