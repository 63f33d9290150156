// UDP: datagrams from one socket to another.  faults.md, group C; udp(7).
#include "on_each_driver.hpp"
#include "udp_pair.hpp"

#include <soquete/deadline.hpp>
#include <soquete/scope.hpp>
#include <soquete/udp.hpp>
#include <string>
#include <vector>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class udp_socket : public on_each_driver {};
ON_EVERY_DRIVER(udp_socket);

TEST_P(udp_socket, a_datagram_arrives_whole_and_tells_its_sender) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(open_udp_pair());
    co_await ok(both.client.send("hello"));
    udp::received got = co_await ok(both.server.receive());
    EXPECT_EQ(got.text(), "hello");
    EXPECT_EQ(got.from(), co_await ok(both.client.local()));
    EXPECT_FALSE(got.truncated());
    co_await ok(both.server.send_to(got.from(), "and back"));
    got = co_await ok(both.client.receive());
    EXPECT_EQ(got.text(), "and back");
    EXPECT_EQ(got.from(), both.client.peer());
    co_return {};
  });
}

TEST_P(udp_socket, a_receive_that_waits_gets_what_comes_later) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(open_udp_pair());
    std::string got;
    auto receive = [&]() -> task<result<void>> {
      got = (co_await ok(both.server.receive())).text();
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(receive());
      co_await ok(sleep(5ms));
      co_await ok(both.client.send("late"));
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_EQ(got, "late");
    co_return {};
  });
}

// C5
TEST_P(udp_socket, an_empty_datagram_is_a_datagram_and_no_end) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(open_udp_pair());
    co_await ok(both.client.send(""));
    co_await ok(both.client.send("more"));
    udp::received got = co_await ok(both.server.receive());
    EXPECT_EQ(got.text(), "");
    EXPECT_EQ(got.from(), co_await ok(both.client.local()));
    EXPECT_EQ((co_await ok(both.server.receive())).text(), "more");
    co_return {};
  });
}

// C4
TEST_P(udp_socket, what_does_not_fit_is_told_with_its_true_length) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(open_udp_pair());
    co_await ok(both.client.send("0123456789"));
    co_await ok(both.client.send("next"));
    std::array<std::byte, 4> small;
    const udp::arrival cut = co_await ok(both.server.receive(small));
    EXPECT_TRUE(cut.truncated());
    EXPECT_EQ(cut.size, 4U);
    EXPECT_EQ(cut.length, 10U);
    EXPECT_EQ(as_text(small), "0123");
    const udp::arrival whole = co_await ok(both.server.receive(small));
    EXPECT_FALSE(whole.truncated());
    EXPECT_EQ(as_text(small), "next");
    co_return {};
  });
}

TEST_P(udp_socket, the_largest_datagram_passes_and_one_byte_more_does_not) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(open_udp_pair());
    const std::string largest(udp::socket::payload_max, 'x');
    co_await ok(both.client.send(largest));
    EXPECT_EQ((co_await ok(both.server.receive())).text(), largest);
    // C6
    const auto refused = co_await both.client.send(largest + "x");
    EXPECT_TRUE(fails_with(refused, std::errc::message_size));
    co_return {};
  });
}

TEST_P(udp_socket, a_batch_brings_what_is_there_in_order) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(open_udp_pair());
    for (int i = 0; i < 20; ++i) co_await ok(both.client.send(std::to_string(i)));
    int next = 0;
    while (next < 20) {
      udp::batch got = co_await ok(both.server.receive_batch());
      for (const udp::datagram& d : got) EXPECT_EQ(as_text(d.payload), std::to_string(next++));
    }
    co_return {};
  });
}

