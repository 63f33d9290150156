// Datagrams to many on a simulated network: who hears them, and what happens to each on its way.
// docs/simulation.md
#include <gtest/gtest.h>

#include <map>
#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>
#include <string>
#include <vector>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

constexpr address group = address::v4({239, 1, 2, 3});
const address group_v6 = address::parse("ff12::1:2:3").value();
constexpr address everybody = address::v4({255, 255, 255, 255});
constexpr std::uint16_t port = 5353;

// What is heard, by host.
using heard = std::map<std::string, std::vector<std::string>>;

// Hears for a minute, as a member if there is a group.
task<result<void>> hear(sim::host& on, address of, heard& all) {
  auto s = co_await ok(udp::bind(of.is_v6() ? "[::]:5353" : "0.0.0.0:5353"));
  if (of.is_multicast()) co_await ok(s.join({.group = of}));
  for (;;) {
    const auto got = co_await within(1min, s.receive());
    if (!got) break;
    all[on.name()].emplace_back(got->text());
  }
  co_return {};
}

task<result<void>> say(address to, int count, int hops = 1) {
  auto s = co_await ok(udp::bind(to.is_v6() ? "[::]:0" : "0.0.0.0:0", {.broadcast = true}));
  co_await ok(s.options().set_multicast_hops(hops));
  co_await ok(sleep(1ms));  // Members have joined by then.
  for (int i = 0; i != count; ++i) {
    co_await ok(s.send_to({to, port}, std::to_string(i)));
    co_await ok(sleep(1ms));
  }
  co_return {};
}

// Three hosts; the second and the third hear.
struct neighbourhood {
  explicit neighbourhood(const address& of) {
    for (sim::host* each : {&two, &three}) each->spawn([this, each, of] { return hear(*each, of, all); });
  }

  std::size_t count(const char* at) { return all[at].size(); }
  void run() {
    w.run_for(1h);
    EXPECT_EQ(w.failure(), "");
  }

  heard all;
  sim::world w{1};
  sim::host& one = w.host("one");
  sim::host& two = w.host("two");
  sim::host& three = w.host("three");
};

TEST(sim_group, all_members_hear_it_and_nobody_else) {
  for (const address& to : {group, group_v6}) {
    neighbourhood n(to);
    n.one.spawn([&n, to] { return hear(n.one, to, n.all); });
    sim::host& other = n.w.host("other");
    other.spawn([&n, &other] { return hear(other, everybody, n.all); });
    n.one.spawn([to] { return say(to, 3); });
    n.run();
    const std::vector<std::string> expected{"0", "1", "2"};
    for (const char* member : {"one", "two", "three"}) EXPECT_EQ(n.all[member], expected) << member;
    EXPECT_EQ(n.count("other"), 0U);
  }
}

TEST(sim_group, a_broadcast_is_heard_by_all_and_an_unwanted_one_is_no_refusal) {
  for (const address& to : {everybody, address::v4({10, 255, 255, 255})}) {
    neighbourhood n(everybody);
    n.w.host("deaf");
    n.one.spawn([to] { return say(to, 3); });
    n.run();
    EXPECT_EQ(n.count("two"), 3U);
    EXPECT_EQ(n.count("three"), 3U);
  }
}

TEST(sim_group, another_network_does_not_hear_a_broadcast_to_this_one) {
  neighbourhood n(everybody);
  const std::array<address, 1> near{address::v4({192, 0, 2, 7})};
  const std::array<address, 1> far{address::v4({198, 51, 100, 7})};
  sim::host& sender = n.w.host("sender", {.addresses = near});
  sim::host& neighbour = n.w.host("neighbour", {.addresses = near});
  sim::host& stranger = n.w.host("stranger", {.addresses = far});
  for (sim::host* one : {&neighbour, &stranger})
    one->spawn([&n, one] { return hear(*one, everybody, n.all); });
  sender.spawn([] { return say(address::v4({192, 0, 2, 255}), 1); });
  n.run();
  EXPECT_EQ(n.count("neighbour"), 1U);
  EXPECT_EQ(n.count("stranger"), 0U);
  EXPECT_EQ(n.count("two"), 0U);
}

