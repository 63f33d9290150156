// What may be the matter with names on a simulated network.  docs/simulation.md
#include <gtest/gtest.h>

#include <array>
#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>
#include <string>
#include <vector>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

const std::array<address, 3> three{address::v4({10, 1, 0, 1}), address::v4({10, 1, 0, 2}),
                                   address::v4({10, 1, 0, 3})};

bool cannot_tell(const error& why) {
  return why == std::errc::resource_unavailable_try_again && why.during() == step::resolve;
}

std::vector<std::string> peers_of(const error& why) {
  std::vector<std::string> all;
  for (const attempt& one : why.attempts()) all.push_back(one.peer);
  return all;
}

// Nobody listens, so that the error tells which addresses were tried, and in which order.
TEST(sim_name, an_answer_fails_or_is_late_or_lacks_addresses_or_has_another_order) {
  std::vector<std::string> all;
  for (const address& one : three) all.push_back(to_string(endpoint(one, 7)));
  const auto told = sim::check({.seeds = 300}, [&all](sim::world& w) {
    w.host("server", {.addresses = three});
    w.faults(sim::swarm().only(sim::fault::name));
    w.host("client").spawn([&]() -> task<result<void>> {
      for (int i = 0; i != 5; ++i) {
        const auto asked = w.now();
        const auto got = co_await tcp::connect("server:7");
        if (got) co_return fail(std::errc::connection_reset);
        const bool is_late = w.now() - asked > 10ms;
        if (cannot_tell(got.error())) {
          w.sometimes(is_late, "it takes long to hear nothing");
          continue;
        }
        w.always(got.error() == std::errc::connection_refused, "nobody listens");
        std::vector<std::string> tried = peers_of(got.error());
        if (tried.empty()) tried.resize(1);
        w.sometimes(tried == all && is_late, "all, late");
        w.sometimes(tried.size() < all.size(), "a part");
        w.sometimes(tried.size() == all.size() && tried != all, "another order");
        w.sometimes(tried == all && !is_late, "all, at once");
      }
      co_return {};
    });
    w.run_for(1h);
  });
  EXPECT_GT(told.struck[static_cast<std::size_t>(sim::fault::name)], 0U);
}

TEST(sim_name, who_waits_for_a_name_has_a_deadline_and_can_be_cancelled) {
  sim::check({.seeds = 300}, [](sim::world& w) {
    w.host("server").spawn(
        [] { return tcp::serve(":7", [](tcp::stream) -> task<result<void>> { co_return {}; }); });
    w.faults(sim::swarm().only(sim::fault::name));
    w.host("client").spawn([&w]() -> task<result<void>> {
      const auto begun = w.now();
      const auto got = co_await within(100ms, tcp::connect("server:7"));
      w.always(w.now() - begun <= 100ms, "the deadline is kept");
      w.sometimes(!got && got.error() == std::errc::timed_out && got.error().during() == step::resolve,
                  "a name is waited for");
      co_return {};
    });
    w.host("other").spawn([&w]() -> task<result<void>> {
      const auto got = co_await within(100ms, udp::connect("server:7"));
      w.sometimes(got.has_value(), "a name is known");
      w.sometimes(!got && got.error() == std::errc::timed_out && got.error().during() == step::resolve,
                  "datagrams: a name is waited for");
      w.sometimes(!got && cannot_tell(got.error()), "datagrams: nobody can tell");
      co_return {};
    });
    w.run_for(1h);
  });
}

TEST(sim_name, its_own_name_a_host_knows) {
  const auto told = sim::check({.seeds = 100}, [](sim::world& w) {
    w.faults(sim::swarm().only(sim::fault::name));
    sim::host& server = w.host("server");
    server.spawn(
        [] { return tcp::serve("server:7", [](tcp::stream) -> task<result<void>> { co_return {}; }); });
    server.spawn([]() -> task<result<void>> {
      co_await ok(udp::bind("server:7"));
      for (int i = 0; i != 10; ++i) co_await ok(tcp::connect("server:7"));
      co_return {};
    });
    w.run_for(1h);
  });
  EXPECT_EQ(told.struck[static_cast<std::size_t>(sim::fault::name)], 0U);
}