TEST_P(udp_socket, a_queue_goes_out_together_and_comes_apart_again) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(open_udp_pair());
    co_await ok(both.server.options().set_receive_buffer(1'000'000));
    std::vector<std::string> sent;
    for (int i = 0; i < 100; ++i) sent.push_back(std::string(i % 10 == 9 ? 300 : 1200, char('a' + i % 26)));
    for (const std::string& one : sent) EXPECT_TRUE(both.client.queue(nullptr, as_bytes(one)));
    const udp::flushed done = co_await ok(both.client.flush());
    EXPECT_EQ(done.sent, 100U);
    EXPECT_EQ(done.failed, 0U);
    std::vector<std::string> got;
    while (got.size() < sent.size()) {
      udp::batch some = co_await ok(both.server.receive_batch());
      EXPECT_GE(some.size(), 1U);
      for (const udp::datagram& d : some) got.emplace_back(as_text(d.payload));
    }
    EXPECT_EQ(got, sent);
    co_return {};
  });
}

TEST_P(udp_socket, one_by_one_gets_the_same_as_a_batch) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(open_udp_pair());
    // From here on the kernel may put runs together.
    co_await ok(both.client.send("first"));
    EXPECT_EQ((co_await ok(both.server.receive_batch())).size(), 1U);
    const std::string piece(500, 'p');
    for (int i = 0; i < 10; ++i) both.client.queue(nullptr, as_bytes(piece));
    EXPECT_EQ((co_await ok(both.client.flush())).sent, 10U);
    for (int i = 0; i < 9; ++i) {
      udp::received got = co_await ok(both.server.receive());
      EXPECT_EQ(got.text(), piece);
      EXPECT_EQ(got.from(), co_await ok(both.client.local()));
    }
    std::array<std::byte, 600> memory;
    EXPECT_EQ((co_await ok(both.server.receive(memory))).size, 500U);
    co_return {};
  });
}

// C7
TEST_P(udp_socket, a_connected_socket_hears_that_nobody_is_there) {
  play([]() -> task<result<void>> {
    udp::socket client;
    {
      auto gone = co_await ok(open_udp_pair());
      client = std::move(gone.client);
    }
    co_await ok(client.send("anybody?"));
    const auto refused = co_await within(10s, client.receive());
    EXPECT_TRUE(fails_with(refused, std::errc::connection_refused));
    co_return {};
  });
}

TEST_P(udp_socket, a_receive_that_waits_is_told_of_a_refusal_and_no_send_is) {
  play([]() -> task<result<void>> {
    udp::socket client;
    {
      auto gone = co_await ok(open_udp_pair());
      client = std::move(gone.client);
    }
    result<udp::received> told;
    auto receive = [&]() -> task<result<void>> {
      told = co_await client.receive();
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(receive());
      co_await ok(yield());
      for (int i = 0; i < 3; ++i) EXPECT_TRUE(succeeds(co_await client.send("anybody?")));
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_TRUE(fails_with(told, std::errc::connection_refused));
    co_return {};
  });
}

TEST_P(udp_socket, an_unconnected_socket_does_not_hear_of_it) {
  play([]() -> task<result<void>> {
    auto door = co_await ok(udp::bind("127.0.0.1:0"));
    endpoint nobody;
    {
      auto gone = co_await ok(udp::bind("127.0.0.1:0"));
      nobody = co_await ok(gone.local());
    }
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(succeeds(co_await door.send_to(nobody, "anybody?")));
    EXPECT_TRUE(fails_with(co_await within(20ms, door.receive()), std::errc::timed_out));
    co_return {};
  });
}

// C10
TEST_P(udp_socket, a_connected_socket_receives_from_its_peer_only) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(open_udp_pair());
    auto stranger = co_await ok(udp::bind("127.0.0.1:0"));
    co_await ok(stranger.send_to(co_await ok(both.client.local()), "psst"));
    co_await ok(both.server.send_to(co_await ok(both.client.local()), "me"));
    EXPECT_EQ((co_await ok(both.client.receive())).text(), "me");
    co_return {};
  });
}

