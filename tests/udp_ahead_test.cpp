// UDP, received one by one where many come: the driver takes several ahead. Nobody is to notice but by the
// clock.  docs/driver.md, clause 21
#include "on_each_driver.hpp"
#include "udp_pair.hpp"

#include <soquete/handover.hpp>
#include <string>
#include <vector>

namespace soquete::test {
namespace {

class udp_ahead : public on_each_driver {};
ON_EVERY_DRIVER(udp_ahead);

constexpr udp::bind_options roomy{.receive_buffer = 4'000'000};

// Each is another one, of another size; the first is empty.
std::string numbered(std::size_t i) {
  return i == 0 ? std::string() : std::to_string(i) + std::string(i * 13 % 1400, 'x');
}

task<result<void>> send_numbered(udp::socket& from, std::size_t first, std::size_t last) {
  for (std::size_t i = first; i != last; ++i) co_await ok(from.send(numbered(i)));
  co_return {};
}

task<result<void>> expect_numbered(udp::socket& at, const endpoint& from, std::size_t first,
                                   std::size_t last) {
  for (std::size_t i = first; i != last; ++i) {
    const udp::received got = co_await ok(at.receive());
    EXPECT_EQ(got.text(), numbered(i));
    EXPECT_EQ(got.from(), from);
    EXPECT_FALSE(got.truncated());
  }
  co_return {};
}

TEST_P(udp_ahead, they_come_in_order_by_few_calls) {
  play([this]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair("127.0.0.1:0", roomy));
    const endpoint client = co_await ok(both.client.local());
    constexpr std::size_t count = 100;
    co_await ok(send_numbered(both.client, 0, count));
    const std::uint64_t before = counts().kernel_calls;
    co_await ok(expect_numbered(both.server, client, 0, count));
#if defined(__linux__)
    EXPECT_LE(counts().kernel_calls - before, count / 8);
#else
    static_cast<void>(before);
#endif
    EXPECT_EQ(counts().leases, 0U);
    co_await ok(expect_silence(both.server));
    co_return {};
  });
}

TEST_P(udp_ahead, one_at_a_time_costs_no_look_for_more) {
  play([this]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair());
    const endpoint client = co_await ok(both.client.local());
    for (std::size_t i = 0; i != 50; ++i) {
      co_await ok(send_numbered(both.client, i, i + 1));
      co_await ok(expect_numbered(both.server, client, i, i + 1));
    }
    EXPECT_EQ(counts().leases, 0U);
    co_return {};
  });
}

// They share room, and each keeps it.
TEST_P(udp_ahead, each_stays_whole_as_long_as_it_is_kept) {
  play([this]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair("127.0.0.1:0", roomy));
    constexpr std::size_t count = 300;
    std::vector<udp::received> kept;
    for (std::size_t i = 0; i != count; i += 50) {
      co_await ok(send_numbered(both.client, i, i + 50));
      while (kept.size() != i + 50) kept.push_back(co_await ok(both.server.receive()));
      // Every third goes, from the middle of its room.
      for (std::size_t place = i; place < i + 50; place += 3) kept[place] = {};
    }
    for (std::size_t i = 0; i != count; ++i)
      if (i % 50 % 3 != 0) EXPECT_EQ(kept[i].text(), numbered(i));
    EXPECT_GT(counts().leases, 0U);
    kept.clear();
    EXPECT_EQ(counts().leases, 0U);
    co_return {};
  });
}

TEST_P(udp_ahead, a_batch_begins_with_them) {
  play([]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair("127.0.0.1:0", roomy));
    const endpoint client = co_await ok(both.client.local());
    co_await ok(send_numbered(both.client, 0, 20));
    co_await ok(expect_numbered(both.server, client, 0, 7));
    std::size_t next = 7;
    while (next != 20)
      for (const udp::datagram& d : co_await ok(both.server.receive_batch())) {
        EXPECT_EQ(as_text(d.payload), numbered(next++));
        EXPECT_EQ(d.from(), client);
      }
    co_return {};
  });
}

TEST_P(udp_ahead, what_travels_beside_each_comes_with_it) {
  play([]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair("127.0.0.1:0", roomy));
    co_await ok(both.server.options().set_tell_hops(true));
    for (unsigned i = 0; i != 40; ++i)
      co_await ok(both.client.send(as_bytes(numbered(i)), {.hops = static_cast<int>(i) + 1}));
    for (unsigned i = 0; i != 40; ++i) {
      const udp::received got = co_await ok(both.server.receive());
      EXPECT_EQ(got.text(), numbered(i));
      EXPECT_EQ(got.about().hops(), i + 1);
    }
    co_return {};
  });
}

TEST_P(udp_ahead, into_memory_of_ones_own_they_come_as_far_as_they_fit) {
  play([]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair("127.0.0.1:0", roomy));
    co_await ok(send_numbered(both.client, 0, 40));
    std::array<std::byte, 100> room;
    for (std::size_t i = 0; i != 40; ++i) {
      const udp::arrival got = co_await ok(both.server.receive(room));
      const std::string whole = numbered(i);
      EXPECT_EQ(got.length, whole.size());
      EXPECT_EQ(as_text(bytes(room).first(got.size)), whole.substr(0, room.size()));
      EXPECT_EQ(got.truncated(), whole.size() > room.size());
    }
    co_return {};
  });
}

