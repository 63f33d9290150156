// How TCP connections end: in order, half, by reset.  simulation.md, section 4.9; RFC 9293, section 3.6.
#include "child.hpp"
#include "on_each_driver.hpp"
#include "raw_socket.hpp"
#include "tcp_pair.hpp"

#include <sys/socket.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <soquete/scope.hpp>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class tcp_end : public on_each_driver {};
ON_EVERY_DRIVER(tcp_end);
// Its test makes the loop in a child.
class tcp_end_mistaken : public with_driver {};
ON_EACH_DRIVER(tcp_end_mistaken);

// A stream accepted from a peer that is not ours.
struct odd_pair {
  odd_pair(raw_socket p, tcp::stream o) noexcept : peer(std::move(p)), ours(std::move(o)) {}
  raw_socket peer;
  tcp::stream ours;
};
task<result<odd_pair>> accept_odd_peer() {
  auto l = co_await ok(tcp::listen("127.0.0.1:0"));
  const endpoint door = co_await ok(door_of(l));
  raw_socket peer = raw_socket::connected(door.port());
  tcp::stream ours = co_await ok(l.accept());
  co_return odd_pair(std::move(peer), std::move(ours));
}

// Waits until the kernel knows that the connection is no longer established.
task<result<void>> wait_for_news(tcp::stream& s, tcp_info::state before) {
  co_return co_await wait_until([&] {
    auto now = s.info();
    return !now || now->now != before;
  });
}

TEST_P(tcp_end, the_end_of_a_peer_is_an_empty_lease_for_ever) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    co_await ok(both.client.send("last"));
    co_await ok(both.client.finish());
    lease got = co_await ok(both.server.receive());
    EXPECT_EQ(got.text(), "last");
    for (int i = 0; i != 5; ++i) {
      got = co_await ok(both.server.receive());
      EXPECT_TRUE(got.empty());
      std::byte room{};
      const std::size_t size = co_await ok(both.server.receive({&room, 1}));
      EXPECT_EQ(size, 0U);
    }
    co_return {};
  });
}

TEST_P(tcp_end, a_client_that_has_finished_still_receives) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    co_await ok(both.client.send("question"));
    co_await ok(both.client.finish());
    const std::string question = co_await ok(receive_all(both.server));
    EXPECT_EQ(question, "question");
    co_await ok(both.server.send("answer"));
    co_await ok(both.server.finish());
    const std::string answer = co_await ok(receive_all(both.client));
    EXPECT_EQ(answer, "answer");
    co_return {};
  });
}

TEST_P(tcp_end, a_server_that_has_finished_still_receives) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    co_await ok(both.server.send("welcome"));
    co_await ok(both.server.finish());
    const std::string welcome = co_await ok(receive_all(both.client));
    EXPECT_EQ(welcome, "welcome");
    co_await ok(both.client.send("thanks"));
    co_await ok(both.client.finish());
    const std::string thanks = co_await ok(receive_all(both.server));
    EXPECT_EQ(thanks, "thanks");
    co_return {};
  });
}

TEST_P(tcp_end, both_may_finish_at_once) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    co_await ok(both.client.finish());
    co_await ok(both.server.finish());
    const std::string one = co_await ok(receive_all(both.client));
    const std::string other = co_await ok(receive_all(both.server));
    EXPECT_EQ(one + other, "");
    co_return {};
  });
}

TEST_P(tcp_end, sending_after_finishing_is_a_broken_pipe) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    co_await ok(both.client.finish());
    auto sent = co_await both.client.send("late");
    EXPECT_TRUE(fails_with(sent, std::errc::broken_pipe));
    co_return {};
  });
}

TEST_P(tcp_end, finishing_twice_is_fine) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    co_await ok(both.client.finish());
    co_await ok(both.client.finish());
    co_return {};
  });
}

TEST_P(tcp_end, finishing_a_connection_that_is_gone_is_not_connected) {
  NEEDS_THE_KERNEL("the peer is a socket of the kernel");
  play([]() -> task<result<void>> {
    auto odd = co_await ok(accept_odd_peer());
    odd.peer.reset();
    auto got = co_await odd.ours.receive();
    EXPECT_TRUE(fails_with(got, std::errc::connection_reset));
    EXPECT_TRUE(fails_with(odd.ours.finish(), std::errc::not_connected));
    co_return {};
  });
}

