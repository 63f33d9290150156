// Servers: limits, orderly ends.
#include "echo.hpp"
#include "on_each_driver.hpp"
#include "raw_socket.hpp"
#include "tcp_pair.hpp"

#include <soquete/event.hpp>
#include <soquete/scope.hpp>
#include <soquete/serve.hpp>
#include <stdexcept>
#include <vector>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class serving : public on_each_driver {};
ON_EVERY_DRIVER(serving);

// Where a server listens, for those who wait until it does.
struct doors {
  tcp::serve_watch watch;
  event opened;
  std::vector<endpoint> at;
  doors() {
    watch.listening = [this](const endpoint& where) {
      at.push_back(where);
      opened.notify_all();
    };
  }
};
task<result<endpoint>> first_door(doors& d) {
  while (d.at.empty()) co_await ok(d.opened.wait());
  co_return d.at.front();
}

TEST_P(serving, clients_are_served_until_it_is_asked_to_end) {
  play([]() -> task<result<void>> {
    doors d;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(tcp::serve("127.0.0.1:0", echo<tcp::stream>, {.watch = &d.watch}));
      const endpoint door = co_await ok(first_door(d));
      std::vector<tcp::stream> clients;
      for (int i = 0; i != 20; ++i) clients.push_back(co_await ok(tcp::connect(door)));
      for (tcp::stream& c : clients) co_await ok(expect_echo(c, "hello"));
      clients.clear();
      s.cancel();
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

TEST_P(serving, localhost_is_served_on_both_loopbacks_with_one_port) {
  play([]() -> task<result<void>> {
    doors d;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(tcp::serve("localhost:0", echo<tcp::stream>, {.watch = &d.watch}));
      co_await ok(first_door(d));
      EXPECT_EQ(d.at.size(), 2U);
      if (d.at.size() == 2) {
        EXPECT_EQ(d.at[0].port(), d.at[1].port());
        for (const endpoint& door : d.at) {
          tcp::stream c = co_await ok(tcp::connect(door));
          co_await ok(expect_echo(c, "x"));
        }
      }
      s.cancel();
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

TEST_P(serving, no_more_than_the_cap_are_served_at_once_and_the_others_wait) {
  play([]() -> task<result<void>> {
    doors d;
    int now = 0, most = 0;
    auto counted = [&now, &most](tcp::stream peer) -> task<result<void>> {
      most = std::max(most, ++now);
      auto how = co_await echo(std::move(peer));
      --now;
      co_return how;
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(tcp::serve("127.0.0.1:0", counted, {.max_connections = 3, .watch = &d.watch}));
      const endpoint door = co_await ok(first_door(d));
      std::vector<tcp::stream> clients;
      for (int i = 0; i != 12; ++i) {
        clients.push_back(co_await ok(tcp::connect(door)));
        co_await ok(clients.back().send("x"));
      }
      for (tcp::stream& c : clients) {
        lease got = co_await ok(c.receive());
        EXPECT_EQ(got.text(), "x");
        EXPECT_LE(now, 3);
        c.close();
      }
      s.cancel();
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_EQ(most, 3);
    co_return {};
  });
}

TEST_P(serving, an_address_with_too_many_connections_is_reset_and_others_are_served) {
  play([]() -> task<result<void>> {
    doors d;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(tcp::serve("127.0.0.1:0", echo<tcp::stream>, {.max_per_address = 2, .watch = &d.watch}));
      const endpoint door = co_await ok(first_door(d));
      tcp::stream one = co_await ok(tcp::connect(door));
      tcp::stream two = co_await ok(tcp::connect(door));
      co_await ok(expect_echo(one, "1"));
      co_await ok(expect_echo(two, "2"));
      tcp::stream three = co_await ok(tcp::connect(door));
      auto refused = co_await three.receive();
      EXPECT_TRUE(fails_with(refused, std::errc::connection_reset));
      tcp::stream other = co_await ok(tcp::connect(door, {.from = "127.0.0.9:0"}));
      co_await ok(expect_echo(other, "other"));
      // A place that is given up is given away.
      co_await ok(one.finish());
      const std::string end = co_await ok(receive_all(one));
      EXPECT_EQ(end, "");
      co_await ok(sleep(1ms));
      tcp::stream four = co_await ok(tcp::connect(door));
      co_await ok(expect_echo(four, "4"));
      s.cancel();
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

TEST_P(serving, v4_counts_as_one_address_on_a_dual_stack_listener) {
  play([]() -> task<result<void>> {
    doors d;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(tcp::serve(":0", echo<tcp::stream>, {.max_per_address = 1, .watch = &d.watch}));
      const endpoint door = co_await ok(first_door(d));
      tcp::stream one = co_await ok(tcp::connect(endpoint(address::loopback_v4(), door.port())));
      co_await ok(expect_echo(one, "1"));
      tcp::stream two = co_await ok(tcp::connect(endpoint(address::loopback_v4(), door.port())));
      auto refused = co_await two.receive();
      EXPECT_TRUE(fails_with(refused, std::errc::connection_reset));
      tcp::stream six = co_await ok(tcp::connect(endpoint(address::loopback_v6(), door.port())));
      co_await ok(expect_echo(six, "6"));
      s.cancel();
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

TEST_P(serving, whom_the_watch_does_not_admit_is_reset) {
  play([]() -> task<result<void>> {
    doors d;
    d.watch.admit = [](const tcp::stream& c) { return c.peer().addr() != address::v4({127, 0, 0, 66}); };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(tcp::serve("127.0.0.1:0", echo<tcp::stream>, {.watch = &d.watch}));
      const endpoint door = co_await ok(first_door(d));
      tcp::stream bad = co_await ok(tcp::connect(door, {.from = "127.0.0.66:0"}));
      auto refused = co_await bad.receive();
      EXPECT_TRUE(fails_with(refused, std::errc::connection_reset));
      tcp::stream good = co_await ok(tcp::connect(door));
      co_await ok(expect_echo(good, "x"));
      s.cancel();
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

TEST_P(serving, an_error_of_one_client_is_told_and_ends_only_that_one) {
  play([]() -> task<result<void>> {
    doors d;
    std::vector<std::string> failed;
    event told;
    d.watch.client_failed = [&](const endpoint& client, const error& why) {
      failed.push_back(to_string(client) + " " + why.code().message());
      told.notify_all();
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(tcp::serve("127.0.0.1:0", echo<tcp::stream>, {.watch = &d.watch}));
      const endpoint door = co_await ok(first_door(d));
      tcp::stream good = co_await ok(tcp::connect(door));
      co_await ok(expect_echo(good, "x"));
      tcp::stream bad = co_await ok(tcp::connect(door));
      co_await ok(expect_echo(bad, "y"));
      const endpoint who = co_await ok(bad.local());
      bad.abort();
      while (failed.empty()) co_await ok(told.wait());
      EXPECT_EQ(failed.size(), 1U);
      EXPECT_EQ(failed[0], to_string(who) + " Connection reset by peer");
      co_await ok(expect_echo(good, "still"));
      s.cancel();
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

TEST_P(serving, clients_get_the_drain_time_to_end) {
  play([]() -> task<result<void>> {
    doors d;
    std::size_t to_drain = 0;
    event draining;
    d.watch.draining = [&](std::size_t clients) {
      to_drain = clients;
      draining.notify_all();
    };
    auto run_server = [](tcp::serve_watch* watch) -> task<result<void>> {
      auto how = co_await tcp::serve("127.0.0.1:0", echo<tcp::stream>, {.drain = 1h, .watch = watch});
      EXPECT_TRUE(succeeds(how));
      co_return how;
    };
    auto body = [&](scope& s) -> task<result<void>> {
      tcp::stream client;
      auto inner = [&](scope& servers) -> task<result<void>> {
        servers.spawn(run_server(&d.watch));
        const endpoint door = co_await ok(first_door(d));
        client = co_await ok(tcp::connect(door));
        co_await ok(expect_echo(client, "before"));
        servers.cancel();
        co_await ok(shield(1h, draining.wait()));
        EXPECT_EQ(to_drain, 1U);
        auto work = [](tcp::stream& c, endpoint at) -> task<result<void>> {
          // Newcomers are refused, who is there is served to the end.
          co_await ok(sleep(2ms));
          auto late = co_await tcp::connect(at);
          EXPECT_TRUE(fails_with(late, std::errc::connection_refused));
          co_await ok(expect_echo(c, "during"));
          c.close();
          co_return {};
        };
        co_return co_await shield(1h, work(client, door));
      };
      static_cast<void>(s);
      co_return co_await with_scope(inner);
    };
    co_return co_await with_scope(body);
  });
}

TEST_P(serving, clients_that_outstay_the_drain_time_are_cancelled) {
  play([]() -> task<result<void>> {
    doors d;
    bool was_cancelled = false;
    auto stay = [&was_cancelled](tcp::stream peer) -> task<result<void>> {
      auto got = co_await peer.receive();
      if (got && !got->empty()) got = co_await peer.receive();
      was_cancelled = !got && got.error() == std::errc::operation_canceled;
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(tcp::serve("127.0.0.1:0", stay, {.drain = 5ms, .watch = &d.watch}));
      const endpoint door = co_await ok(first_door(d));
      tcp::stream client = co_await ok(tcp::connect(door));
      co_await ok(client.send("x"));
      co_await ok(sleep(5ms));
      s.cancel();
      auto end = co_await shield(1h, client.receive());
      EXPECT_TRUE(end && end->empty());
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_TRUE(was_cancelled);
    co_return {};
  });
}

TEST_P(serving, an_address_in_use_is_an_error) {
  NEEDS_THE_KERNEL("the address is taken by a socket of the kernel");
  play([]() -> task<result<void>> {
    const raw_socket taken = raw_socket::listening(1);
    auto how = co_await tcp::serve("127.0.0.1:" + std::to_string(taken.port()), echo<tcp::stream>);
    EXPECT_TRUE(fails_with(how, std::errc::address_in_use));
    auto bad = co_await tcp::serve("nonsense", echo<tcp::stream>);
    EXPECT_TRUE(fails_with(bad, fault::bad_address));
    co_return {};
  });
}

TEST_P(serving, it_is_ready_once_when_all_addresses_listen) {
  play([]() -> task<result<void>> {
    doors d;
    std::vector<endpoint> all;
    d.watch.ready = [&](std::span<const endpoint> where) {
      EXPECT_TRUE(all.empty());
      EXPECT_EQ(d.at.size(), where.size());
      all.assign(where.begin(), where.end());
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(tcp::serve("localhost:0", echo<tcp::stream>, {.watch = &d.watch}));
      static_cast<void>(co_await ok(first_door(d)));
      for (const endpoint& at : all) {
        tcp::stream c = co_await ok(tcp::connect(at));
        co_await ok(expect_echo(c, "hello"));
      }
      s.cancel();
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_EQ(all, d.at);
    EXPECT_FALSE(all.empty());
    co_return {};
  });
}

// Does the mistake of a handler leave the scope that its server is in?
template <class Body>
task<bool> throws(Body& body) {
  try {
    static_cast<void>(co_await with_scope(body));
  } catch (const std::runtime_error&) {
    co_return true;
  }
  co_return false;
}

TEST_P(serving, an_exception_of_a_handler_ends_the_server) {
  play([]() -> task<result<void>> {
    doors d;
    bool is_cut = false;
    auto handler = [&](tcp::stream peer) -> task<result<void>> {
      const std::string word = co_await ok(receive_some(peer, 5));
      if (word == "throw") throw std::runtime_error("a mistake");
      co_await ok(peer.send(word));
      is_cut = fails_with(co_await peer.receive(), std::errc::operation_canceled);
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(tcp::serve("127.0.0.1:0", tcp::client_handler(handler), {.watch = &d.watch}));
      const endpoint door = co_await ok(first_door(d));
      tcp::stream a = co_await ok(tcp::connect(door));
      tcp::stream b = co_await ok(tcp::connect(door));
      co_await ok(expect_echo(a, "hello"));
      co_await ok(b.send("throw"));
      co_return co_await within(10s, d.opened.wait());
    };
    EXPECT_TRUE(co_await throws(body));
    EXPECT_TRUE(is_cut);
    co_return {};
  });
}

TEST_P(serving, a_handler_that_throws_before_it_waits_ends_the_server_and_counts_as_gone) {
  play([]() -> task<result<void>> {
    doors d;
    bool is_cut = false;
    int begun = 0;
    const auto wait = [](tcp::stream peer, bool& cut) -> task<result<void>> {
      cut = fails_with(co_await peer.receive(), std::errc::operation_canceled);
      co_return {};
    };
    auto handler = [&](tcp::stream peer) {
      if (begun++ == 1) throw std::runtime_error("a mistake");
      return wait(std::move(peer), is_cut);
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(tcp::serve("127.0.0.1:0", tcp::client_handler(handler), {.watch = &d.watch}));
      const endpoint door = co_await ok(first_door(d));
      tcp::stream a = co_await ok(tcp::connect(door));
      tcp::stream b = co_await ok(tcp::connect(door));
      co_return co_await within(10s, d.opened.wait());
    };
    EXPECT_TRUE(co_await throws(body));
    EXPECT_TRUE(is_cut);
    co_return {};
  });
}

TEST_P(serving, a_dump_tells_where_the_clients_wait) {
  play([]() -> task<result<void>> {
    doors d;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(tcp::serve("127.0.0.1:0", echo<tcp::stream>, {.watch = &d.watch}));
      tcp::stream c = co_await ok(tcp::connect(co_await ok(first_door(d))));
      co_await ok(expect_echo(c, "hello"));
      const std::string text = co_await dump();
      EXPECT_NE(text.find("for accept on"), text.npos) << text;
      EXPECT_NE(text.find("for 1 clients"), text.npos) << text;
      EXPECT_NE(text.find("echo.hpp"), text.npos) << text;
      s.cancel();
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

}  // namespace
}  // namespace soquete::test
