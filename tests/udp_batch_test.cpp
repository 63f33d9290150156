// Many datagrams at a time: batches, runs that the kernel cuts and joins, queues.  faults.md, group C;
// recvmmsg(2), sendmmsg(2), UDP_SEGMENT, UDP_GRO
#include "network.hpp"
#include "on_each_driver.hpp"
#include "udp_pair.hpp"

#include <cerrno>
#include <soquete/deadline.hpp>
#include <soquete/scope.hpp>
#include <string>
#include <vector>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class udp_batch : public on_each_driver {
 protected:
  driver& net() { return here().net(); }
};
ON_EVERY_DRIVER(udp_batch);
class udp_batch_network : public with_driver {};
ON_EACH_DRIVER(udp_batch_network);

using texts = std::vector<std::string>;

// `count` different ones of that size.
texts of_size(std::size_t count, std::size_t size) {
  texts all;
  for (std::size_t i = 0; i < count; ++i) {
    std::string one = std::to_string(i) + '.';
    one.resize(size, static_cast<char>('a' + i % 26));
    all.push_back(one);
  }
  return all;
}

void queue_all(udp::socket& s, const endpoint* to, const texts& all) {
  for (const std::string& one : all) EXPECT_TRUE(s.queue(to, as_bytes(one)));
}

void queue_all(udp::socket&, const endpoint*, texts&&) = delete;  // The queue points to them.

task<result<texts>> receive_all(udp::socket& from, std::size_t count) {
  texts got;
  while (got.size() < count) {
    const udp::batch some = co_await ok(receive_soon(from));
    EXPECT_FALSE(some.empty());
    for (const udp::datagram& d : some) {
      EXPECT_FALSE(d.truncated);
      got.emplace_back(as_text(d.payload));
    }
  }
  co_return got;
}

// Everything that is sent by one flush arrives in order, each by itself.
task<result<void>> expect_whole(udp_pair& both, const texts& sent) {
  queue_all(both.client, nullptr, sent);
  const udp::flushed done = co_await ok(both.client.flush());
  EXPECT_EQ(done.sent, sent.size());
  EXPECT_EQ(done.failed, 0U);
  EXPECT_EQ(both.client.queued(), 0U);
  EXPECT_EQ(co_await ok(receive_all(both.server, sent.size())), sent);
  co_return {};
}

// Runs are cut and joined: the kernel gives them to a receive as one message.
task<result<void>> expect_joined(udp::socket& from, const endpoint* to, udp::socket& at) {
  co_await ok(from.send_to(co_await ok(at.local()), "on"));
  EXPECT_EQ((co_await ok(receive_soon(at))).size(), 1U);
  const texts sent = of_size(60, 900);
  queue_all(from, to, sent);
  EXPECT_EQ((co_await ok(from.flush())).sent, sent.size());
  const udp::batch got = co_await ok(receive_soon(at));
  EXPECT_EQ(got.front().message().segment, 900U);
  EXPECT_EQ(got.size(), sent.size());
  co_return {};
}

constexpr udp::bind_options roomy{.receive_buffer = 4'000'000};

TEST_P(udp_batch, many_are_received_by_one_call) {
  play([this]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair());
    for (int i = 0; i < 32; ++i) co_await ok(both.client.send("x"));
    const auto before = net().counts().kernel_calls;
    const udp::batch got = co_await ok(both.server.receive_batch());
    EXPECT_EQ(got.size(), 32U);
    EXPECT_LE(net().counts().kernel_calls - before, 4U);
    co_return {};
  });
}

TEST_P(udp_batch, a_queue_of_hundreds_is_sent_by_few_calls) {
  play([this]() -> task<result<void>> {
    for (const bool connected : {true, false}) {
      udp_pair both = co_await ok(open_udp_pair("127.0.0.1:0", roomy));
      auto free = co_await ok(udp::bind("127.0.0.1:0"));
      udp::socket& sender = connected ? both.client : free;
      const endpoint door = co_await ok(both.server.local());
      const texts sent = of_size(400, 1200);
      queue_all(sender, connected ? nullptr : &door, sent);
      const auto before = net().counts().kernel_calls;
      EXPECT_EQ((co_await ok(sender.flush())).sent, sent.size());
      EXPECT_LE(net().counts().kernel_calls - before, 3U) << "starts and turns";
      co_await ok(both.client.disconnect());
      if (!connected) EXPECT_EQ(co_await ok(receive_all(both.server, sent.size())), sent);
    }
    co_return {};
  });
}