TEST_P(tcp_end, a_closed_peer_lets_one_send_pass_and_then_breaks_the_pipe) {
  NEEDS_THE_KERNEL("the peer is a socket of the kernel");
  play([]() -> task<result<void>> {
    auto odd = co_await ok(accept_odd_peer());
    odd.peer.close();
    co_await ok(wait_for_news(odd.ours, tcp_info::state::established));
    co_await ok(odd.ours.send("to nobody"));
    co_await ok(wait_for_news(odd.ours, tcp_info::state::close_wait));
    auto second = co_await odd.ours.send("again");
    EXPECT_TRUE(fails_with(second, std::errc::broken_pipe));
    auto after = odd.ours.options().take_pending_error();
    EXPECT_TRUE(after && !*after);
    lease got = co_await ok(odd.ours.receive());
    EXPECT_TRUE(got.empty());
    co_return {};
  });
}

TEST_P(tcp_end, a_peer_that_closes_with_bytes_unread_resets_once) {
  NEEDS_THE_KERNEL("the peer is a socket of the kernel");
  play([]() -> task<result<void>> {
    auto odd = co_await ok(accept_odd_peer());
    co_await ok(odd.ours.send("never read"));
    co_await ok(wait_until([&] { return odd.peer.waiting() != 0; }));
    odd.peer.close();
    auto got = co_await odd.ours.receive();
    EXPECT_TRUE(fails_with(got, std::errc::connection_reset));
    got = co_await odd.ours.receive();
    EXPECT_TRUE(got && got->empty());
    co_return {};
  });
}

TEST_P(tcp_end, bytes_before_a_reset_are_received_before_it) {
  NEEDS_THE_KERNEL("the peer is a socket of the kernel");
  play([]() -> task<result<void>> {
    auto odd = co_await ok(accept_odd_peer());
    odd.peer.send("last");
    lease got = co_await ok(odd.ours.receive());
    EXPECT_EQ(got.text(), "last");
    odd.peer.send("word");
    co_await ok(odd.ours.readable());
    odd.peer.reset();
    co_await ok(wait_for_news(odd.ours, tcp_info::state::established));
    // Linux keeps what came before the reset: simulation.md, section 4.9, row 3.
    auto word = co_await odd.ours.receive();
    EXPECT_TRUE(word && word->text() == "word");
    auto reset = co_await odd.ours.receive();
    EXPECT_TRUE(fails_with(reset, std::errc::connection_reset));
    auto end = co_await odd.ours.receive();
    EXPECT_TRUE(end && end->empty());
    co_return {};
  });
}

