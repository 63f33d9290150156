// Cancellation at every await of clients, servers and relays.
//
// Goal: whenever and however a task is asked to end, it ends; nothing leaks, no byte is lost or doubled, and
// no buffer is written to after its await. Method: each scenario is run again and again and ended at every
// turn of its loop: before the turn, after it, in the round that follows, and by a deadline.
#include "each_moment.hpp"
#include "on_each_driver.hpp"
#include "raw_socket.hpp"
#include "tcp_pair.hpp"

#include <unistd.h>
#include <csignal>
#include <iostream>
#include <soquete/blocking.hpp>
#include <soquete/event.hpp>
#include <soquete/memory.hpp>
#include <soquete/pipe.hpp>
#include <soquete/race.hpp>
#include <soquete/reader.hpp>
#include <soquete/scope.hpp>
#include <soquete/serve.hpp>
#include <soquete/stream.hpp>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class cancelling : public with_driver {
 protected:
  // At least so many moments, or the scenario is not what it seems.
  static void at_all(const scenario& play, std::size_t least) {
    const std::size_t runs = at_each_moment(GetParam(), play);
    EXPECT_GE(runs, least);
    std::cout << runs << " moments\n";
  }
};
ON_EVERY_DRIVER(cancelling);

task<result<void>> send_pieces(tcp::stream& to, std::string_view all, std::size_t size) {
  for (; !all.empty(); all.remove_prefix(std::min(size, all.size()))) {
    co_await ok(to.send(all.substr(0, size)));
    co_await ok(yield());
  }
  co_return to.finish();
}

// Goes on whatever happens outside.
task<result<void>> send_surely(tcp::stream& to, std::string_view all, std::size_t size) {
  co_return co_await shield(10h, send_pieces(to, all, size));
}

task<result<std::string>> receive_lent(tcp::stream& from, lent_memory& memory, std::size_t size) {
  const mutable_bytes room = memory.lend(size);
  auto got = co_await from.receive(room);
  std::string text = lent_memory::take_back(room, got ? *got : 0);
  if (!got) co_return fail(std::move(got.error()));
  co_return text;
}

task<result<std::string>> receive_leased(tcp::stream& from) {
  lease piece = co_await ok(from.receive());
  co_return std::string(piece.text());
}

// Receives to the end, once more where a receive was ended, and sees every byte once.
task<result<void>> receive_stubbornly(tcp::stream& from, std::string_view expected, lent_memory& memory,
                                      bool leased) {
  std::string all;
  result<void> ended;
  for (;;) {
    auto once = [&] { return leased ? receive_leased(from) : receive_lent(from, memory, 700); };
    result<std::string> got = fail(std::errc::invalid_argument);
    if (ended)
      got = co_await once();
    else
      got = co_await shield(10h, once());
    if (!got) {
      if (!ended) co_return fail(std::move(got.error()));
      ended = fail(std::move(got.error()));
      continue;
    }
    if (got->empty()) break;
    all += *got;
  }
  EXPECT_EQ(all.size(), expected.size());
  EXPECT_TRUE(all == expected);
  co_return ended;
}

task<result<void>> continue_receiving(lent_memory& memory, bool leased) {
  auto both = co_await ok(connect_pair());
  const std::string sent = pattern(8000);
  result<void> ended;
  auto body = [&](scope& s) -> task<result<void>> {
    s.spawn(send_surely(both.client, sent, 1000));
    ended = co_await receive_stubbornly(both.server, sent, memory, leased);
    co_return {};
  };
  co_await ok(with_scope(body));
  co_return ended;
}

TEST_P(cancelling, a_receive_that_was_ended_is_continued_without_a_gap) {
  at_all([](lent_memory& memory) { return continue_receiving(memory, false); }, 16);
}
TEST_P(cancelling, a_lease_that_was_not_given_is_given_to_the_next) {
  at_all([](lent_memory& memory) { return continue_receiving(memory, true); }, 16);
}

task<result<void>> echo_lent(tcp::stream& peer, lent_memory& memory) {
  for (;;) {
    const std::string piece = co_await ok(receive_lent(peer, memory, 512));
    if (piece.empty()) break;
    co_await ok(peer.send(piece));
  }
  co_return peer.finish();
}

TEST_P(cancelling, a_client_and_its_server_end_with_a_prefix_of_what_was_sent) {
  at_all(
      [](lent_memory& memory) -> task<result<void>> {
        auto both = co_await ok(connect_pair());
        const std::string sent = pattern(3000);
        std::string got;
        auto talk = [&]() -> task<result<void>> {
          for (std::size_t at = 0; at != sent.size(); at += 500) {
            co_await ok(both.client.send(std::string_view(sent).substr(at, 500)));
            while (got.size() != at + 500) got += co_await ok(receive_lent(both.client, memory, 400));
          }
          co_return both.client.finish();
        };
        auto body = [&](scope& s) -> task<result<void>> {
          s.spawn(echo_lent(both.server, memory));
          co_return co_await talk();
        };
        auto ended = co_await with_scope(body);
        EXPECT_TRUE(sent.starts_with(got));
        if (ended) EXPECT_EQ(got.size(), sent.size());
        co_return ended;
      },
      30);
}

