// A server of datagrams: sessions, limits, ends.  faults.md C14; udp(7).
#include "on_each_driver.hpp"

#include <soquete/deadline.hpp>
#include <soquete/scope.hpp>
#include <soquete/udp_serve.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class udp_server : public on_each_driver {};
ON_EVERY_DRIVER(udp_server);
// Its tests make the loop themselves.
class udp_server_in_time : public with_driver {};
ON_EACH_DRIVER(udp_server_in_time);

task<result<void>> echo_for_ever(udp::session& peer) {
  for (;;) {
    const udp::received got = co_await ok(peer.receive());
    co_await ok(peer.send(got.payload()));
  }
}

// Answers one datagram with its text and how many have been received.
task<result<void>> echo_once(udp::session& peer) {
  const udp::received got = co_await ok(peer.receive());
  co_return co_await peer.send(got.payload());
}

// Serves while `body(port)` runs, then ends the server and expects it to succeed.
template <class Body>
task<result<void>> while_serving(udp::session_handler handler, udp::serve_options options,
                                 udp::serve_watch& watch, Body body) {
  endpoint at;
  event is_open;
  watch.listening = [&](const endpoint& where) {
    at = where;
    is_open.notify_all();
  };
  options.watch = &watch;
  result<void> served;
  auto serve = [&]() -> task<result<void>> {
    served = co_await udp::serve("127.0.0.1:0", handler, options);
    co_return {};
  };
  auto both = [&](scope& s) -> task<result<void>> {
    s.spawn(serve());
    while (at.is_empty()) co_await ok(is_open.wait());
    co_await ok(body(at));
    s.cancel();
    co_return {};
  };
  co_await ok(with_scope(both));
  EXPECT_TRUE(succeeds(served));
  co_return {};
}

task<result<std::string>> ask(udp::socket& client, std::string_view text) {
  co_await ok(client.send(text));
  const udp::received got = co_await ok(within(10s, client.receive()));
  co_return std::string(got.text());
}

TEST_P(udp_server, each_peer_has_a_session_of_its_own) {
  std::vector<std::uint64_t> of_sessions;
  play([&]() -> task<result<void>> {
    udp::serve_watch watch;
    watch.ended = [&](const udp::session& s, const error* why) {
      EXPECT_EQ(why, nullptr);
      of_sessions.push_back(s.counts().received);
    };
    auto body = [](endpoint at) -> task<result<void>> {
      auto a = co_await ok(udp::connect(at));
      auto b = co_await ok(udp::connect(at));
      for (int i = 0; i < 3; ++i) EXPECT_EQ(co_await ok(ask(a, "a")), "a");
      EXPECT_EQ(co_await ok(ask(b, "")), "");
      co_return {};
    };
    co_return co_await while_serving(echo_for_ever, {}, watch, body);
  });
  std::sort(of_sessions.begin(), of_sessions.end());
  EXPECT_EQ(of_sessions, (std::vector<std::uint64_t>{1, 3}));
}

TEST_P(udp_server, what_comes_at_birth_is_not_lost) {
  play([]() -> task<result<void>> {
    udp::serve_watch watch;
    auto body = [](endpoint at) -> task<result<void>> {
      auto client = co_await ok(udp::connect(at));
      for (int i = 0; i < 50; ++i) {
        const std::string text = std::to_string(i);
        co_await ok(client.send(text));
      }
      for (int i = 0; i < 50; ++i) {
        const udp::received got = co_await ok(within(10s, client.receive()));
        EXPECT_EQ(got.text(), std::to_string(i));
      }
      co_return {};
    };
    // Also where each session takes one datagram only: what waits begins the next.
    co_await ok(while_serving(echo_for_ever, {}, watch, body));
    co_return co_await while_serving(echo_once, {}, watch, body);
  });
}

TEST_P(udp_server, silence_ends_a_session) {
  play([]() -> task<result<void>> {
    udp::serve_watch watch;
    std::size_t ended = 0;
    event changed;
    watch.ended = [&](const udp::session&, const error* why) {
      EXPECT_EQ(why, nullptr);
      ++ended;
      changed.notify_all();
    };
    auto body = [&](endpoint at) -> task<result<void>> {
      auto client = co_await ok(udp::connect(at));
      EXPECT_EQ(co_await ok(ask(client, "hello")), "hello");
      while (ended == 0) co_await ok(changed.wait());
      EXPECT_EQ(co_await ok(ask(client, "again")), "again");
      co_return {};
    };
    co_return co_await while_serving(echo_for_ever, {.idle = 20ms}, watch, body);
  });
}

