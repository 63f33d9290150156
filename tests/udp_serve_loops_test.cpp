// A server of datagrams on several loops: each peer has one session, and nothing it sends is lost, whenever
// loops come and go.  SO_REUSEPORT, socket(7)
#include <sys/socket.h>
#include <unistd.h>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <soquete/deadline.hpp>
#include <soquete/run.hpp>
#include <soquete/scope.hpp>
#include <soquete/udp_serve.hpp>
#include <thread>
#include <vector>

#include "on_each_driver.hpp"
#include "tcp_pair.hpp"
#include "udp_wire.hpp"

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class udp_serving_on_loops : public with_driver {};
ON_EACH_DRIVER(udp_serving_on_loops);

constexpr std::size_t peers = 60;

// What the sessions of all loops have seen. Peers are known by their ports.
class journal {
 public:
  void begun(const endpoint& peer) {
    std::lock_guard lock(mutex_);
    ++sessions_[peer.port()];
    threads_.insert(std::this_thread::get_id());
  }
  void received(const endpoint& peer, std::string_view text) {
    std::lock_guard lock(mutex_);
    ++datagrams_[{peer.port(), std::string(text)}];
    ++received_;
  }
  std::map<std::uint16_t, int> sessions() const {
    std::lock_guard lock(mutex_);
    return sessions_;
  }
  std::size_t threads() const {
    std::lock_guard lock(mutex_);
    return threads_.size();
  }
  std::size_t received() const {
    std::lock_guard lock(mutex_);
    return received_;
  }
  void expect_each_peer_had(int sessions) const {
    std::lock_guard lock(mutex_);
    EXPECT_EQ(sessions_.size(), peers);
    for (const auto& [peer, count] : sessions_) EXPECT_EQ(count, sessions) << peer;
  }
  void expect_each_came_once() const {
    std::lock_guard lock(mutex_);
    for (const auto& [what, count] : datagrams_) EXPECT_EQ(count, 1) << what.second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::uint16_t, int> sessions_;
  std::map<std::pair<std::uint16_t, std::string>, int> datagrams_;
  std::set<std::thread::id> threads_;
  std::size_t received_ = 0;
};

// Peers without the library, on a thread of their own.
class crowd {
 public:
  void meet(std::uint16_t port) {
    for (std::size_t i = 0; i != peers; ++i) wires_.emplace_back(port);
  }
  void send(std::string_view text) {
    for (const udp_wire& one : wires_) EXPECT_TRUE(one.send(text));
    sent_ += peers;
  }
  void expect_answers(std::string_view text) {
    for (const udp_wire& one : wires_) EXPECT_EQ(one.receive(), std::string(text));
  }
  std::size_t sent() const { return sent_; }

 private:
  std::deque<udp_wire> wires_;
  std::size_t sent_ = 0;
};

// Each loop serves in a scope of its own; `play` runs on a thread of its own, with all of them there.
struct stage {
  journal seen;
  crowd clients;
  udp::serve_watch watch;
  std::atomic<std::uint16_t> door = 0;
  std::atomic<unsigned> loops = 0;
  std::atomic<unsigned> present = 0;
  std::atomic<bool> is_over = false;
  std::atomic<unsigned> refused = 0;

  stage() {
    watch.listening = [this](const endpoint& at) { door = at.port(); };
    watch.refused = [this](const endpoint&) { ++refused; };
  }

  task<result<void>> echo(udp::session& peer) {
    seen.begun(peer.peer());
    for (;;) {
      const udp::received got = co_await ok(peer.receive());
      seen.received(peer.peer(), got.text());
      co_await ok(peer.send(got.payload()));
    }
  }
  udp::session_handler handler() {
    return [this](udp::session& peer) { return echo(peer); };
  }