TEST(sim_name, the_next_place_is_tried_when_a_name_is_not_found) {
  sim::world w(1);
  w.host("server").spawn(
      [] { return tcp::serve(":7", [](tcp::stream) -> task<result<void>> { co_return {}; }); });
  w.host("client").spawn([]() -> task<result<void>> {
    co_await ok(tcp::connect("nobody:7|server:7"));
    const auto none = co_await tcp::connect("nobody:7|server:8");
    EXPECT_FALSE(none);
    if (none) co_return {};
    EXPECT_EQ(none.error(), soquete::fault::name_not_found);
    const std::vector<std::string> tried = peers_of(none.error());
    EXPECT_EQ(tried.size(), 3U);
    if (!tried.empty()) EXPECT_EQ(tried.front(), "nobody:7");
    co_return {};
  });
  w.run_for(1h);
  EXPECT_EQ(w.failure(), "");
}

task<result<void>> serve_nothing(std::string_view on) {
  return tcp::serve(on, [](tcp::stream peer) -> task<result<void>> {
    static_cast<void>(co_await peer.receive());
    co_return {};
  });
}

// Addresses -----------------------------------------------------------------------------------------------

TEST(sim_name, a_name_leads_where_a_scenario_says_and_the_next_address_is_tried) {
  const std::array<address, 2> both{address::v4({192, 0, 2, 1}), address::v4({10, 0, 0, 1})};
  sim::world w(1);
  w.host("server").spawn([] { return serve_nothing(":7"); });
  w.name("server", both);
  w.name("service", both);
  sim::host& client = w.host("client");
  for (const char* name : {"server:7", "service:7"})
    client.spawn([&w, &both, name]() -> task<result<void>> {
      const auto begun = w.now();
      const tcp::stream peer = co_await ok(tcp::connect(name));
      EXPECT_EQ(peer.peer(), endpoint(both[1], 7));
      EXPECT_GT(w.now() - begun, 2min) << "nobody has the first";
      co_return {};
    });
  w.run_for(1h);
  EXPECT_EQ(w.failure(), "");
}

// One of two addresses of a host is cut off: what uses it stands still, the host goes on by the other.
TEST(sim_name, one_address_of_a_host_can_be_dead) {
  const std::array<address, 2> two{three[0], three[1]};
  sim::world w(1);
  sim::host& server = w.host("server", {.addresses = two});
  server.spawn([] { return serve_nothing(":7"); });
  server.spawn([]() -> task<result<void>> {
    auto s = co_await ok(udp::bind(":9"));
    for (;;) {
      const udp::received got = co_await ok(s.receive());
      co_await ok(s.send_to(got.from(), "here", {.from = got.about().to()}));
    }
  });
  w.partition(two[0]);
  const auto reaches = [](const address& to) -> task<result<bool>> {
    auto s = co_await ok(udp::connect(endpoint(to, 9)));
    co_await ok(s.send("anybody?"));
    co_return (co_await within(1s, s.receive())).has_value();
  };
  w.host("client").spawn([&]() -> task<result<void>> {
    EXPECT_FALSE(co_await ok(reaches(two[0])));
    EXPECT_TRUE(co_await ok(reaches(two[1])));
    const auto begun = w.now();
    tcp::stream peer = co_await ok(tcp::connect("server:7"));
    EXPECT_GT(w.now() - begun, 2min);
    EXPECT_EQ(peer.peer().addr(), two[1]);
    w.heal();
    EXPECT_TRUE(co_await ok(reaches(two[0])));
    // What is under way waits, and goes on.
    tcp::stream other = co_await ok(tcp::connect(endpoint(two[0], 7)));
    w.partition(two[0]);
    co_await ok(other.send("x"));
    EXPECT_FALSE(co_await within(10s, other.receive()));
    w.heal();
    EXPECT_TRUE((co_await ok(within(10s, other.receive()))).empty());
    co_return {};
  });
  w.run_for(1h);
  EXPECT_EQ(w.failure(), "");
}

}  // namespace
}  // namespace soquete::test
