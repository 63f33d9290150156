// Simulated datagrams: lost, doubled, overtaken, refused.  docs/simulation.md; faults.md, group C
#include <gtest/gtest.h>

#include <algorithm>
#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>
#include <string>
#include <vector>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

// What of the numbers 0 to `count` - 1 comes to the other host, in the order in which it comes.
std::vector<int> what_comes(const sim::link_options& how, int count, const std::string& rest = "") {
  sim::world w(1);
  sim::host& server = w.host("server");
  sim::host& client = w.host("client");
  w.link(server, client, how);
  std::vector<int> came;
  server.spawn([&]() -> task<result<void>> {
    auto s = co_await ok(udp::bind(":9"));
    for (;;) {
      auto got = co_await within(1min, s.receive());
      if (!got) break;
      came.push_back(std::atoi(std::string(got->text()).c_str()));
    }
    co_return {};
  });
  client.spawn([&]() -> task<result<void>> {
    auto s = co_await ok(udp::connect("server:9"));
    for (int i = 0; i != count; ++i) co_await ok(s.send(std::to_string(i) + rest));
    co_return {};
  });
  w.run_for(1h);
  EXPECT_EQ(w.failure(), "");
  return came;
}

TEST(sim_datagram, on_a_good_link_all_come_in_order) {
  std::vector<int> all;
  for (int i = 0; i != 100; ++i) all.push_back(i);
  EXPECT_EQ(what_comes({}, 100), all);
}

TEST(sim_datagram, losses_are_as_many_as_asked_for) {
  EXPECT_EQ(what_comes({.loss = 1}, 100).size(), 0U);
  const std::size_t half = what_comes({.loss = 0.5}, 1000).size();
  EXPECT_GT(half, 400U);
  EXPECT_LT(half, 600U);
}

TEST(sim_datagram, duplicates_come_twice) { EXPECT_EQ(what_comes({.duplicates = 1}, 100).size(), 200U); }

TEST(sim_datagram, what_takes_longer_is_overtaken) {
  const std::vector<int> came = what_comes({.delay = {1ms, 100ms}}, 100);
  EXPECT_EQ(came.size(), 100U);
  EXPECT_FALSE(std::is_sorted(came.begin(), came.end()));
}

TEST(sim_datagram, longer_than_the_path_takes_is_lost_or_told) {
  EXPECT_EQ(what_comes({.datagram_max = 1000}, 10, std::string(1100, ' ')).size(), 0U);
  EXPECT_EQ(what_comes({.datagram_max = 1000}, 10, std::string(900, ' ')).size(), 10U);
}

TEST(sim_datagram, nobody_there_is_told_once_to_who_is_connected) {
  sim::world w(1);
  w.host("server");
  w.host("client").spawn([]() -> task<result<void>> {
    auto s = co_await ok(udp::connect("server:9"));
    co_await ok(s.send("anybody?"));
    auto got = co_await s.receive();
    EXPECT_FALSE(got);
    if (!got) EXPECT_EQ(got.error(), std::errc::connection_refused);
    auto once = co_await within(1min, s.receive());
    EXPECT_FALSE(once);
    if (!once) EXPECT_EQ(once.error(), std::errc::timed_out);
    co_return {};
  });
  w.run_for(1h);
  EXPECT_EQ(w.failure(), "");
}

TEST(sim_datagram, a_clock_that_is_wrong_shows_in_its_times) {
  sim::world w(1);
  sim::host& right = w.host("right");
  sim::host& ahead = w.host("ahead", {.clock_skew = 24h});
  std::vector<std::chrono::system_clock::time_point> shown;
  for (sim::host* one : {&right, &ahead})
    one->spawn([&]() -> task<result<void>> {
      auto s = co_await ok(udp::bind("127.0.0.1:9"));
      co_await ok(s.options().set_tell_time(true));
      auto out = co_await ok(udp::connect("127.0.0.1:9"));
      co_await ok(out.send("x"));
      const udp::received got = co_await ok(s.receive());
      const auto when = got.about().when();
      EXPECT_TRUE(when);
      if (when) shown.push_back(*when);
      co_return {};
    });
  w.run_for(1h);
  EXPECT_EQ(w.failure(), "");
  ASSERT_EQ(shown.size(), 2U);
  EXPECT_EQ(shown[1] - shown[0], 24h);
}

}  // namespace
}  // namespace soquete::test