  task<result<void>> until(const std::atomic<bool>& it) {
    co_return co_await wait_until([&it] { return it.load(); });
  }
};

// Serves until `end`.
task<result<void>> serve_until(stage& on, const std::atomic<bool>& end, std::string_view where,
                               udp::serve_options options) {
  options.watch = &on.watch;
  auto body = [&](scope& s) -> task<result<void>> {
    s.spawn(udp::serve(where, on.handler(), options));
    co_await ok(sleep(1ms));  // It has begun when this ends, whatever the time.
    ++on.present;
    co_await ok(on.until(end));
    s.cancel();
    co_return {};
  };
  co_return co_await with_scope(body);
}

template <class Play>
void with_crowd(stage& on, const run_options& how, const run_body& program, Play play) {
  std::thread other([&] {
    play();
    on.is_over = true;
  });
  EXPECT_TRUE(succeeds(run(how, program)));
  on.is_over = true;
  other.join();
}

void wait_for(const std::function<bool()>& it) {
  const auto end = clock::now() + test_loop::guard;
  while (!it() && clock::now() < end) std::this_thread::yield();
  EXPECT_TRUE(it()) << "it did not come";
}

TEST_P(udp_serving_on_loops, a_sender_of_the_first_moment_has_one_session) {
  stage on;
  on.watch.listening = [&](const endpoint& at) {
    on.clients.meet(at.port());
    on.clients.send("first");
  };
  auto program = [&] { return serve_until(on, on.is_over, "127.0.0.1:0", {.max_sessions = peers}); };
  with_crowd(on, {.threads = 3, .driver = GetParam()}, program, [&] {
    wait_for([&] { return on.present == 3; });
    on.clients.send("second");
    wait_for([&] { return on.seen.received() == 2 * peers; });
  });
  on.seen.expect_each_peer_had(1);
  on.seen.expect_each_came_once();
  EXPECT_EQ(on.seen.threads(), 3U);
  EXPECT_EQ(on.refused, 0U);
}

// A supervisor may tell others at once.
TEST_P(udp_serving_on_loops, it_is_ready_once_when_the_sockets_of_all_loops_are_bound) {
  stage on;
  std::atomic<int> told = 0;
  std::size_t addresses = 0;
  on.watch.ready = [&](std::span<const endpoint> all) {
    ++told;
    addresses = all.size();
    on.clients.meet(on.door);
    on.clients.send("at once");
  };
  auto program = [&] { return serve_until(on, on.is_over, "127.0.0.1:0|localhost:0", {}); };
  with_crowd(on, {.threads = 3, .driver = GetParam()}, program, [&] {
    wait_for([&] { return on.seen.received() == peers; });
    wait_for([&] { return on.present == 3; });
  });
  EXPECT_EQ(told, 1);
  EXPECT_EQ(addresses, 1U);
  on.seen.expect_each_peer_had(1);
}

// Datagrams come before the kernel knows all sockets among which it spreads the senders.
TEST_P(udp_serving_on_loops, a_sender_between_two_binds_has_one_session) {
  stage on;
  struct bind_watch : trace_sink {
    stage& of;
    explicit bind_watch(stage& s) : of(s) {
      told = [](trace_sink* self, const trace_event& e) noexcept {
        if (e.what != step::bind) return;
        crowd& clients = static_cast<bind_watch*>(self)->of.clients;
        sockaddr_in at{};
        socklen_t size = sizeof at;
        ::getsockname(e.descriptor, reinterpret_cast<sockaddr*>(&at), &size);
        if (clients.sent() == 0) clients.meet(ntohs(at.sin_port));
        clients.send("after " + std::to_string(clients.sent()));
      };
    }
  } sends(on);
  auto program = [&] { return serve_until(on, on.is_over, "127.0.0.1:0", {}); };
  with_crowd(on, {.threads = 3, .driver = GetParam(), .trace = &sends}, program, [&] {
    wait_for([&] { return on.present == 3; });
    on.clients.send("at last");
    wait_for([&] { return on.seen.received() == 4 * peers; });
  });
  EXPECT_EQ(on.clients.sent(), 4 * peers);
  on.seen.expect_each_peer_had(1);
  on.seen.expect_each_came_once();
}

TEST_P(udp_serving_on_loops, where_one_loop_serves_it_serves_all) {
  stage on;
  auto program = [&]() -> task<result<void>> {
    const bool is_first = on.loops++ == 0;
    if (is_first) co_return co_await serve_until(on, on.is_over, "localhost:0", {});
    co_return co_await on.until(on.is_over);
  };
  with_crowd(on, {.threads = 3, .driver = GetParam()}, program, [&] {
    wait_for([&] { return on.door != 0; });
    on.clients.meet(on.door);
    on.clients.send("hello");
    on.clients.expect_answers("hello");
  });
  on.seen.expect_each_peer_had(1);
  EXPECT_EQ(on.seen.threads(), 1U);
}

TEST_P(udp_serving_on_loops, a_loop_that_comes_late_gets_sessions_too) {
  stage on;
  std::atomic<bool> may_come = false;
  crowd later;
  auto program = [&]() -> task<result<void>> {
    const bool is_first = on.loops++ == 0;
    if (!is_first) co_await ok(on.until(may_come));
    co_return co_await serve_until(on, on.is_over, "127.0.0.1:0", {});
  };
  with_crowd(on, {.threads = 2, .driver = GetParam()}, program, [&] {
    wait_for([&] { return on.door != 0; });
    on.clients.meet(on.door);
    on.clients.send("hello");
    on.clients.expect_answers("hello");  // So one loop has both sockets now.
    may_come = true;
    wait_for([&] { return on.present == 2; });
    EXPECT_EQ(on.seen.threads(), 1U);
    later.meet(on.door);
    for (crowd* all : {&on.clients, &later}) {
      all->send("once more");
      all->expect_answers("once more");
    }
  });
  EXPECT_EQ(on.seen.threads(), 2U);
  EXPECT_EQ(on.seen.sessions().size(), 2 * peers);
  for (const auto& [peer, count] : on.seen.sessions()) EXPECT_EQ(count, 1) << peer;
}

TEST_P(udp_serving_on_loops, an_inherited_socket_is_served_by_all_loops) {
  stage on;
  const udp_wire theirs;
  const std::string where = "fd:" + std::to_string(::dup(theirs.number()));
  auto program = [&] { return serve_until(on, on.is_over, where, {}); };
  with_crowd(on, {.threads = 2, .driver = GetParam()}, program, [&] {
    wait_for([&] { return on.present == 2; });
    on.clients.meet(theirs.port());
    for (const char* text : {"one", "two", "three"}) {
      on.clients.send(text);
      on.clients.expect_answers(text);
    }
  });
  on.seen.expect_each_peer_had(1);
  EXPECT_EQ(on.seen.threads(), 2U);
}

// A loop that does not get round to them would collect datagrams for ever.
TEST_P(udp_serving_on_loops, datagrams_on_their_way_to_a_busy_loop_have_a_bound_and_are_counted) {
  stage on;
  constexpr std::uint64_t sent = 1500, on_their_way = 1024;
  std::atomic<bool> is_busy = false, may_go_on = false;
  std::atomic<std::uint64_t> arrived = 0;
  udp::session_counts of_busy;
  on.watch.ended = [&](const udp::session& s, const error*) {
    if (s.counts().dropped != 0) of_busy = s.counts();
  };
  auto handler = [&](udp::session& peer) -> task<result<void>> {
    for (;;) {
      const udp::received got = co_await ok(peer.receive());
      if (got.text() == "be busy") {
        is_busy = true;
        wait_for([&] { return may_go_on.load(); });
      }
      if (got.text() == "x") {
        ++arrived;
        continue;
      }
      co_await ok(peer.send(got.payload()));
    }
  };
  const udp_wire theirs;
  const std::string where = "fd:" + std::to_string(::dup(theirs.number()));
  auto program = [&]() -> task<result<void>> {
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(udp::serve(where, udp::session_handler(handler), {.queue = sent, .watch = &on.watch}));
      co_await ok(sleep(1ms));
      ++on.present;
      co_await ok(on.until(on.is_over));
      s.cancel();
      co_return {};
    };
    co_return co_await with_scope(body);
  };
  with_crowd(on, {.threads = 2, .driver = GetParam()}, program, [&] {
    wait_for([&] { return on.present == 2; });
    // The loop that receives has the first session, the other one the second.
    const udp_wire first(theirs.port()), second(theirs.port());
    EXPECT_TRUE(first.send("hello"));
    EXPECT_EQ(first.receive(), "hello");
    EXPECT_TRUE(second.send("be busy"));
    wait_for([&] { return is_busy.load(); });
    for (std::uint64_t i = 0; i != sent; ++i) {
      EXPECT_TRUE(second.send("x"));
      if (i % 50 != 0 && i + 1 != sent) continue;
      EXPECT_TRUE(first.send("seen?"));
      EXPECT_EQ(first.receive(), "seen?");
    }
    may_go_on = true;
    EXPECT_EQ(second.receive(), "be busy");
    wait_for([&] { return arrived == on_their_way; });
  });
  EXPECT_EQ(of_busy.received, sent + 1);
  EXPECT_EQ(of_busy.dropped, sent - on_their_way);
}