TEST_P(udp_batch, runs_of_all_shapes_come_apart_as_they_were) {
  play([]() -> task<result<void>> {
    for (const char* on : {"127.0.0.1:0", "[::1]:0"}) {
      udp_pair both = co_await ok(open_udp_pair(on, roomy));
      texts uneven;
      for (std::size_t i = 0; i < 90; ++i)
        uneven.push_back(std::string(1 + (i * 37) % 200, char('a' + i % 26)));
      texts with_empty = of_size(5, 100);
      with_empty.insert(with_empty.begin() + 2, std::string());
      texts last_shorter = of_size(20, 1000);
      last_shorter.push_back("short");
      texts then_longer = of_size(3, 10);
      then_longer.push_back(std::string(11, 'l'));
      const texts shapes[] = {
          uneven,          with_empty,      last_shorter,      then_longer,         of_size(64, 50),
          of_size(65, 50), of_size(200, 7), of_size(60, 1472), of_size(20, 20'000), of_size(4, 65'000),
          {std::string()}, texts(40)};
      for (const texts& sent : shapes) co_await ok(expect_whole(both, sent));
    }
    co_return {};
  });
}

TEST_P(udp_batch, peers_in_turns_get_what_is_theirs) {
  play([]() -> task<result<void>> {
    auto sender = co_await ok(udp::bind("127.0.0.1:0"));
    std::vector<udp::socket> peers;
    std::vector<endpoint> doors;
    for (int i = 0; i < 3; ++i) {
      peers.push_back(co_await ok(udp::bind("127.0.0.1:0", {.receive_buffer = 1'000'000})));
      doors.push_back(co_await ok(peers.back().local()));
    }
    const texts sent = of_size(150, 300);
    std::vector<texts> wanted(3);
    for (std::size_t i = 0; i < sent.size(); ++i) {
      const std::size_t whom = i < 60 ? i % 3 : (i / 30) % 3;  // First one by one, then in runs.
      sender.queue(&doors[whom], as_bytes(sent[i]));
      wanted[whom].push_back(sent[i]);
    }
    EXPECT_EQ((co_await ok(sender.flush())).sent, sent.size());
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_EQ(co_await ok(receive_all(peers[i], wanted[i].size())), wanted[i]);
    co_return {};
  });
}

TEST_P(udp_batch, what_differs_in_one_run_is_not_sent_alike) {
  play([]() -> task<result<void>> {
    auto server = co_await ok(udp::bind("127.0.0.1:0"));
    co_await ok(server.options().set_tell_traffic_class(true));
    const endpoint door = co_await ok(server.local());
    auto client = co_await ok(udp::bind("127.0.0.1:0"));
    for (int mark = 0; mark < 12; ++mark) client.queue(&door, as_bytes("same"), {.traffic_class = mark / 4});
    EXPECT_EQ((co_await ok(client.flush())).sent, 12U);
    for (int mark = 0; mark < 12; ++mark)
      EXPECT_EQ((co_await ok(server.receive())).about().ecn(), static_cast<ecn>(mark / 4));
    co_return {};
  });
}

