// TCP streams: bytes from one end to the other.  simulation.md, section 4.9; tcp(7).
#include "on_each_driver.hpp"
#include "raw_socket.hpp"
#include "tcp_pair.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <array>
#include <soquete/scope.hpp>
#include <vector>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class tcp_stream : public on_each_driver {};
ON_EVERY_DRIVER(tcp_stream);

task<result<void>> send_and_finish(tcp::stream& to, std::string_view text) {
  co_await ok(to.send(text));
  co_await ok(to.finish());
  co_return {};
}

task<result<void>> echo(tcp::stream& peer) {
  for (;;) {
    lease piece = co_await ok(peer.receive());
    if (piece.empty()) break;
    co_await ok(peer.send(piece.bytes()));
  }
  co_await ok(peer.finish());
  co_return {};
}

TEST_P(tcp_stream, what_one_end_sends_the_other_receives) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    co_await ok(both.client.send("hello"));
    lease got = co_await ok(both.server.receive());
    EXPECT_EQ(got.text(), "hello");
    co_await ok(both.server.send("and back"));
    got = co_await ok(both.client.receive());
    EXPECT_EQ(got.text(), "and back");
    co_return {};
  });
}

TEST_P(tcp_stream, megabytes_arrive_whole_and_in_order) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    const std::string sent = pattern(3'000'000);
    std::string got;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(send_and_finish(both.client, sent));
      got = co_await ok(receive_all(both.server));
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_TRUE(got == sent);
    co_return {};
  });
}

TEST_P(tcp_stream, both_ways_flow_at_once) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    const std::string sent = pattern(1'000'000, 2);
    std::string got;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(send_and_finish(both.client, sent));
      s.spawn(echo(both.server));
      got = co_await ok(receive_all(both.client));
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_TRUE(got == sent);
    co_return {};
  });
}

TEST_P(tcp_stream, single_bytes_arrive_each) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    const std::string sent = pattern(300, 3);
    for (const char& c : sent) {
      co_await ok(both.client.send(std::string_view(&c, 1)));
      std::byte got{};
      const std::size_t size = co_await ok(both.server.receive({&got, 1}));
      EXPECT_EQ(size, 1U);
      EXPECT_EQ(got, static_cast<std::byte>(c));
    }
    co_return {};
  });
}

TEST_P(tcp_stream, a_small_room_is_filled_and_the_rest_stays) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    const std::string sent = pattern(100, 4);
    co_await ok(both.client.send(sent));
    std::string got;
    while (got.size() != sent.size()) {
      std::array<std::byte, 7> room;
      const std::size_t size = co_await ok(both.server.receive(room));
      EXPECT_LE(size, room.size());
      got += as_text(bytes(room).first(size));
    }
    EXPECT_EQ(got, sent);
    co_return {};
  });
}

TEST_P(tcp_stream, leases_and_rooms_of_the_callers_may_alternate) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    const std::string sent = pattern(50'000, 5);
    std::string got;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(send_and_finish(both.client, sent));
      for (bool ours = false;; ours = !ours) {
        std::array<std::byte, 333> room;
        const std::size_t before = got.size();
        if (ours) {
          const std::size_t size = co_await ok(both.server.receive(room));
          got += as_text(bytes(room).first(size));
        } else {
          lease piece = co_await ok(both.server.receive());
          got += piece.text();
        }
        if (got.size() == before) co_return {};
      }
    };
    co_await ok(with_scope(body));
    EXPECT_TRUE(got == sent);
    co_return {};
  });
}

TEST_P(tcp_stream, parts_arrive_as_one) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    const std::array<bytes, 4> parts{as_bytes("one,"), as_bytes(""), as_bytes("two,"), as_bytes("three")};
    co_await ok(both.client.send(parts));
    const std::string got = co_await ok(receive_some(both.server, 13));
    EXPECT_EQ(got, "one,two,three");
    co_return {};
  });
}

TEST_P(tcp_stream, thousands_of_parts_are_more_than_one_call_takes_and_arrive) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    const std::string sent = pattern(3000 * 700, 6);
    std::vector<bytes> parts;
    for (std::size_t i = 0; i != 3000; ++i) parts.push_back(as_bytes(sent).subspan(i * 700, 700));
    std::string got;
    auto send_parts = [](tcp::stream& to, std::span<const bytes> all) -> task<result<void>> {
      co_await ok(to.send(all));
      co_await ok(to.finish());
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(send_parts(both.client, parts));
      got = co_await ok(receive_all(both.server));
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_TRUE(got == sent);
    co_return {};
  });
}

TEST_P(tcp_stream, sending_nothing_succeeds_and_sends_nothing) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    co_await ok(both.client.send(""));
    co_await ok(both.client.send(std::span<const bytes>()));
    const std::size_t some = co_await ok(both.client.send_some({}));
    EXPECT_EQ(some, 0U);
    co_await ok(both.client.send("x"));
    lease got = co_await ok(both.server.receive());
    EXPECT_EQ(got.text(), "x");
    co_return {};
  });
}

TEST_P(tcp_stream, receiving_into_nothing_is_a_mistake_and_not_the_end) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    co_await ok(both.client.send("x"));
    auto got = co_await both.server.receive(mutable_bytes());
    EXPECT_TRUE(fails_with(got, std::errc::invalid_argument));
    lease still = co_await ok(both.server.receive());
    EXPECT_EQ(still.text(), "x");
    co_return {};
  });
}