// The idle time passes in the very turn that brings the next datagram.
TEST_P(udp_server_in_time, what_comes_as_its_session_ends_begins_the_next) {
  struct : turn_watcher {
    std::chrono::nanoseconds next{};
    void before_turn() override { leap += std::exchange(next, {}); }
  } time;
  constexpr auto idle = 60s;
  int begun = 0;
  std::vector<bool> ended_of_its_own;
  udp::serve_watch watch;
  watch.ended = [&](const udp::session&, const error* why) { ended_of_its_own.push_back(why != nullptr); };
  auto handler = [&](udp::session& peer) -> task<result<void>> {
    ++begun;
    co_return co_await echo_for_ever(peer);
  };
  auto body = [&](endpoint at) -> task<result<void>> {
    auto client = co_await ok(udp::connect(at));
    EXPECT_EQ(co_await ok(ask(client, "0")), "0");
    for (int i = 1; i <= 20; ++i) {
      co_await ok(client.send(std::to_string(i)));
      time.next = idle;
      // No deadline: it would come in that turn, too.
      const udp::received got = co_await ok(client.receive());
      EXPECT_EQ(got.text(), std::to_string(i));
    }
    co_return {};
  };
  test_loop here(GetParam(), &time);
  EXPECT_TRUE(succeeds(here.run(while_serving(handler, {.idle = idle}, watch, body))));
  here.settle();
  EXPECT_EQ(begun, 21);
  EXPECT_EQ(ended_of_its_own, std::vector<bool>(21, false));
}

// A session that has been asked to end, and takes its time.
TEST_P(udp_server, what_comes_while_a_session_ends_begins_the_next) {
  play([]() -> task<result<void>> {
    udp::serve_watch watch;
    event changed;
    bool is_ending = false, may_end = false;
    auto handler = [&](udp::session& peer) -> task<result<void>> {
      if (is_ending) co_return co_await echo_for_ever(peer);
      EXPECT_EQ((co_await ok(peer.receive())).text(), "0");
      const auto silence = co_await peer.receive();
      EXPECT_TRUE(fails_with(silence, std::errc::timed_out));
      is_ending = true;
      changed.notify_all();
      auto last_words = [&]() -> task<result<void>> {
        while (!may_end) co_await ok(changed.wait());
        co_return {};
      };
      co_return co_await shield(10s, last_words());
    };
    auto body = [&](endpoint at) -> task<result<void>> {
      auto client = co_await ok(udp::connect(at));
      co_await ok(client.send("0"));
      while (!is_ending) co_await ok(changed.wait());
      for (const char* text : {"1", "2", "3"}) co_await ok(client.send(text));
      // Another peer's answer tells that they have been seen.
      auto other = co_await ok(udp::connect(at));
      EXPECT_EQ(co_await ok(ask(other, "seen?")), "seen?");
      may_end = true;
      changed.notify_all();
      for (const char* text : {"1", "2", "3"}) {
        const udp::received got = co_await ok(within(10s, client.receive()));
        EXPECT_EQ(got.text(), text);
      }
      co_return {};
    };
    co_return co_await while_serving(handler, {.idle = 20ms}, watch, body);
  });
}

TEST_P(udp_server, a_handler_that_receives_nothing_is_called_once_for_each_datagram) {
  play([]() -> task<result<void>> {
    udp::serve_watch watch;
    int begun = 0, ended = 0;
    event changed;
    watch.ended = [&](const udp::session&, const error*) {
      ++ended;
      changed.notify_all();
    };
    auto handler = [&](udp::session&) -> task<result<void>> {
      ++begun;
      co_return {};
    };
    auto body = [&](endpoint at) -> task<result<void>> {
      auto client = co_await ok(udp::connect(at));
      for (const char* text : {"1", "2", "3"}) co_await ok(client.send(text));
      while (ended != 3) co_await ok(changed.wait());
      co_return {};
    };
    co_await ok(while_serving(handler, {}, watch, body));
    EXPECT_EQ(begun, 3);
    co_return {};
  });
}

TEST_P(udp_server, an_exception_of_a_handler_ends_the_server) {
  play([]() -> task<result<void>> {
    udp::serve_watch watch;
    bool is_cut = false, is_thrown = false;
    auto handler = [&](udp::session& peer) -> task<result<void>> {
      const udp::received got = co_await ok(peer.receive());
      if (got.text() == "throw") throw std::runtime_error("a mistake");
      co_await ok(peer.send("waiting"));
      is_cut = !co_await peer.receive();
      co_return {};
    };
    auto serving = [&]() -> task<result<void>> {
      auto body = [](endpoint at) -> task<result<void>> {
        auto a = co_await ok(udp::connect(at));
        auto b = co_await ok(udp::connect(at));
        EXPECT_EQ(co_await ok(ask(a, "wait")), "waiting");
        co_await ok(b.send("throw"));
        const auto cut = co_await within(10s, b.receive());
        EXPECT_TRUE(fails_with(cut, std::errc::operation_canceled));
        co_return {};
      };
      co_return co_await while_serving(handler, {}, watch, body);
    };
    auto caught = [&](scope& s) -> task<result<void>> {
      s.spawn(serving());
      co_return {};
    };
    try {
      static_cast<void>(co_await with_scope(caught));
    } catch (const std::runtime_error&) {
      is_thrown = true;
    }
    EXPECT_TRUE(is_cut);
    EXPECT_TRUE(is_thrown);
    co_return {};
  });
}