TEST_P(udp_ahead, they_go_along_when_the_socket_is_released) {
  play([]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair("127.0.0.1:0", roomy));
    const endpoint client = co_await ok(both.client.local());
    co_await ok(send_numbered(both.client, 0, 40));
    co_await ok(expect_numbered(both.server, client, 0, 5));
    auto again = co_await ok(udp::socket::adopt(both.server.release()));
    co_await ok(send_numbered(both.client, 40, 45));
    co_await ok(expect_numbered(again, client, 5, 20));
    auto once_more = co_await ok(udp::socket::adopt(again.release()));
    co_await ok(expect_numbered(once_more, client, 20, 45));
    co_await ok(expect_silence(once_more));
    co_return {};
  });
}

TEST_P(udp_ahead, they_go_along_to_another_process) {
  play([]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair("127.0.0.1:0", roomy));
    const endpoint client = co_await ok(both.client.local());
    co_await ok(send_numbered(both.client, 0, 40));
    co_await ok(expect_numbered(both.server, client, 0, 5));
    auto line = co_await ok(local::seqpacket_pair());
    co_await ok(give(line.first, both.server.release()));
    auto again = co_await ok(udp::socket::adopt(co_await ok(take(line.second))));
    co_await ok(expect_numbered(again, client, 5, 40));
    co_return {};
  });
}

// What the kernel has received as one run comes apart.
TEST_P(udp_ahead, the_rest_of_a_run_goes_along_too) {
  play([]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair("127.0.0.1:0", roomy));
    co_await ok(both.client.send("on"));
    EXPECT_EQ((co_await ok(receive_soon(both.server))).size(), 1U);  // From now on it takes runs.
    std::vector<std::string> sent;
    for (char c = 'a'; c != 'p'; ++c) sent.emplace_back(900, c);
    for (const std::string& one : sent) both.client.queue(nullptr, as_bytes(one));
    co_await ok(both.client.flush());
    EXPECT_EQ((co_await ok(both.server.receive())).text(), sent[0]);
    auto again = co_await ok(udp::socket::adopt(both.server.release()));
    for (std::size_t i = 1; i != sent.size(); ++i) {
      const udp::received got = co_await ok(again.receive());
      EXPECT_EQ(got.text(), sent[i]);
      EXPECT_EQ(got.from(), co_await ok(both.client.local()));
    }
    co_return {};
  });
}

TEST_P(udp_ahead, what_nobody_has_written_is_refused_once) {
  play([]() -> task<result<void>> {
    for (const std::string_view made_up : {"x", "\n", "127.0.0.1:1\n", "127.0.0.1:1 5\nfour", "nowhere 1\nx",
                                           "127.0.0.1:1 -1\nx", "127.0.0.1:1 99999999999999999999\nx"}) {
      udp_pair both = co_await ok(open_udp_pair());
      co_await ok(both.client.send("real"));
      owned_descriptor given = both.server.release();
      given.set_unread({as_bytes(made_up).begin(), as_bytes(made_up).end()});
      auto again = co_await ok(udp::socket::adopt(std::move(given)));
      EXPECT_TRUE(fails_with(co_await again.receive(), std::errc::protocol_error)) << made_up;
      EXPECT_EQ((co_await ok(again.receive())).text(), "real");
    }
    co_return {};
  });
}

TEST_P(udp_ahead, they_end_with_the_socket) {
  play([this]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair("127.0.0.1:0", roomy));
    const endpoint client = co_await ok(both.client.local());
    co_await ok(send_numbered(both.client, 0, 40));
    co_await ok(expect_numbered(both.server, client, 0, 4));
    const udp::received last = co_await ok(both.server.receive());
    both.server.close();
    EXPECT_EQ(last.text(), numbered(4));
    EXPECT_EQ(counts().leases, 1U);
    co_return {};
  });
}

// Before or after them, for who came first cannot be told.
TEST_P(udp_ahead, a_refusal_is_told_beside_them) {
  play([]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair("127.0.0.1:0", roomy));
    const endpoint server = co_await ok(both.server.local());
    const endpoint client = co_await ok(both.client.local());
    for (std::size_t i = 0; i != 10; ++i) co_await ok(both.server.send_to(client, numbered(i)));
    co_await ok(expect_numbered(both.client, server, 0, 4));
    both.server.close();
    co_await ok(both.client.send("is anybody there?"));
    std::size_t next = 4;
    bool was_refused = false;
    while (next != 10 || !was_refused) {
      const auto got = co_await both.client.receive();
      if (got)
        EXPECT_EQ(got->text(), numbered(next++));
      else
        EXPECT_TRUE(fails_with(got, std::errc::connection_refused) && !std::exchange(was_refused, true));
    }
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