TEST_P(tcp_stream, a_partial_send_tells_how_much_and_breaks_nothing) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair({.receive_buffer = 4096}, {.send_buffer = 4096}));
    const std::string sent = pattern(10'000'000, 7);
    const std::size_t some = co_await ok(both.client.send_some(as_bytes(sent)));
    EXPECT_GT(some, 0U);
    EXPECT_LT(some, sent.size());
    std::string got = co_await ok(receive_some(both.server, some));
    EXPECT_TRUE(got == sent.substr(0, some));
    co_await ok(both.client.send("more"));
    got = co_await ok(receive_some(both.server, 4));
    EXPECT_EQ(got, "more");
    co_return {};
  });
}

TEST_P(tcp_stream, leases_may_be_held_while_others_come) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    std::vector<lease> held;
    std::string sent;
    for (int i = 0; i != 200; ++i) {
      const std::string piece = pattern(100, static_cast<std::uint64_t>(i));
      co_await ok(both.client.send(piece));
      for (std::size_t got = 0; got != piece.size();) {
        held.push_back(co_await ok(both.server.receive()));
        got += held.back().size();
      }
      sent += piece;
    }
    std::string got;
    for (const lease& one : held) got += one.text();
    EXPECT_TRUE(got == sent);
    co_return {};
  });
}

TEST_P(tcp_stream, readable_tells_of_bytes_and_takes_none) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    auto early = co_await within(1ms, both.server.readable());
    EXPECT_TRUE(fails_with(early, std::errc::timed_out));
    co_await ok(both.client.send("x"));
    co_await ok(both.server.readable());
    co_await ok(both.server.readable());
    lease got = co_await ok(both.server.receive());
    EXPECT_EQ(got.text(), "x");
    co_await ok(both.client.finish());
    co_await ok(both.server.readable());
    got = co_await ok(both.server.receive());
    EXPECT_TRUE(got.empty());
    co_return {};
  });
}

TEST_P(tcp_stream, both_ends_know_both_ends) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    const endpoint ours = co_await ok(both.client.local());
    const endpoint theirs = co_await ok(both.server.local());
    EXPECT_EQ(both.server.peer(), ours);
    EXPECT_EQ(both.client.peer(), theirs);
    EXPECT_NE(ours.port(), 0);
    co_return {};
  });
}

TEST_P(tcp_stream, a_stream_moves_and_leaves_nothing_behind) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    tcp::stream moved = std::move(both.client);
    EXPECT_TRUE(moved.is_open());
    EXPECT_FALSE(both.client.is_open());  // NOLINT: that is the question.
    co_await ok(moved.send("x"));
    lease got = co_await ok(both.server.receive());
    EXPECT_EQ(got.text(), "x");
    moved.close();
    moved.close();
    EXPECT_FALSE(moved.is_open());
    co_return {};
  });
}

// Urgent bytes part the stream for recv(2): what follows them must not be forgotten.
TEST_P(tcp_stream, urgent_bytes_of_a_peer_hold_nothing_up) {
  NEEDS_THE_KERNEL("the peer is a socket of the kernel");
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    const endpoint door = co_await ok(door_of(l));
    const raw_socket peer = raw_socket::connected(door.port());
    tcp::stream server = co_await ok(l.accept());
    peer.send("before");
    peer.send("!", MSG_OOB);
    peer.send("after");
    const std::string got = co_await ok(receive_some(server, 11));
    EXPECT_EQ(got, "beforeafter");
    co_return {};
  });
}

TEST_P(tcp_stream, two_hundred_connections_keep_their_bytes_apart) {
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    std::vector<tcp_pair> all;
    for (int i = 0; i != 200; ++i) all.push_back(co_await ok(connect_to(l)));
    for (std::size_t i = 0; i != all.size(); ++i) co_await ok(all[i].client.send(std::to_string(i)));
    for (std::size_t i = all.size(); i-- != 0;) {
      lease got = co_await ok(all[i].server.receive());
      EXPECT_EQ(got.text(), std::to_string(i));
    }
    co_return {};
  });
}

TEST_P(tcp_stream, every_descriptor_closes_at_exec) {
  NEEDS_THE_KERNEL("descriptors of the real system are not simulated");
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    for (int number : {both.client.descriptor(), both.server.descriptor()})
      EXPECT_NE(::fcntl(number, F_GETFD) & FD_CLOEXEC, 0);
    co_return {};
  });
}

TEST_P(tcp_stream, a_descriptor_that_is_adopted_works_and_is_owned) {
  NEEDS_THE_KERNEL("descriptors of the real system are not simulated");
  play([this]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    const endpoint door = co_await ok(door_of(l));
    tcp::stream client =
        co_await ok(tcp::stream::adopt(here(), raw_socket::connected(door.port()).release()));
    EXPECT_EQ(client.peer(), door);
    tcp::stream server = co_await ok(l.accept());
    co_await ok(client.send("x"));
    lease got = co_await ok(server.receive());
    EXPECT_EQ(got.text(), "x");
    co_await ok(server.send("y"));
    got = co_await ok(client.receive());
    EXPECT_EQ(got.text(), "y");
    co_return {};
  });
}

TEST_P(tcp_stream, adopting_what_is_no_stream_is_an_error) {
  NEEDS_THE_KERNEL("descriptors of the real system are not simulated");
  play([this]() -> task<result<void>> {
    auto none = tcp::stream::adopt(here(), 1'000'000);
    EXPECT_TRUE(fails_with(none, std::errc::bad_file_descriptor));
    auto listening = tcp::stream::adopt(here(), raw_socket::listening(1).release());
    EXPECT_TRUE(fails_with(listening, std::errc::invalid_argument));
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
