// Copying in bulk: bytes that stay in the kernel on their way from one socket to the other.
#include "each_moment.hpp"
#include "on_each_driver.hpp"
#include "tcp_pair.hpp"

#include <sys/resource.h>
#include <unistd.h>
#include <soquete/local.hpp>
#include <soquete/scope.hpp>
#include <soquete/stream.hpp>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

// Sees how many bytes were spliced, in and out.
struct splice_count : trace_sink {
  explicit splice_count(loop& here) noexcept : on(here.net()) {
    told = [](trace_sink* self, const trace_event& event) noexcept {
      auto& count = *static_cast<splice_count*>(self);
      if (event.note != "splice" || event.cause) return;
      (event.what == step::receive ? count.in : count.out) += event.amount;
    };
    on.trace = this;
  }
  ~splice_count() { on.trace = nullptr; }
  driver& on;
  std::int64_t in = 0;
  std::int64_t out = 0;
};

class splicing : public on_each_driver {};
ON_EVERY_DRIVER(splicing);

constexpr std::size_t much = 6'000'000;

// client -> (left) relay (right) -> server
struct relayed {
  relayed(tcp_pair a, tcp_pair b) noexcept
      : client(std::move(a.client)),
        left(std::move(a.server)),
        right(std::move(b.client)),
        server(std::move(b.server)) {}
  tcp::stream client, left, right, server;
};
task<result<relayed>> connect_relay(tcp::listen_options of_target = {}) {
  auto one = co_await ok(connect_pair());
  auto other = co_await ok(connect_pair(of_target));
  co_return relayed(std::move(one), std::move(other));
}

task<result<void>> send_and_finish(tcp::stream& to, std::string_view text) {
  co_await ok(to.send(text));
  co_return to.finish();
}

task<result<void>> copy_counting(tcp::stream& from, tcp::stream& to, std::uint64_t& count) {
  count = co_await ok(copy(from, to));
  co_return {};
}

// Sends `sent` through the relay, to the end; what has come out of it.
task<result<std::string>> through(relayed& r, std::string_view sent) {
  std::string got;
  std::uint64_t copied = 0;
  auto body = [&](scope& s) -> task<result<void>> {
    s.spawn(send_and_finish(r.client, sent));
    s.spawn(copy_counting(r.left, r.right, copied));
    got = co_await ok(receive_all(r.server));
    co_return {};
  };
  co_await ok(with_scope(body));
  EXPECT_EQ(copied, sent.size());
  co_return got;
}

TEST_P(splicing, bulk_stays_in_the_kernel) {
  play([this]() -> task<result<void>> {
    auto r = co_await ok(connect_relay());
    splice_count spliced(here());
    const std::string sent = pattern(much);
    const std::string got = co_await ok(through(r, sent));
    EXPECT_TRUE(got == sent);
    EXPECT_EQ(spliced.in, spliced.out);
    if (GetParam() == simulated)
      EXPECT_EQ(spliced.in, 0);
    else
      EXPECT_GT(spliced.in, 1'000'000);
    co_return {};
  });
}