// C12
TEST_P(udp_batch, one_that_is_refused_keeps_neither_the_others_nor_the_runs) {
  NEEDS_THE_KERNEL("runs of datagrams come one by one");
  play([]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair("127.0.0.1:0", roomy));
    const endpoint door = co_await ok(both.server.local());
    const endpoint portless(address::loopback_v4(), 0), nowhere;
    auto sender = co_await ok(udp::bind("127.0.0.1:0"));
    const texts sent = of_size(100, 500);
    const std::string too_long(70'000, 'l');
    for (int round = 0; round < 2; ++round) {
      for (std::size_t i = 0; i < sent.size(); ++i) {
        sender.queue(&door, as_bytes(sent[i]));
        if (i == 20 || i == 21) sender.queue(&portless, as_bytes(sent[i]));
        if (i == 40) sender.queue(&nowhere, as_bytes(sent[i]));
        if (i == 60) sender.queue(&door, as_bytes(too_long));
      }
      const udp::flushed done = co_await ok(sender.flush());
      EXPECT_EQ(done.sent, sent.size());
      EXPECT_EQ(done.failed, 4U);
      EXPECT_EQ(done.first_cause, std::errc::invalid_argument);
      EXPECT_EQ(co_await ok(receive_all(both.server, sent.size())), sent);
    }
    // Runs are still cut: fewer messages are received than were sent.
    co_await ok(expect_joined(sender, &door, both.server));
    co_return {};
  });
}

TEST_P(udp_batch, a_refusal_of_an_earlier_one_is_told_once_and_does_not_end_the_runs) {
  NEEDS_THE_KERNEL("runs of datagrams come one by one");
  play([]() -> task<result<void>> {
    auto lone = co_await ok(open_deserted());
    co_await ok(lone.send("anybody?"));
    const texts sent = of_size(40, 100);
    queue_all(lone, nullptr, sent);
    const udp::flushed done = co_await ok(lone.flush());
    EXPECT_EQ(done.failed, 1U);
    EXPECT_EQ(done.sent, sent.size() - 1);
    EXPECT_EQ(done.first_cause, std::errc::connection_refused);
    EXPECT_TRUE(fails_with(co_await lone.receive(), std::errc::connection_refused)) << "of those just sent";
    co_await ok(expect_silence(lone));
    udp_pair both = co_await ok(open_udp_pair("127.0.0.1:0", roomy));
    co_await ok(lone.connect(co_await ok(both.server.local())));
    co_await ok(expect_joined(lone, nullptr, both.server));
    co_return {};
  });
}

TEST_P(udp_batch, of_many_that_nobody_wants_every_refusal_that_comes_is_told) {
  play([]() -> task<result<void>> {
    auto lone = co_await ok(open_deserted());
    texts uneven;
    for (std::size_t i = 0; i < 10; ++i) uneven.push_back(std::string(i * i + 1, 'u'));
    queue_all(lone, nullptr, uneven);
    const udp::flushed done = co_await ok(lone.flush());
    // One goes out, the next is told of it: on this host the refusal comes at once.
    EXPECT_EQ(done.sent, 5U);
    EXPECT_EQ(done.failed, 5U);
    EXPECT_EQ(done.first_cause, std::errc::connection_refused);
    co_await ok(expect_silence(lone));
    co_return {};
  });
}

TEST_P(udp_batch, a_run_is_read_one_by_one_and_the_rest_as_a_batch) {
  play([]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair("127.0.0.1:0", roomy));
    co_await ok(both.client.send("on"));
    EXPECT_EQ((co_await ok(receive_soon(both.server))).size(), 1U);
    const texts sent = of_size(10, 300);
    queue_all(both.client, nullptr, sent);
    co_await ok(both.client.flush());
    EXPECT_EQ((co_await ok(both.server.receive())).text(), sent[0]);
    std::array<std::byte, 100> small;
    const udp::arrival cut = co_await ok(both.server.receive(small));
    EXPECT_EQ(as_text(small), sent[1].substr(0, 100));
    EXPECT_EQ(cut.length, 300U);
    // Ended before it begins, it takes nothing away.
    EXPECT_TRUE(fails_with(co_await within(-1s, receive_soon(both.server)), std::errc::timed_out));
    EXPECT_EQ(co_await ok(receive_all(both.server, 8)), texts(sent.begin() + 2, sent.end()));
    co_return {};
  });
}