TEST_P(udp_server, peers_beyond_the_cap_are_dropped_and_told_of) {
  play([]() -> task<result<void>> {
    udp::serve_watch watch;
    std::size_t refused = 0;
    event changed;
    watch.refused = [&](const endpoint&) {
      ++refused;
      changed.notify_all();
    };
    auto body = [&](endpoint at) -> task<result<void>> {
      auto first = co_await ok(udp::connect(at));
      auto second = co_await ok(udp::connect(at));
      EXPECT_EQ(co_await ok(ask(first, "1")), "1");
      co_await ok(second.send("2"));
      while (refused == 0) co_await ok(changed.wait());
      EXPECT_EQ(co_await ok(ask(first, "still")), "still");
      co_return {};
    };
    co_return co_await while_serving(echo_for_ever, {.max_sessions = 1}, watch, body);
  });
}

TEST_P(udp_server, a_session_keeps_a_bounded_number_of_datagrams) {
  play([]() -> task<result<void>> {
    udp::serve_watch watch;
    event go_on;
    bool may_go_on = false;
    std::uint64_t received = 0;
    std::uint64_t dropped = 0;
    watch.ended = [&](const udp::session& s, const error*) {
      received += s.counts().received;
      dropped += s.counts().dropped;
    };
    auto handler = [&](udp::session& peer) -> task<result<void>> {
      while (!may_go_on) co_await ok(go_on.wait());
      co_return co_await echo_for_ever(peer);
    };
    auto body = [&](endpoint at) -> task<result<void>> {
      auto client = co_await ok(udp::connect(at));
      for (int i = 0; i < 20; ++i) co_await ok(client.send(std::to_string(i)));
      // A second peer's answer tells that the first one's datagrams have been seen.
      may_go_on = true;
      auto other = co_await ok(udp::connect(at));
      EXPECT_EQ(co_await ok(ask(other, "seen?")), "seen?");
      go_on.notify_all();
      for (int i = 0; i < 4; ++i) {
        const udp::received got = co_await ok(within(10s, client.receive()));
        EXPECT_EQ(got.text(), std::to_string(i));
      }
      co_return {};
    };
    co_await ok(while_serving(handler, {.queue = 4}, watch, body));
    EXPECT_EQ(received, 21U);
    EXPECT_EQ(dropped, 16U);
    co_return {};
  });
}

// C14
TEST_P(udp_server, a_peer_that_may_be_forged_is_not_sent_more_than_it_sent) {
  play([]() -> task<result<void>> {
    udp::serve_watch watch;
    result<void> small, large, trusted;
    auto handler = [&](udp::session& peer) -> task<result<void>> {
      static_cast<void>(co_await ok(peer.receive()));
      small = co_await peer.send("1234");
      large = co_await peer.send("5");
      peer.trust();
      trusted = co_await peer.send("6");
      co_return {};
    };
    auto body = [](endpoint at) -> task<result<void>> {
      auto client = co_await ok(udp::connect(at));
      EXPECT_EQ(co_await ok(ask(client, "four")), "1234");
      const udp::received next = co_await ok(within(10s, client.receive()));
      EXPECT_EQ(next.text(), "6");
      co_return {};
    };
    co_await ok(while_serving(handler, {.answer_factor = 1}, watch, body));
    EXPECT_TRUE(succeeds(small));
    EXPECT_TRUE(fails_with(large, std::errc::operation_not_permitted));
    EXPECT_TRUE(succeeds(trusted));
    co_return {};
  });
}