TEST_P(cancelling, a_send_that_waits_leaves_a_prefix_and_says_that_it_is_broken) {
  at_all(
      [](lent_memory&) -> task<result<void>> {
        auto both = co_await ok(connect_pair({.receive_buffer = 20'000}, {.send_buffer = 20'000}));
        const std::string sent = pattern(300'000);
        std::string got;
        result<void> sending;
        auto send = [&]() -> task<result<void>> {
          sending = co_await both.client.send(sent);
          if (!sending) {
            auto again = co_await shield(10h, both.client.send("?"));
            EXPECT_TRUE(again.has_value() || fails_with(again, fault::stream_broken));
          }
          both.client.close();
          co_return {};
        };
        auto receive = [&]() -> task<result<void>> {
          for (;;) {
            co_await ok(yield());
            lease piece = co_await ok(both.server.receive());
            if (piece.empty()) co_return {};
            got += piece.text();
          }
        };
        auto body = [&](scope& s) -> task<result<void>> {
          s.spawn(send());
          co_return co_await shield(10h, receive());
        };
        co_await ok(with_scope(body));
        if (sending)
          EXPECT_TRUE(got == sent);
        else
          EXPECT_TRUE(sent.starts_with(got) || got == "?") << got.size();
        co_return sending;
      },
      16);
}

TEST_P(cancelling, a_relay_ends_both_ways) {
  at_all(
      [](lent_memory&) -> task<result<void>> {
        auto one = co_await ok(connect_pair());
        auto other = co_await ok(connect_pair());
        const std::string there = pattern(5000, 1), back = pattern(4000, 2);
        std::string got_there, got_back;
        auto gather = [](tcp::stream& from, std::string& into) -> task<result<void>> {
          for (;;) {
            lease piece = co_await ok(from.receive());
            if (piece.empty()) co_return {};
            into += piece.text();
          }
        };
        auto body = [&](scope& s) -> task<result<void>> {
          s.spawn(copy(one.server, other.client));
          s.spawn(copy(other.client, one.server));
          s.spawn(send_pieces(one.client, there, 1000));
          s.spawn(send_pieces(other.server, back, 700));
          s.spawn(gather(other.server, got_there));
          co_return co_await gather(one.client, got_back);
        };
        auto ended = co_await with_scope(body);
        EXPECT_TRUE(there.starts_with(got_there));
        EXPECT_TRUE(back.starts_with(got_back));
        if (ended) EXPECT_EQ(got_there.size() + got_back.size(), there.size() + back.size());
        co_return ended;
      },
      20);
}

TEST_P(cancelling, a_reader_keeps_the_lines_that_came) {
  at_all(
      [](lent_memory&) -> task<result<void>> {
        auto both = co_await ok(connect_pair());
        result<void> ended;
        auto body = [&](scope& s) -> task<result<void>> {
          s.spawn(send_surely(both.client, "one\ntwo\r\nthree\nfour\n", 3));
          reader in(both.server);
          for (const char* wanted : {"one", "two", "three", "four"}) {
            auto line = co_await in.line(100);
            if (!line) {
              if (ended) ended = fail(line.error());
              line = co_await shield(10h, in.line(100));
            }
            EXPECT_TRUE(line && *line == wanted);
          }
          co_return {};
        };
        co_await ok(with_scope(body));
        co_return ended;
      },
      16);
}

TEST_P(cancelling, a_server_drains_or_is_cut) {
  at_all(
      [](lent_memory& memory) -> task<result<void>> {
        tcp::serve_watch watch;
        event opened;
        endpoint door;
        watch.listening = [&](const endpoint& at) {
          door = at;
          opened.notify_all();
        };
        auto handle = [&memory](tcp::stream peer) -> task<result<void>> {
          co_return co_await echo_lent(peer, memory);
        };
        auto client = [&]() -> task<result<void>> {
          tcp::stream s = co_await ok(tcp::connect(door));
          co_await ok(s.send("hello"));
          co_await ok(s.finish());
          const std::string got = co_await ok(receive_all(s));
          EXPECT_EQ(got, "hello");
          co_return {};
        };
        auto body = [&](scope& s) -> task<result<void>> {
          s.spawn(tcp::serve("127.0.0.1:0", tcp::client_handler(handle), {.drain = 1ms, .watch = &watch}));
          while (door.is_empty()) co_await ok(opened.wait());
          co_await ok(all_of(client(), client()));
          s.cancel();
          co_return {};
        };
        co_return co_await with_scope(body);
      },
      20);
}

TEST_P(cancelling, a_connect_and_an_accept_that_wait_end) {
  at_all(
      [](lent_memory&) -> task<result<void>> {
        const raw_socket silent = raw_socket::listening(0);
        const raw_socket queued = raw_socket::connected(silent.port());
        auto l = co_await ok(tcp::listen("127.0.0.1:0"));
        const endpoint door = co_await ok(l.local());
        auto accept_two = [](tcp::listener& on) -> task<result<void>> {
          for (int i = 0; i != 2; ++i) static_cast<void>(co_await ok(on.accept()));
          co_return {};
        };
        auto body = [&](scope& s) -> task<result<void>> {
          s.spawn(accept_two(l));
          const endpoint nobody(address::loopback_v4(), silent.port());
          // One of them never comes about.
          tcp::stream first = co_await ok(first_of(tcp::connect(nobody), tcp::connect(door)));
          co_await ok(yield());
          tcp::stream second = co_await ok(tcp::connect(door));
          co_return {};
        };
        co_return co_await with_scope(body);
      },
      12);
}

TEST_P(cancelling, pipes_and_blocking_calls_end) {
  std::signal(SIGPIPE, SIG_IGN);
  at_all(
      [](lent_memory&) -> task<result<void>> {
        loop& here = co_await this_loop();
        auto [reading, writing] = co_await ok(open_pipe(here));
        const std::string sent = pattern(200'000);
        std::string got;
        auto send = [&]() -> task<result<void>> {
          co_await ok(writing.send(sent));
          co_return writing.finish();
        };
        auto body = [&](scope& s) -> task<result<void>> {
          s.spawn(send());
          for (;;) {
            lease piece = co_await ok(reading.receive());
            if (piece.empty()) break;
            got += piece.text();
          }
          // Outside of a world the time of a simulated network does not wait for threads.
          if (here.net().name() == "simulated") co_return {};
          const int seven = co_await ok(blocking([] { return 7; }));
          EXPECT_EQ(seven, 7);
          co_return {};
        };
        auto ended = co_await with_scope(body);
        EXPECT_TRUE(sent.starts_with(got));
        co_return ended;
      },
      12);
}

TEST_P(cancelling, what_waits_for_readability_and_events_ends) {
  at_all(
      [](lent_memory&) -> task<result<void>> {
        auto both = co_await ok(connect_pair());
        auto ends = memory::pair(10);
        event rung;
        auto ring = [&]() -> task<result<void>> {
          co_await ok(both.server.readable());
          lease got = co_await ok(both.server.receive());
          rung.notify_all();
          co_return co_await ends.first.send(got.bytes());
        };
        auto body = [&](scope& s) -> task<result<void>> {
          s.spawn(ring());
          co_await ok(yield());
          co_await ok(both.client.send("more than ten bytes"));
          co_await ok(rung.wait());
          std::size_t got = 0;
          while (got != 19) {
            lease piece = co_await ok(ends.second.receive());
            got += piece.size();
          }
          co_return {};
        };
        co_return co_await with_scope(body);
      },
      12);
}

// Before it begins: nothing happens at all.
TEST_P(cancelling, before_its_start_every_operation_ends_at_once) {
  const baseline before = baseline::now();
  {
    test_loop loop(GetParam());
    auto body = []() -> task<result<void>> {
      auto both = co_await ok(connect_pair());
      auto l = co_await ok(tcp::listen("127.0.0.1:0"));
      std::byte room{};
      auto received = co_await within(0s, both.client.receive());
      auto filled = co_await within(0s, both.client.receive({&room, 1}));
      auto sent = co_await within(0s, both.client.send("x"));
      auto some = co_await within(0s, both.client.send_some(as_bytes("x")));
      auto readable = co_await within(0s, both.client.readable());
      auto accepted = co_await within(0s, l.accept());
      auto slept = co_await within(0s, sleep(1h));
      for (const bool ended :
           {fails_with(received, std::errc::timed_out), fails_with(filled, std::errc::timed_out),
            fails_with(sent, std::errc::timed_out), fails_with(some, std::errc::timed_out),
            fails_with(readable, std::errc::timed_out), fails_with(accepted, std::errc::timed_out),
            fails_with(slept, std::errc::timed_out)})
        EXPECT_TRUE(ended);
      // Nothing was sent, so nothing is broken.
      co_await ok(both.client.send("y"));
      lease got = co_await ok(both.server.receive());
      EXPECT_EQ(got.text(), "y");
      co_return {};
    };
    EXPECT_TRUE(succeeds(loop.run(body())));
    loop.settle();
  }
  EXPECT_EQ(baseline::now(), before);
}

}  // namespace
}  // namespace soquete::test
