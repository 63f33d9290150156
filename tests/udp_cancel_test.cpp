// Cancellation at every await on datagrams.
//
// Goal: whenever and however a task is asked to end, no datagram is lost or doubled that the kernel has not
// lost, and no batch stays lent. Method: as in cancel_test.
#include "each_moment.hpp"
#include "on_each_driver.hpp"
#include "udp_pair.hpp"

#include <algorithm>
#include <soquete/scope.hpp>
#include <soquete/udp_serve.hpp>
#include <string>
#include <vector>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class udp_cancelling : public with_driver {
 protected:
  static void at_all(const scenario& play, std::size_t least) {
    const std::size_t runs = at_each_moment(GetParam(), play);
    EXPECT_GE(runs, least);
  }
};
ON_EVERY_DRIVER(udp_cancelling);

constexpr int count = 24;
using numbers = std::vector<int>;

numbers all_numbers() {
  numbers all;
  for (int i = 0; i < count; ++i) all.push_back(i);
  return all;
}

int number_of(bytes payload) { return std::stoi(std::string(as_text(payload))); }

task<result<void>> send_all(udp::socket& from) {
  for (int i = 0; i < count; ++i) {
    co_await ok(from.send(std::to_string(i)));
    if (i % 3 == 0) co_await ok(yield());
  }
  co_return {};
}

// Goes on whatever happens outside.
task<result<void>> send_surely(udp::socket& from) { co_return co_await shield(10h, send_all(from)); }

using receiving = task<result<numbers>> (*)(udp::socket&, lent_memory&);

task<result<numbers>> receive_one(udp::socket& from, lent_memory&) {
  const udp::received got = co_await ok(from.receive());
  co_return numbers{number_of(got.payload())};
}

task<result<numbers>> receive_lent(udp::socket& from, lent_memory& memory) {
  const mutable_bytes room = memory.lend(16);
  auto got = co_await from.receive(room);
  const std::string text = lent_memory::take_back(room, got ? got->size : 0);
  if (!got) co_return fail(std::move(got.error()));
  co_return numbers{std::stoi(text)};
}

task<result<numbers>> receive_many(udp::socket& from, lent_memory&) {
  const udp::batch got = co_await ok(from.receive_batch());
  numbers all;
  for (const udp::datagram& d : got) all.push_back(number_of(d.payload));
  co_return all;
}

// Receives all, once more where a receive was ended.
task<result<void>> receive_stubbornly(udp::socket& from, lent_memory& memory, receiving how) {
  numbers all;
  result<void> ended;
  while (all.size() < count) {
    result<numbers> got = fail(std::errc::invalid_argument);
    if (ended)
      got = co_await how(from, memory);
    else
      got = co_await shield(10h, how(from, memory));
    if (got) {
      all.insert(all.end(), got->begin(), got->end());
    } else if (ended) {
      ended = fail(std::move(got.error()));
    } else {
      co_return fail(std::move(got.error()));
    }
  }
  EXPECT_EQ(all, all_numbers());
  co_return ended;
}

scenario receiving_by(receiving how) {
  return [how](lent_memory& memory) -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair());
    result<void> ended;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(send_surely(both.client));
      ended = co_await receive_stubbornly(both.server, memory, how);
      co_return {};
    };
    co_await ok(with_scope(body));
    co_return ended;
  };
}

TEST_P(udp_cancelling, a_receive_that_was_ended_leaves_the_datagram_to_the_next) {
  at_all(receiving_by(receive_one), 16);
}
TEST_P(udp_cancelling, a_receive_into_own_memory_leaves_the_datagram_to_the_next) {
  at_all(receiving_by(receive_lent), 16);
}
TEST_P(udp_cancelling, a_batch_that_was_not_given_is_given_to_the_next) {
  at_all(receiving_by(receive_many), 16);
}