// Goal: a loop that stops serving takes nothing along.
// Method: peers send all the time, never more at once than the kernel's buffers hold; meanwhile a loop goes.
void play_early_end(driver_choice which, std::chrono::nanoseconds drain) {
  stage on;
  std::atomic<bool> may_go = false, has_gone = false;
  auto program = [&]() -> task<result<void>> {
    const bool is_first = on.loops++ == 0;
    co_await ok(serve_until(on, is_first ? on.is_over : may_go, "127.0.0.1:0", {.drain = drain}));
    if (!is_first) has_gone = true;
    co_return co_await on.until(on.is_over);
  };
  with_crowd(on, {.threads = 2, .driver = which}, program, [&] {
    wait_for([&] { return on.present == 2; });
    on.clients.meet(on.door);
    const auto round = [&](const std::string& text) {
      on.clients.send(text);
      wait_for([&] { return on.seen.received() == on.clients.sent(); });
    };
    round("before");
    EXPECT_EQ(on.seen.threads(), 2U);
    may_go = true;
    for (int i = 0; i < 20 || !has_gone; ++i) round("while " + std::to_string(i));
    round("after");
  });
  on.seen.expect_each_came_once();
  int once = 0, twice = 0;
  for (const auto& [peer, count] : on.seen.sessions()) ++(count == 1 ? once : twice);
  EXPECT_GT(once, 0) << "the sessions of the loop that has stayed";
  EXPECT_GT(twice, 0) << "those of the other have begun anew";
}

TEST_P(udp_serving_on_loops, a_loop_that_ends_early_loses_nothing) { play_early_end(GetParam(), 0ms); }
TEST_P(udp_serving_on_loops, a_loop_that_drains_loses_nothing) { play_early_end(GetParam(), 20ms); }

// Goal: nothing is lost at the end of a session, nor at the birth of the next.
// Method: sessions end after a silence that is about as long as the peers' own.
TEST_P(udp_serving_on_loops, sessions_that_end_all_the_time_lose_nothing) {
  stage on;
  auto program = [&] { return serve_until(on, on.is_over, "127.0.0.1:0", {.idle = 200us}); };
  with_crowd(on, {.threads = 2, .driver = GetParam()}, program, [&] {
    wait_for([&] { return on.present == 2; });
    on.clients.meet(on.door);
    for (int i = 0; i != 100; ++i) {
      on.clients.send(std::to_string(i));
      wait_for([&] { return on.seen.received() == on.clients.sent(); });
    }
  });
  on.seen.expect_each_came_once();
  EXPECT_EQ(on.seen.sessions().size(), peers);
}

}  // namespace
}  // namespace soquete::test