TEST(sim_group, each_receiver_has_losses_and_duplicates_of_its_own) {
  neighbourhood n(group);
  n.w.link(n.one, n.two, {.loss = 0.5});
  n.w.link(n.one, n.three, {.duplicates = 1});
  n.one.spawn([] { return say(group, 1000); });
  n.run();
  EXPECT_GT(n.count("two"), 400U);
  EXPECT_LT(n.count("two"), 600U);
  EXPECT_EQ(n.count("three"), 2000U);
}

TEST(sim_group, who_is_cut_off_hears_nothing) {
  neighbourhood n(group);
  n.w.partition_one_way(n.one, n.two);
  n.one.spawn([] { return say(group, 3); });
  n.run();
  EXPECT_EQ(n.count("two"), 0U);
  EXPECT_EQ(n.count("three"), 3U);
}

TEST(sim_group, without_hops_nobody_else_hears_it) {
  neighbourhood n(group);
  n.one.spawn([&n] { return hear(n.one, group, n.all); });
  n.one.spawn([] { return say(group, 3, 0); });
  n.run();
  EXPECT_EQ(n.count("one"), 3U);
  EXPECT_EQ(n.count("two"), 0U);
}

TEST(sim_group, a_group_of_the_own_interface_stays_on_it) {
  const address inside = address::parse("ff11::1:2:3").value();
  neighbourhood n(inside);
  n.one.spawn([&] { return hear(n.one, inside, n.all); });
  n.one.spawn([&] { return say(inside, 3); });
  n.run();
  EXPECT_EQ(n.count("one"), 3U);
  EXPECT_EQ(n.count("two"), 0U);
}

TEST(sim_group, a_crash_ends_memberships_until_the_program_has_joined_again) {
  neighbourhood n(group);
  n.w.at(5ms, [&] { n.two.crash(); });
  n.w.at(100ms, [&] { n.two.restart(); });
  n.one.spawn([] { return say(group, 200); });
  n.run();
  EXPECT_EQ(n.count("three"), 200U);
  EXPECT_LT(n.count("two"), 150U);
  EXPECT_GT(n.count("two"), 50U);
}

TEST(sim_group, everybody_is_a_member_of_the_group_of_all) {
  neighbourhood n(everybody);
  n.one.spawn([] { return say(address::v4({224, 0, 0, 1}), 2); });
  n.run();
  EXPECT_EQ(n.count("two"), 2U);
}

// What a client of many servers does: asks all, and takes the first who answers.
TEST(sim_group, who_is_there_is_found_by_a_broadcast_under_faults) {
  sim::check({.seeds = 300}, [](sim::world& w) {
    w.faults(sim::swarm());
    w.usual_link({.delay = {100us, 20ms}});
    for (const char* name : {"one", "two", "three"})
      w.host(name).spawn([]() -> task<result<void>> {
        auto opened = co_await udp::bind("0.0.0.0:5353");
        if (!opened) co_return {};
        for (;;) {
          const auto got = co_await opened->receive_batch();
          if (!got) co_return {};
          for (const udp::datagram& d : *got) opened->queue_reply(d, as_bytes("here"));
          if (!co_await opened->flush()) co_return {};
        }
      });
    w.host("client").spawn([&w]() -> task<result<void>> {
      auto s = co_await ok(udp::bind("0.0.0.0:0", {.broadcast = true}));
      std::size_t answers = 0;
      for (int tries = 0; tries != 5; ++tries) {
        static_cast<void>(co_await s.send_to({everybody, port}, "who is there?"));
        for (;;) {
          const auto got = co_await within(1s, s.receive());
          if (!got) break;
          w.always(got->text() == "here", "nothing but answers");
          w.always(got->from().port() == port && !got->from().addr().is_multicast(), "from a server");
          ++answers;
        }
      }
      w.sometimes(answers == 15, "all hear all");
      w.sometimes(answers > 15, "some come twice");
      w.sometimes(answers < 15, "some are lost");
      co_return {};
    });
    w.run_for(1h);
  });
}

}  // namespace
}  // namespace soquete::test
