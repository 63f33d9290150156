// Copying from stream to stream: relays.
#include "on_each_driver.hpp"
#include "raw_socket.hpp"
#include "tcp_pair.hpp"

#include <sys/socket.h>
#include <cerrno>
#include <soquete/memory.hpp>
#include <soquete/scope.hpp>
#include <soquete/stream.hpp>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class copying : public on_each_driver {};
ON_EVERY_DRIVER(copying);

// client -> (left) relay (right) -> server
struct relayed {
  relayed(tcp_pair a, tcp_pair b) noexcept
      : client(std::move(a.client)),
        left(std::move(a.server)),
        right(std::move(b.client)),
        server(std::move(b.server)) {}
  tcp::stream client, left, right, server;
};
task<result<relayed>> connect_relay(tcp::listen_options listening = {},
                                    tcp::connect_options connecting = {}) {
  auto one = co_await ok(connect_pair(listening, connecting));
  auto other = co_await ok(connect_pair(listening, connecting));
  co_return relayed(std::move(one), std::move(other));
}

task<result<void>> relay(tcp::stream& left, tcp::stream& right) {
  auto body = [&](scope& s) -> task<result<void>> {
    s.spawn(copy(left, right));
    s.spawn(copy(right, left));
    co_return {};
  };
  co_return co_await with_scope(body);
}

task<result<void>> send_and_finish(tcp::stream& to, std::string_view text) {
  co_await ok(to.send(text));
  co_return to.finish();
}

TEST_P(copying, it_copies_to_the_end_and_counts) {
  play([]() -> task<result<void>> {
    auto r = co_await ok(connect_relay());
    const std::string sent = pattern(500'000);
    std::string got;
    std::uint64_t copied = 0;
    auto count = [](tcp::stream& from, tcp::stream& to, std::uint64_t& into) -> task<result<void>> {
      into = co_await ok(copy(from, to));
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(send_and_finish(r.client, sent));
      s.spawn(count(r.left, r.right, copied));
      got = co_await ok(receive_all(r.server));
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_TRUE(got == sent);
    EXPECT_EQ(copied, sent.size());
    co_return {};
  });
}

TEST_P(copying, a_half_close_passes_and_the_other_way_stays_open) {
  play([]() -> task<result<void>> {
    auto r = co_await ok(connect_relay());
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(relay(r.left, r.right));
      co_await ok(send_and_finish(r.client, "question"));
      const std::string question = co_await ok(receive_all(r.server));
      EXPECT_EQ(question, "question");
      co_await ok(send_and_finish(r.server, "answer"));
      const std::string answer = co_await ok(receive_all(r.client));
      EXPECT_EQ(answer, "answer");
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

TEST_P(copying, the_server_may_be_the_first_to_finish) {
  play([]() -> task<result<void>> {
    auto r = co_await ok(connect_relay());
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(relay(r.left, r.right));
      co_await ok(send_and_finish(r.server, "welcome"));
      const std::string welcome = co_await ok(receive_all(r.client));
      EXPECT_EQ(welcome, "welcome");
      co_await ok(send_and_finish(r.client, "thanks"));
      const std::string thanks = co_await ok(receive_all(r.server));
      EXPECT_EQ(thanks, "thanks");
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

TEST_P(copying, both_ways_at_once_keep_their_bytes) {
  play([]() -> task<result<void>> {
    auto r = co_await ok(connect_relay());
    const std::string there = pattern(700'000, 1), back = pattern(600'000, 2);
    std::string got_there, got_back;
    auto take = [](tcp::stream& from, std::string& into) -> task<result<void>> {
      into = co_await ok(receive_all(from));
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(relay(r.left, r.right));
      s.spawn(send_and_finish(r.client, there));
      s.spawn(send_and_finish(r.server, back));
      s.spawn(take(r.server, got_there));
      s.spawn(take(r.client, got_back));
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_TRUE(got_there == there);
    EXPECT_TRUE(got_back == back);
    co_return {};
  });
}

TEST_P(copying, a_reset_of_the_source_is_an_error_and_the_target_is_not_finished) {
  play([]() -> task<result<void>> {
    auto r = co_await ok(connect_relay());
    r.client.abort();
    auto copied = co_await copy(r.left, r.right);
    EXPECT_TRUE(fails_with(copied, std::errc::connection_reset));
    auto none = co_await within(1ms, r.server.receive());
    EXPECT_TRUE(fails_with(none, std::errc::timed_out));
    co_return {};
  });
}

TEST_P(copying, a_target_that_is_gone_is_an_error) {
  play([]() -> task<result<void>> {
    auto r = co_await ok(connect_relay());
    r.server.abort();
    auto gone = co_await r.right.receive();
    EXPECT_TRUE(fails_with(gone, std::errc::connection_reset));
    co_await ok(r.client.send("x"));
    auto copied = co_await copy(r.left, r.right);
    EXPECT_TRUE(fails_with(copied, std::errc::broken_pipe));
    co_return {};
  });
}

// What a relay holds of a peer that never reads: not what the other end would like to send.
TEST_P(copying, a_peer_that_never_reads_costs_bounded_memory) {
  play([this]() -> task<result<void>> {
    auto r = co_await ok(connect_relay({.receive_buffer = 16'384, .send_buffer = 16'384},
                                       {.receive_buffer = 16'384, .send_buffer = 16'384}));
    std::size_t most_buffered = 0, most_leases = 0;
    const std::string much(64 * 1024, 'x');
    std::size_t sent = 0;
    auto press = [](tcp::stream& to, const std::string& piece, std::size_t& total) -> task<result<void>> {
      for (;;) {
        const std::size_t some = co_await ok(to.send_some(as_bytes(piece)));
        total += some;
      }
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(press(r.client, much, sent));
      s.spawn(copy(r.left, r.right));
      // Until nothing has moved for a while: every buffer on the way is full.
      std::size_t before = 1;
      for (int still = 0; still != 50; still = sent == before ? still + 1 : 0) {
        before = sent;
        co_await ok(sleep(1ms));
        most_buffered = std::max(most_buffered, counts().buffer_bytes);
        most_leases = std::max(most_leases, counts().leases);
      }
      s.cancel();
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_GT(sent, 0U);
    EXPECT_LT(sent, 4'000'000U);
    EXPECT_LE(most_leases, 16U);
    EXPECT_LE(most_buffered, 2'000'000U);
    co_return {};
  });
}

TEST_P(copying, memory_and_tcp_mix) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    auto ends = memory::pair(100);
    const std::string sent = pattern(100'000);
    std::string got;
    auto count = [](tcp::stream& from, memory::stream& to) -> task<result<void>> {
      const std::uint64_t copied = co_await ok(copy(from, to));
      EXPECT_EQ(copied, 100'000U);
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(send_and_finish(both.client, sent));
      s.spawn(count(both.server, ends.first));
      for (;;) {
        lease piece = co_await ok(ends.second.receive());
        if (piece.empty()) co_return {};
        got += piece.text();
      }
    };
    co_await ok(with_scope(body));
    EXPECT_TRUE(got == sent);
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