// Many at once, each flush of three, so that now and then one has to wait for its turn.
task<result<void>> flush_until_ended(udp::socket& from, numbers& sent) {
  std::array<std::string, 3> texts;
  for (int next = 0; next < 120;) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      texts[i] = std::to_string(next + static_cast<int>(i));
      from.queue(nullptr, as_bytes(texts[i]));
    }
    auto done = co_await from.flush();
    EXPECT_EQ(from.queued(), 0U);
    if (!done) co_return fail(std::move(done.error()));
    EXPECT_EQ(done->sent, texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) sent.push_back(next++);
  }
  co_return {};
}

task<result<numbers>> receive_what_is_there(udp::socket& from) {
  numbers all;
  co_await ok(from.send_to(co_await ok(from.local()), "-1"));
  while (all.empty() || all.back() != -1) {
    const udp::batch got = co_await ok(from.receive_batch());
    for (const udp::datagram& d : got) all.push_back(number_of(d.payload));
  }
  all.pop_back();
  co_return all;
}

TEST_P(udp_cancelling, what_a_flush_has_sent_arrives_once_and_what_it_has_not_never) {
  at_all(
      [](lent_memory&) -> task<result<void>> {
        udp_pair both = co_await ok(open_udp_pair());
        numbers sent;
        auto ended = co_await flush_until_ended(both.client, sent);
        const numbers got = co_await ok(shield(10h, receive_what_is_there(both.server)));
        // The flush that was ended had sent a part of its own, from the first on.
        EXPECT_GE(got.size(), sent.size());
        EXPECT_LE(got.size(), sent.size() + 3);
        for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], static_cast<int>(i));
        co_return ended;
      },
      GetParam() == simulated ? 4 : 8);  // A simulated send is done at once: there are fewer moments.
}

// Two clients; each session takes two datagrams, so that what waits begins the next.
task<result<void>> serve_two_clients(std::vector<std::string>& received, std::chrono::nanoseconds drain) {
  endpoint at;
  event opened;
  udp::serve_watch watch;
  watch.listening = [&](const endpoint& where) {
    at = where;
    opened.notify_all();
  };
  const auto handler = [&](udp::session& peer) -> task<result<void>> {
    for (int i = 0; i < 2; ++i) {
      const udp::received got = co_await ok(peer.receive());
      received.emplace_back(got.text());
      co_await ok(peer.send(got.payload()));
    }
    co_return {};
  };
  auto body = [&](scope& s) -> task<result<void>> {
    s.spawn(udp::serve("127.0.0.1:0", udp::session_handler(handler), {.drain = drain, .watch = &watch}));
    while (at.is_empty()) co_await ok(opened.wait());
    auto a = co_await ok(udp::connect(at));
    auto b = co_await ok(udp::connect(at));
    for (int i = 0; i < 5; ++i) {
      co_await ok(a.send("a" + std::to_string(i)));
      co_await ok(b.send("b" + std::to_string(i)));
      if (i % 2 == 0) co_await ok(yield());
    }
    for (int i = 0; i < 5; ++i) {
      const udp::received of_a = co_await ok(a.receive());
      const udp::received of_b = co_await ok(b.receive());
      EXPECT_EQ(of_a.text(), "a" + std::to_string(i));
      EXPECT_EQ(of_b.text(), "b" + std::to_string(i));
    }
    s.cancel();
    co_return {};
  };
  co_return co_await with_scope(body);
}

TEST_P(udp_cancelling, a_server_ends_at_every_moment_and_gives_no_datagram_twice) {
  for (const std::chrono::nanoseconds drain : {0ns, std::chrono::nanoseconds(1ms)})
    at_all(
        [drain](lent_memory&) -> task<result<void>> {
          std::vector<std::string> received;
          auto how = co_await serve_two_clients(received, drain);
          std::sort(received.begin(), received.end());
          EXPECT_EQ(std::adjacent_find(received.begin(), received.end()), received.end());
          if (how) EXPECT_EQ(received.size(), 10U);
          co_return how;
        },
        12);
}

}  // namespace
}  // namespace soquete::test