TEST_P(udp_batch, a_batch_stays_as_it_is_while_others_come) {
  play([]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair());
    std::vector<udp::batch> held;
    for (int i = 0; i < 20; ++i) {
      co_await ok(both.client.send("number " + std::to_string(i)));
      held.push_back(co_await ok(receive_soon(both.server)));
    }
    for (std::size_t i = 0; i < held.size(); ++i) {
      EXPECT_EQ(as_text(held[i].front().payload), "number " + std::to_string(i));
      EXPECT_EQ(held[i].front().from(), co_await ok(both.client.local()));
    }
    co_return {};
  });
}

// A program that keeps a datagram of each of many peers.
TEST_P(udp_batch, with_all_batches_held_datagrams_come_one_by_one_and_none_is_lost) {
  play([this]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair());
    constexpr std::size_t of_many = 64, more = 40;
    std::vector<udp::batch> held;
    const std::string largest(udp::socket::payload_max, 'x');
    for (std::size_t i = 0; i < of_many; ++i) {
      co_await ok(both.client.send(std::to_string(i)));
      held.push_back(co_await ok(receive_soon(both.server)));
    }
    for (std::size_t i = of_many; i < of_many + more; ++i) co_await ok(both.client.send(std::to_string(i)));
    co_await ok(both.client.send(largest));
    while (held.size() < of_many + more) {
      held.push_back(co_await ok(receive_soon(both.server)));
      EXPECT_EQ(held.back().size(), 1U);
    }
    EXPECT_EQ(as_text((co_await ok(receive_soon(both.server))).front().payload), largest);
    for (std::size_t i = 0; i < held.size(); ++i)
      EXPECT_EQ(as_text(held[i].front().payload), std::to_string(i));
    EXPECT_EQ(net().counts().leases, of_many + more);
    held.front() = {};
    for (const char* text : {"a", "b"}) co_await ok(both.client.send(text));
    EXPECT_EQ((co_await ok(receive_soon(both.server))).size(), 2U);
    held.clear();
    // What is idle goes back to the system, but for two.
    EXPECT_LE(net().counts().buffer_bytes, std::size_t{64} * 16 * 1024 + 3 * 3 * 1024 * 1024);
    co_return {};
  });
}

TEST_P(udp_batch, a_queue_has_a_bound) {
  play([]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair());
    for (std::size_t i = 0; i < udp::socket::queue_max; ++i)
      EXPECT_TRUE(both.client.queue(nullptr, as_bytes("q")));
    EXPECT_FALSE(both.client.queue(nullptr, as_bytes("q")));
    EXPECT_EQ(both.client.queued(), udp::socket::queue_max);
    EXPECT_EQ((co_await ok(both.client.flush())).sent, udp::socket::queue_max);
    EXPECT_TRUE(both.client.queue(nullptr, as_bytes("q")));
    both.client.close();
    EXPECT_EQ((co_await ok(both.server.receive())).text(), "q");
    co_return {};
  });
}

// Towards the far network, which nobody has introduced yet: a few datagrams fill the sender's buffer.
struct dam {
  far_network beyond;
  udp::socket sender;
  udp::socket receiver;
};