TEST_P(tcp_end, a_reset_ends_a_receive_that_waits) {
  NEEDS_THE_KERNEL("the peer is a socket of the kernel");
  play([]() -> task<result<void>> {
    auto odd = co_await ok(accept_odd_peer());
    auto reset = [](raw_socket& peer) -> task<result<void>> {
      peer.reset();
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(reset(odd.peer));
      std::array<std::byte, 8> room;
      auto got = co_await odd.ours.receive(room);
      EXPECT_TRUE(fails_with(got, std::errc::connection_reset));
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

TEST_P(tcp_end, a_reset_ends_a_send_that_waits) {
  NEEDS_THE_KERNEL("the peer is a socket of the kernel");
  play([]() -> task<result<void>> {
    auto odd = co_await ok(accept_odd_peer());
    auto reset = [](raw_socket& peer) -> task<result<void>> {
      co_await ok(wait_until([&] { return peer.waiting() != 0; }));
      peer.reset();
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(reset(odd.peer));
      const std::string much = pattern(30'000'000);
      auto sent = co_await odd.ours.send(much);
      EXPECT_TRUE(fails_with(sent, std::errc::connection_reset) || fails_with(sent, std::errc::broken_pipe));
      auto more = co_await odd.ours.send("more");
      EXPECT_TRUE(fails_with(more, fault::stream_broken));
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

TEST_P(tcp_end, a_reset_after_we_have_finished_is_told_to_the_receive) {
  NEEDS_THE_KERNEL("the peer is a socket of the kernel");
  play([]() -> task<result<void>> {
    for (const bool waits : {true, false}) {
      auto odd = co_await ok(accept_odd_peer());
      co_await ok(odd.ours.finish());
      EXPECT_EQ(odd.peer.receive(), "");
      auto reset = [](raw_socket& peer) -> task<result<void>> {
        peer.reset();
        co_return {};
      };
      auto body = [&](scope& s) -> task<result<void>> {
        s.spawn(reset(odd.peer));
        if (!waits) co_await ok(wait_for_news(odd.ours, tcp_info::state::fin_wait_2));
        auto got = co_await odd.ours.receive();
        EXPECT_TRUE(fails_with(got, std::errc::connection_reset));
        got = co_await odd.ours.receive();
        EXPECT_TRUE(got && got->empty());
        EXPECT_TRUE(fails_with(co_await odd.ours.send("late"), std::errc::broken_pipe));
        co_return {};
      };
      co_await ok(with_scope(body));
    }
    co_return {};
  });
}

TEST_P(tcp_end, aborting_resets_the_peer) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    both.client.abort();
    EXPECT_FALSE(both.client.is_open());
    both.client.abort();
    auto got = co_await both.server.receive();
    EXPECT_TRUE(fails_with(got, std::errc::connection_reset));
    co_return {};
  });
}

TEST_P(tcp_end, closing_with_bytes_unread_resets_the_peer) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    co_await ok(both.client.send("never read"));
    co_await ok(both.server.readable());
    both.server.close();
    auto got = co_await both.client.receive();
    EXPECT_TRUE(fails_with(got, std::errc::connection_reset));
    co_return {};
  });
}

// Where the driver has fetched bytes ahead, the kernel believes them to be read.
TEST_P(tcp_end, closing_with_bytes_fetched_ahead_resets_the_peer) {
  NEEDS_THE_KERNEL("the peer is a socket of the kernel");
  play([]() -> task<result<void>> {
    auto odd = co_await ok(accept_odd_peer());
    odd.peer.send("first");
    lease first = co_await ok(odd.ours.receive());
    EXPECT_EQ(first.text(), "first");
    auto early = co_await within(1ms, odd.ours.receive());
    EXPECT_TRUE(fails_with(early, std::errc::timed_out));
    odd.peer.send("never read");
    for (int i = 0; i != 20; ++i) co_await ok(sleep(1ms));
    odd.ours.close();
    std::string heard;
    co_await ok(wait_until([&] {
      heard = odd.peer.receive(MSG_DONTWAIT);
      return heard != "!" + std::to_string(EAGAIN);
    }));
    EXPECT_EQ(heard, "!" + std::to_string(ECONNRESET));
    co_return {};
  });
}

TEST_P(tcp_end, closing_delivers_what_was_sent) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    const std::string sent = pattern(100'000);
    auto send_and_close = [](tcp::stream& to, std::string_view text) -> task<result<void>> {
      co_await ok(to.send(text));
      to.close();
      co_return {};
    };
    std::string got;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(send_and_close(both.client, sent));
      got = co_await ok(receive_all(both.server));
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_TRUE(got == sent);
    co_return {};
  });
}

TEST_P(tcp_end, linger_of_zero_resets_at_close) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    co_await ok(both.client.options().set_linger(0s));
    both.client.close();
    auto got = co_await both.server.receive();
    EXPECT_TRUE(fails_with(got, std::errc::connection_reset));
    co_return {};
  });
}

TEST_P(tcp_end, an_error_names_both_ends) {
  NEEDS_THE_KERNEL("the peer is a socket of the kernel");
  play([]() -> task<result<void>> {
    auto odd = co_await ok(accept_odd_peer());
    const std::string peer = to_string(odd.ours.peer());
    const endpoint local = co_await ok(odd.ours.local());
    odd.peer.reset();
    auto got = co_await odd.ours.receive();
    EXPECT_TRUE(fails_with(got, std::errc::connection_reset));
    if (got) co_return {};
    EXPECT_EQ(to_string(got.error()),
              "receive " + peer + " (from " + to_string(local) + "): connection reset by peer");
    co_return {};
  });
}

// A mistake in the program and not of the world: an assertion, no error.
TEST_P(tcp_end_mistaken, what_is_asked_of_a_closed_stream_ends_the_program) {
  const child_ending how = in_a_child([] {
    auto use_it = []() -> task<result<void>> {
      auto both = co_await ok(connect_pair());
      both.client.close();
      both.client.close();
      co_return co_await both.client.send("x");
    };
    static_cast<void>(test_loop(GetParam()).run(use_it()));
    return 0;
  });
  EXPECT_EQ(how.signal, SIGABRT) << how.exit_code << how.output;
}

TEST_P(tcp_end, a_thousand_short_connections_leave_nothing) {
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    for (int i = 0; i != 1000; ++i) {
      auto both = co_await ok(connect_to(l));
      co_await ok(both.client.send("x"));
      lease got = co_await ok(both.server.receive());
      EXPECT_EQ(got.size(), 1U);
    }
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