// Goal: whatever a handler tries, the victim of a forged sender gets no byte more than the factor allows.
// Method: it tries too much, one byte too much, and all that is allowed; what arrives is counted.
TEST_P(udp_server, a_handler_that_answers_with_much_more_sends_no_byte_too_many) {
  play([]() -> task<result<void>> {
    udp::serve_watch watch;
    int refused = 0;
    event changed;
    auto handler = [&](udp::session& peer) -> task<result<void>> {
      const std::string much(1000, 'm');
      for (std::size_t allowed = 0;;) {
        allowed += 3 * (co_await ok(peer.receive())).payload().size();
        for (const std::size_t size : {much.size(), allowed + 1}) {
          auto sent = co_await peer.send(std::string_view(much).substr(0, size));
          EXPECT_TRUE(fails_with(sent, std::errc::operation_not_permitted));
          refused += sent ? 0 : 1;
        }
        changed.notify_all();
        if (allowed == 0) continue;
        co_await ok(peer.send(std::string_view(much).substr(0, allowed)));
        allowed = 0;
      }
    };
    auto body = [&](endpoint at) -> task<result<void>> {
      auto client = co_await ok(udp::connect(at));
      for (const std::size_t size : {std::size_t{1}, std::size_t{10}, std::size_t{100}})
        EXPECT_EQ((co_await ok(ask(client, std::string(size, 't')))).size(), 3 * size);
      co_await ok(client.send(""));  // It allows nothing.
      while (refused != 8) co_await ok(changed.wait());
      EXPECT_TRUE(fails_with(co_await within(5ms, client.receive()), std::errc::timed_out));
      co_return {};
    };
    co_return co_await while_serving(handler, {.answer_factor = 3}, watch, body);
  });
}

TEST_P(udp_server, a_failing_session_ends_alone) {
  play([]() -> task<result<void>> {
    udp::serve_watch watch;
    std::vector<std::string> failures;
    watch.ended = [&](const udp::session&, const error* why) {
      if (why != nullptr) failures.push_back(to_string(*why));
    };
    auto handler = [](udp::session& peer) -> task<result<void>> {
      const udp::received got = co_await ok(peer.receive());
      if (got.text() == "fail") co_return fail(std::errc::protocol_error, step::receive);
      co_return co_await peer.send(got.payload());
    };
    auto body = [](endpoint at) -> task<result<void>> {
      auto client = co_await ok(udp::connect(at));
      co_await ok(client.send("fail"));
      EXPECT_EQ(co_await ok(ask(client, "go on")), "go on");
      co_return {};
    };
    co_await ok(while_serving(handler, {}, watch, body));
    EXPECT_EQ(failures.size(), 1U);
    co_return {};
  });
}

TEST_P(udp_server, the_drain_time_lets_a_session_finish) {
  play([]() -> task<result<void>> {
    udp::serve_watch watch;
    event go_on;
    bool has_asked = false;
    result<void> answered = fail(std::errc::not_connected);
    auto handler = [&](udp::session& peer) -> task<result<void>> {
      const udp::received got = co_await ok(peer.receive());
      has_asked = true;
      go_on.notify_all();
      co_await ok(sleep(5ms));
      answered = co_await peer.send(got.payload());
      co_return {};
    };
    auto body = [&](endpoint at) -> task<result<void>> {
      auto client = co_await ok(udp::connect(at));
      co_await ok(client.send("slowly"));
      while (!has_asked) co_await ok(go_on.wait());
      co_return {};
    };
    co_await ok(while_serving(handler, {.drain = 10s}, watch, body));
    EXPECT_TRUE(succeeds(answered));
    co_return {};
  });
}

TEST_P(udp_server, while_it_drains_sessions_receive_and_none_begins) {
  play([]() -> task<result<void>> {
    udp::serve_watch watch;
    event changed;
    endpoint at;
    std::vector<std::string> received;
    result<void> served, answered = fail(std::errc::not_connected);
    watch.listening = [&](const endpoint& where) {
      at = where;
      changed.notify_all();
    };
    auto handler = [&](udp::session& peer) -> task<result<void>> {
      for (;;) {
        const udp::received got = co_await ok(peer.receive());
        received.emplace_back(got.text());
        changed.notify_all();
        if (got.text() == "last") co_return answered = co_await peer.send(got.payload());
      }
    };
    auto serve = [&]() -> task<result<void>> {
      served = co_await udp::serve("127.0.0.1:0", handler, {.drain = 60s, .watch = &watch});
      co_return {};
    };
    auto both = [&](scope& s) -> task<result<void>> {
      s.spawn(serve());
      while (at.is_empty()) co_await ok(changed.wait());
      auto client = co_await ok(udp::connect(at));
      co_await ok(client.send("first"));
      while (received.empty()) co_await ok(changed.wait());
      s.cancel();
      auto rest = [&]() -> task<result<void>> {
        auto stranger = co_await ok(udp::connect(at));
        co_await ok(stranger.send("too late"));
        co_await ok(client.send("second"));
        EXPECT_EQ(co_await ok(ask(client, "last")), "last");
        co_return {};
      };
      co_return co_await shield(60s, rest());
    };
    co_await ok(with_scope(both));
    EXPECT_TRUE(succeeds(served));
    EXPECT_TRUE(succeeds(answered));
    EXPECT_EQ(received, (std::vector<std::string>{"first", "second", "last"}));
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
