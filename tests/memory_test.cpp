// Streams in memory behave as connections do.
#include "test_loop.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <soquete/deadline.hpp>
#include <soquete/memory.hpp>
#include <soquete/scope.hpp>
#include <soquete/tcp.hpp>
#include <string>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

static_assert(byte_stream<memory::stream>);
static_assert(byte_stream<tcp::stream>);

void play(const std::function<task<result<void>>()>& body) {
  const baseline before = baseline::now();
  {
    test_loop loop(driver_choice::poll);
    const auto ended = loop.run(body());
    EXPECT_TRUE(ended) << to_string(ended.error());
    EXPECT_EQ(loop.here().timers().size(), 0U);
  }
  EXPECT_EQ(baseline::now(), before);
}

task<result<void>> send_all_of(memory::stream& to, std::string_view text) {
  co_await ok(to.send(text));
  co_return to.finish();
}

TEST(memory, bytes_go_both_ways) {
  play([]() -> task<result<void>> {
    auto ends = memory::pair();
    co_await ok(ends.first.send("there"));
    co_await ok(ends.second.send("back"));
    lease there = co_await ok(ends.second.receive());
    lease back = co_await ok(ends.first.receive());
    EXPECT_EQ(there.text(), "there");
    EXPECT_EQ(back.text(), "back");
    co_return {};
  });
}

TEST(memory, a_slow_reader_holds_the_writer_back) {
  play([]() -> task<result<void>> {
    auto ends = memory::pair(10);
    auto sent = co_await within(1ms, ends.first.send("12345678901"));
    EXPECT_TRUE(!sent && sent.error() == std::errc::timed_out);
    lease got = co_await ok(ends.second.receive());
    EXPECT_EQ(got.text(), "1234567890");
    co_return {};
  });
}

TEST(memory, more_than_fits_passes_through_the_smallest_pair) {
  play([]() -> task<result<void>> {
    auto ends = memory::pair(0);
    const std::string sent(1000, 'x');
    std::string got;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(send_all_of(ends.first, sent));
      for (;;) {
        lease piece = co_await ok(ends.second.receive());
        if (piece.empty()) co_return {};
        EXPECT_EQ(piece.size(), 1U);
        got += piece.text();
      }
    };
    co_await ok(with_scope(body));
    EXPECT_EQ(got, sent);
    co_return {};
  });
}

TEST(memory, the_end_lasts) {
  play([]() -> task<result<void>> {
    auto ends = memory::pair();
    co_await ok(ends.first.send("x"));
    co_await ok(ends.first.finish());
    lease got = co_await ok(ends.second.receive());
    EXPECT_EQ(got.text(), "x");
    for (int i = 0; i != 3; ++i) {
      got = co_await ok(ends.second.receive());
      EXPECT_TRUE(got.empty());
    }
    auto late = co_await ends.first.send("y");
    EXPECT_TRUE(!late && late.error() == std::errc::broken_pipe);
    co_await ok(ends.second.send("still"));
    got = co_await ok(ends.first.receive());
    EXPECT_EQ(got.text(), "still");
    co_return {};
  });
}

TEST(memory, a_small_room_is_filled_and_an_empty_one_is_a_mistake) {
  play([]() -> task<result<void>> {
    auto ends = memory::pair();
    co_await ok(ends.first.send("abc"));
    auto none = co_await ends.second.receive(mutable_bytes());
    EXPECT_TRUE(!none && none.error() == std::errc::invalid_argument);
    std::array<std::byte, 2> room;
    std::size_t size = co_await ok(ends.second.receive(room));
    EXPECT_EQ(as_text(bytes(room).first(size)), "ab");
    size = co_await ok(ends.second.receive(room));
    EXPECT_EQ(as_text(bytes(room).first(size)), "c");
    co_return {};
  });
}

TEST(memory, an_end_that_goes_without_a_word_resets) {
  play([]() -> task<result<void>> {
    auto ends = memory::pair();
    { const memory::stream gone = std::move(ends.second); }
    auto got = co_await ends.first.receive();
    EXPECT_TRUE(!got && got.error() == std::errc::connection_reset);
    auto sent = co_await ends.first.send("x");
    EXPECT_TRUE(!sent && sent.error() == std::errc::broken_pipe);
    co_return {};
  });
}

TEST(memory, an_end_that_goes_wakes_whoever_waits_for_it) {
  play([]() -> task<result<void>> {
    auto ends = memory::pair();
    auto leave = [](memory::stream& s) -> task<result<void>> {
      co_await ok(yield());
      const memory::stream gone = std::move(s);
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(leave(ends.second));
      auto got = co_await ends.first.receive();
      EXPECT_TRUE(!got && got.error() == std::errc::connection_reset);
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

TEST(memory, an_end_that_is_assigned_over_is_gone) {
  play([]() -> task<result<void>> {
    auto one = memory::pair();
    auto other = memory::pair();
    one.second = std::move(other.second);
    auto got = co_await within(1s, one.first.receive());
    EXPECT_TRUE(!got && got.error() == std::errc::connection_reset);
    co_await ok(other.first.send("x"));
    lease moved = co_await ok(one.second.receive());
    EXPECT_EQ(moved.text(), "x");
    co_return {};
  });
}

TEST(memory, bytes_sent_before_the_end_went_arrive) {
  play([]() -> task<result<void>> {
    auto ends = memory::pair();
    {
      memory::stream gone = std::move(ends.second);
      co_await ok(gone.send("last"));
    }
    lease got = co_await ok(ends.first.receive());
    EXPECT_EQ(got.text(), "last");
    auto reset = co_await ends.first.receive();
    EXPECT_TRUE(!reset && reset.error() == std::errc::connection_reset);
    co_return {};
  });
}

TEST(memory, a_cancelled_receive_loses_nothing) {
  play([]() -> task<result<void>> {
    auto ends = memory::pair();
    for (int i = 0; i != 10; ++i) {
      auto none = co_await within(1ms, ends.first.receive());
      EXPECT_TRUE(!none && none.error() == std::errc::timed_out);
      co_await ok(ends.second.send("x"));
      lease got = co_await ok(ends.first.receive());
      EXPECT_EQ(got.text(), "x");
    }
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