TEST_P(udp_socket, one_that_is_refused_does_not_keep_the_others) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(open_udp_pair());
    const endpoint door = co_await ok(both.server.local());
    const endpoint portless(address::loopback_v4(), 0);
    auto sender = co_await ok(udp::bind("127.0.0.1:0"));
    sender.queue(&door, as_bytes("one"));
    sender.queue(&portless, as_bytes("two"));
    sender.queue(&door, as_bytes("three"));
    const udp::flushed done = co_await ok(sender.flush());
    EXPECT_EQ(done.sent, 2U);
    EXPECT_EQ(done.failed, 1U);
    EXPECT_EQ(done.first_cause, std::errc::invalid_argument);
    EXPECT_EQ((co_await ok(both.server.receive())).text(), "one");
    EXPECT_EQ((co_await ok(both.server.receive())).text(), "three");
    co_return {};
  });
}

// C1, C2, C3. The network is a relay here that drops the second, doubles the third, and holds the fourth
// back.
TEST_P(udp_socket, what_a_network_loses_doubles_and_reorders_is_received_as_it_comes) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(open_udp_pair());
    auto road = co_await ok(open_udp_pair());
    for (const char* text : {"one", "two", "three", "four", "five"}) co_await ok(road.client.send(text));
    std::string held;
    for (int i = 1; i <= 5; ++i) {
      const udp::received got = co_await ok(road.server.receive());
      if (i == 4) held = got.text();
      if (i != 2 && i != 4) co_await ok(both.client.send(got.text()));
      if (i == 3) co_await ok(both.client.send(got.text()));
    }
    co_await ok(both.client.send(held));
    for (const char* text : {"one", "three", "three", "five", "four"})
      EXPECT_EQ((co_await ok(both.server.receive())).text(), text);
    // That one is missing only a deadline can tell.
    EXPECT_TRUE(fails_with(co_await within(1ms, both.server.receive()), std::errc::timed_out));
    co_return {};
  });
}

// C13
TEST_P(udp_socket, an_answer_leaves_from_the_address_asked) {
  play([]() -> task<result<void>> {
    for (const std::string_view on : {":0", "0.0.0.0:0"}) {
      auto server = co_await ok(udp::bind(on));
      const std::uint16_t port = (co_await ok(server.local())).port();
      auto client = co_await ok(udp::connect(endpoint(address::v4({127, 0, 0, 77}), port)));
      co_await ok(client.send("which?"));
      udp::batch got = co_await ok(server.receive_batch());
      EXPECT_EQ(got.front().to().unmapped(), address::v4({127, 0, 0, 77}));
      for (const udp::datagram& d : got) EXPECT_TRUE(server.queue_reply(d, d.payload));
      EXPECT_EQ((co_await ok(server.flush())).sent, 1U);
      // The client is connected: it would not see an answer from 127.0.0.1.
      EXPECT_EQ((co_await ok(client.receive())).text(), "which?");
    }
    co_return {};
  });
}

TEST_P(udp_socket, a_socket_of_both_families_serves_both) {
  play([]() -> task<result<void>> {
    auto server = co_await ok(udp::bind(":0"));
    const std::uint16_t port = (co_await ok(server.local())).port();
    for (const address& at : {address::loopback_v4(), address::loopback_v6()}) {
      auto client = co_await ok(udp::connect(endpoint(at, port)));
      co_await ok(client.send("hello"));
      udp::received got = co_await ok(server.receive());
      co_await ok(server.send_to(got.from(), got.payload()));
      EXPECT_EQ((co_await ok(client.receive())).text(), "hello");
    }
    co_return {};
  });
}

TEST_P(udp_socket, a_cancelled_receive_loses_nothing) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(open_udp_pair());
    EXPECT_TRUE(fails_with(co_await within(1ms, both.server.receive()), std::errc::timed_out));
    co_await ok(both.client.send("kept"));
    EXPECT_EQ((co_await ok(both.server.receive())).text(), "kept");
    co_return {};
  });
}

TEST_P(udp_socket, a_released_socket_goes_on_elsewhere) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(open_udp_pair());
    co_await ok(both.client.send("one"));
    co_await ok(both.client.send("two"));
    EXPECT_EQ((co_await ok(both.server.receive())).text(), "one");
    auto again = co_await ok(udp::socket::adopt(both.server.release()));
    EXPECT_FALSE(both.server.is_open());
    EXPECT_EQ((co_await ok(again.receive())).text(), "two");
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