TEST_P(splicing, a_target_that_is_slow_gets_all_of_it) {
  play([]() -> task<result<void>> {
    auto r = co_await ok(connect_relay({.receive_buffer = 16'384}));
    const std::string sent = pattern(much / 4);
    const std::string got = co_await ok(through(r, sent));
    EXPECT_TRUE(got == sent);
    co_return {};
  });
}

// Small pieces are copied, and bulk is spliced again after them.
TEST_P(splicing, bulk_and_small_pieces_in_turns_keep_their_order) {
  play([this]() -> task<result<void>> {
    auto r = co_await ok(connect_relay());
    splice_count spliced(here());
    const std::string large = pattern(much / 2);
    std::uint64_t copied = 0;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(copy_counting(r.left, r.right, copied));
      for (int i = 0; i < 3; ++i) {
        std::string got;
        auto take = [](tcp::stream& from, std::size_t size, std::string& into) -> task<result<void>> {
          into = co_await ok(receive_some(from, size));
          co_return {};
        };
        auto both = [&](scope& inner) -> task<result<void>> {
          inner.spawn(take(r.server, large.size(), got));
          co_await ok(r.client.send(large));
          co_return {};
        };
        co_await ok(with_scope(both));
        EXPECT_TRUE(got == large);
        for (int n = 0; n < 10; ++n) {
          const std::string word = "word " + std::to_string(n);
          co_await ok(r.client.send(word));
          const std::string back = co_await ok(receive_some(r.server, word.size()));
          EXPECT_EQ(back, word);
        }
      }
      co_return r.client.finish();
    };
    co_await ok(with_scope(body));
    EXPECT_GT(copied, 3 * large.size());
    if (GetParam() != simulated) EXPECT_GT(spliced.in, 1'000'000);
    co_return {};
  });
}

// What a driver has received in advance, or a socket has brought along, comes first.
TEST_P(splicing, what_has_arrived_before_comes_first) {
  play([]() -> task<result<void>> {
    auto r = co_await ok(connect_relay());
    const std::string sent = pattern(much);
    std::string got;
    std::uint64_t copied = 0;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(send_and_finish(r.client, sent));
      got = co_await ok(receive_some(r.left, 10));
      r.left = co_await ok(tcp::stream::adopt(r.left.release()));
      s.spawn(copy_counting(r.left, r.right, copied));
      got += co_await ok(receive_all(r.server));
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_TRUE(got == sent);
    EXPECT_EQ(copied, sent.size() - 10);
    co_return {};
  });
}

task<result<void>> send_for_ever(tcp::stream& to, const std::string& bytes) {
  for (;;) co_await ok(to.send(bytes));
}

// Without a signal: SIGPIPE would end this program.
TEST_P(splicing, a_target_that_is_reset_is_an_error_and_no_signal) {
  play([]() -> task<result<void>> {
    auto r = co_await ok(connect_relay());
    const std::string sent = pattern(much / 4);
    auto reset_midway = [](tcp::stream& at) -> task<result<void>> {
      static_cast<void>(co_await receive_some(at, much));
      at.abort();
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(send_for_ever(r.client, sent));
      s.spawn(reset_midway(r.server));
      auto copied = co_await copy(r.left, r.right);
      EXPECT_TRUE(fails_with(copied, std::errc::connection_reset) ||
                  fails_with(copied, std::errc::broken_pipe));
      s.cancel();
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

TEST_P(splicing, a_source_that_is_reset_is_an_error_and_the_target_is_not_finished) {
  play([]() -> task<result<void>> {
    auto r = co_await ok(connect_relay());
    const std::string sent = pattern(much / 2);
    auto send_and_abort = [](tcp::stream& at, const std::string& bytes) -> task<result<void>> {
      co_await ok(at.send(bytes));
      at.abort();
      co_return {};
    };
    auto take = [](tcp::stream& from) -> task<result<void>> {
      static_cast<void>(co_await ok(receive_all(from)));
      co_return fail(std::errc::no_message);  // No end may come.
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(send_and_abort(r.client, sent));
      s.spawn(take(r.server));
      auto copied = co_await copy(r.left, r.right);
      EXPECT_TRUE(fails_with(copied, std::errc::connection_reset));
      co_await ok(sleep(1ms));
      s.cancel();
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

// A pipe costs two descriptors. Where there are none, bytes are copied.
TEST_P(splicing, without_descriptors_for_a_pipe_it_goes_on) {
  NEEDS_THE_KERNEL("its hosts have limits of their own");
  play([this]() -> task<result<void>> {
    auto r = co_await ok(connect_relay());
    splice_count spliced(here());
    const std::string sent = pattern(much / 2);
    rlimit before{};
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit few{64, before.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    std::vector<owned_descriptor> taken;
    for (int next; (next = ::dup(STDERR_FILENO)) >= 0;) taken.emplace_back(next);
    auto got = co_await through(r, sent);
    taken.clear();
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_TRUE(got && *got == sent);
    EXPECT_EQ(spliced.in, 0);
    co_return {};
  });
}

TEST_P(splicing, local_streams_are_spliced_too) {
  play([this]() -> task<result<void>> {
    auto near = co_await ok(local::pair());
    auto far = co_await ok(local::pair());
    splice_count spliced(here());
    const std::string sent = pattern(much);
    std::string got;
    auto press = [](local::stream& to, const std::string& bytes) -> task<result<void>> {
      co_await ok(to.send(bytes));
      co_return to.finish();
    };
    auto relay = [](local::stream& from, local::stream& to) -> task<result<void>> {
      co_await ok(copy(from, to));
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(press(near.first, sent));
      s.spawn(relay(near.second, far.first));
      for (;;) {
        const lease piece = co_await ok(far.second.receive());
        if (piece.empty()) co_return {};
        got += piece.text();
      }
    };
    co_await ok(with_scope(body));
    EXPECT_TRUE(got == sent);
    EXPECT_EQ(spliced.in, spliced.out);
    co_return {};
  });
}

// However it is ended: no descriptor, no buffer and no operation is left, and what came out is a beginning.
TEST_P(splicing, it_can_be_ended_at_each_moment) {
  NEEDS_THE_KERNEL("it does not splice");
  const std::string sent = pattern(much / 4);
  const std::size_t runs = at_each_moment(GetParam(), [&](lent_memory&) -> task<result<void>> {
    auto r = co_await ok(connect_relay());
    std::string got;
    std::uint64_t copied = 0;
    auto take = [](tcp::stream& from, std::string& into) -> task<result<void>> {
      for (;;) {
        const lease piece = co_await ok(from.receive());
        if (piece.empty()) co_return {};
        into += piece.text();
      }
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(send_and_finish(r.client, sent));
      s.spawn(copy_counting(r.left, r.right, copied));
      s.spawn(take(r.server, got));
      co_return {};
    };
    auto ended = co_await with_scope(body);
    EXPECT_TRUE(sent.starts_with(got));
    EXPECT_TRUE(!ended || got.size() == sent.size());
    co_return ended;
  });
  EXPECT_GT(runs, 20U);
}

}  // namespace
}  // namespace soquete::test