task<result<void>> build(dam& d) {
  d.beyond.enter();
  auto receiver = co_await udp::bind("0.0.0.0:0", roomy);
  d.beyond.leave();
  d.receiver = co_await ok(std::move(receiver));
  const endpoint door(far_network::far, (co_await ok(d.receiver.local())).port());
  d.sender = co_await ok(udp::connect(door, {.send_buffer = 5'000}));
  co_return {};
}

// No two neighbours of one size, so that each goes by itself.
texts uneven(std::size_t count) {
  texts all = of_size(count, 500);
  for (std::size_t i = 0; i < count; ++i) all[i].resize(500 + 20 * (i % 20), 'u');
  return all;
}

TEST_P(udp_batch_network, a_flush_waits_for_room_and_sends_each_once) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    dam d;
    co_await ok(build(d));
    const texts sent = uneven(100), later = uneven(40);
    queue_all(d.sender, nullptr, sent);
    bool is_over = false;
    auto flush = [&]() -> task<result<void>> {
      const udp::flushed done = co_await ok(d.sender.flush());
      is_over = true;
      EXPECT_EQ(done.sent, sent.size());
      EXPECT_EQ(done.failed, 0U);
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(flush());
      co_await ok(sleep(20ms));
      EXPECT_FALSE(is_over) << "there was room for all";
      // What is noted meanwhile is for the next one, and disturbs nothing.
      queue_all(d.sender, nullptr, later);
      d.beyond.introduce();
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_EQ(d.sender.queued(), later.size());
    EXPECT_EQ(co_await ok(receive_all(d.receiver, sent.size())), sent);
    EXPECT_EQ((co_await ok(d.sender.flush())).sent, later.size());
    EXPECT_EQ(co_await ok(receive_all(d.receiver, later.size())), later);
    co_return co_await expect_silence(d.receiver);
  });
}

TEST_P(udp_batch_network, a_flush_that_is_ended_has_sent_the_first_ones_and_forgets_the_others) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    dam d;
    co_await ok(build(d));
    const texts sent = uneven(100), later = uneven(5);
    queue_all(d.sender, nullptr, sent);
    EXPECT_TRUE(fails_with(co_await within(10ms, d.sender.flush()), std::errc::timed_out));
    EXPECT_EQ(d.sender.queued(), 0U);
    // The buffer is full: a single one waits as well.
    EXPECT_TRUE(fails_with(co_await within(10ms, d.sender.send("lost")), std::errc::timed_out));
    d.beyond.introduce();
    queue_all(d.sender, nullptr, later);
    EXPECT_EQ((co_await ok(d.sender.flush())).sent, later.size());
    texts got;
    while (got.size() < later.size() || !std::equal(later.begin(), later.end(), got.end() - 5))
      for (std::string& one : co_await ok(receive_all(d.receiver, 1))) got.push_back(std::move(one));
    got.resize(got.size() - later.size());
    EXPECT_FALSE(got.empty());
    EXPECT_LT(got.size(), sent.size());
    EXPECT_TRUE(std::equal(got.begin(), got.end(), sent.begin())) << "the first ones, each once";
    co_return co_await expect_silence(d.receiver);
  });
}

// Goal: runs do not fail where the route takes no packet of that size, and are cut again where it does.
// Method: to one of two addresses of this host the route is narrow.
TEST_P(udp_batch_network, a_narrow_route_gets_its_datagrams_whole_and_a_wide_one_its_runs) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    ip("route add local 198.51.100.7/32 dev lo mtu 1280");
    auto server = co_await ok(udp::bind("0.0.0.0:0", roomy));
    const std::uint16_t port = (co_await ok(server.local())).port();
    const endpoint narrow(address::v4({198, 51, 100, 7}), port), wide(address::loopback_v4(), port);
    for (const bool connected : {false, true}) {
      auto client = co_await ok(udp::bind("0.0.0.0:0"));
      if (connected) co_await ok(client.connect(narrow));
      const endpoint* const to = connected ? nullptr : &narrow;
      const texts sent = of_size(100, 1400);
      for (int round = 0; round < 2; ++round) {
        queue_all(client, to, sent);
        const udp::flushed done = co_await ok(client.flush());
        EXPECT_EQ(done.sent, sent.size());
        EXPECT_EQ(done.failed, 0U) << done.first_cause.message();
        EXPECT_EQ(co_await ok(receive_all(server, sent.size())), sent);
      }
      // What fits is cut all the same, and in time the wide route is tried again.
      co_await ok(expect_joined(client, to, server));
      const texts small = of_size(100, 1000);
      for (int i = 0; i < 11; ++i) {
        queue_all(client, to, small);
        EXPECT_EQ((co_await ok(client.flush())).sent, 100U);
        co_await ok(receive_all(server, 100));
      }
      queue_all(client, &wide, sent);
      EXPECT_EQ((co_await ok(client.flush())).sent, sent.size());
      udp::batch got = co_await ok(receive_soon(server));
      EXPECT_EQ(got.front().message().segment, 1400U);
      for (std::size_t left = sent.size() - got.size(); left != 0; left -= got.size())
        got = co_await ok(receive_soon(server));
    }
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
