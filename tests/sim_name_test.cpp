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

}  // namespace
}  // namespace soquete::test
