// Local streams: bytes, descriptors and credentials.  unix(7)
#include "child.hpp"
#include "local_name.hpp"
#include "on_each_driver.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <array>
#include <soquete/deadline.hpp>
#include <soquete/local.hpp>
#include <soquete/pipe.hpp>
#include <soquete/scope.hpp>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class local_stream : public on_each_driver {};
ON_EVERY_DRIVER(local_stream);
// Its tests make the loop in a child.
class local_stream_alone : public with_driver {};
ON_EACH_DRIVER(local_stream_alone);

struct ends {
  std::array<owned_descriptor, 1> reading;
  std::array<owned_descriptor, 1> writing;
};
ends make_ends() {
  std::array<int, 2> both{-1, -1};
  EXPECT_EQ(::pipe2(both.data(), O_CLOEXEC), 0);
  return {{owned_descriptor(both[0])}, {owned_descriptor(both[1])}};
}

// Has everybody who could write closed it?
bool is_at_end(const owned_descriptor& reading) {
  char byte;
  ::fcntl(reading.descriptor(), F_SETFL, O_NONBLOCK);
  return ::read(reading.descriptor(), &byte, 1) == 0;
}

TEST_P(local_stream, bytes_arrive_whole_and_in_order_both_ways_and_then_the_end) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(local::pair());
    const std::string big(1'000'000, 'x');
    auto body = [&](scope& s) -> task<result<void>> {
      auto sending = [&]() -> task<result<void>> {
        co_await ok(both.first.send(big));
        const std::array<bytes, 2> parts{as_bytes("one"), as_bytes("two")};
        co_await ok(both.first.send(std::span<const bytes>(parts)));
        co_return both.first.finish();
      };
      s.spawn(sending());
      std::string all;
      for (;;) {
        lease piece = co_await ok(both.second.receive());
        if (piece.empty()) break;
        all += piece.text();
      }
      EXPECT_EQ(all, big + "onetwo");
      co_await ok(both.second.send("back"));
      std::array<std::byte, 3> few;
      const std::size_t got = co_await ok(both.first.receive(few));
      EXPECT_EQ(got, 3U);
      lease rest = co_await ok(both.first.receive());
      EXPECT_EQ(rest.text(), "k");
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

TEST_P(local_stream, descriptors_travel_as_copies_that_the_receiver_owns) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(local::pair());
    ends pipe = make_ends();
    co_await ok(both.first.send("take it", pipe.writing));
    EXPECT_TRUE(pipe.writing[0].is_open());
    pipe.writing[0] = owned_descriptor();
    {
      local::message m = co_await ok(both.second.receive_message());
      EXPECT_EQ(m.payload.text(), "take it");
      EXPECT_FALSE(m.handles_lost);
      EXPECT_EQ(m.handles.size(), 1U);
      if (m.handles.size() == 1) {
        EXPECT_EQ(::fcntl(m.handles[0].descriptor(), F_GETFD), FD_CLOEXEC);
        EXPECT_EQ(::write(m.handles[0].descriptor(), "!", 1), 1);
      }
    }
    char byte = 0;
    EXPECT_EQ(::read(pipe.reading[0].descriptor(), &byte, 1), 1);
    EXPECT_TRUE(is_at_end(pipe.reading[0]));
    co_return {};
  });
}

TEST_P(local_stream, descriptors_stay_with_the_bytes_that_they_were_sent_with) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(local::pair());
    ends pipe = make_ends();
    co_await ok(both.first.send("before"));
    co_await ok(both.first.send("with", pipe.writing));
    co_await ok(both.first.send("after"));
    std::string before;
    for (;;) {
      local::message m = co_await ok(both.second.receive_message());
      before += m.payload.text();
      if (m.handles.empty()) continue;
      // They come with the first byte of theirs, or with bytes before it that one call got as well.
      EXPECT_TRUE(before == "with" || before == "beforewith" || before == "withafter" ||
                  before == "beforewithafter")
          << before;
      break;
    }
    both.first.close();
    std::string rest;
    for (;;) {
      local::message m = co_await ok(both.second.receive_message());
      if (m.is_end) break;
      rest += m.payload.text();
      EXPECT_TRUE(m.handles.empty());
    }
    EXPECT_EQ(before + rest, "beforewithafter");
    co_return {};
  });
}

// Receives that know nothing of descriptors do not keep them.
TEST_P(local_stream, a_plain_receive_closes_what_came_beside_the_bytes) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(local::pair());
    ends pipe = make_ends();
    co_await ok(both.first.send("x", pipe.writing));
    pipe.writing[0] = owned_descriptor();
    lease got = co_await ok(both.second.receive());
    EXPECT_EQ(got.text(), "x");
    EXPECT_TRUE(is_at_end(pipe.reading[0]));
    co_return {};
  });
}

task<result<void>> receive_three_bytes(local::stream& from, std::string& into) {
  for (into.clear(); into.size() < 3;) into += (co_await ok(within(60s, from.receive()))).text();
  co_return {};
}

// A read ends where descriptors came, and what waits behind them brings no news of its own.
TEST_P(local_stream, a_plain_receive_gets_what_waits_behind_descriptors) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(local::pair());
    ends pipe = make_ends();
    const auto send_three = [&both, &pipe]() -> task<result<void>> {
      co_await ok(both.first.send("x", pipe.writing));
      co_return co_await both.first.send("yz");
    };
    std::string got;
    for (int i = 0; i != 3; ++i) {
      const auto while_it_waits = [&](scope& s) -> task<result<void>> {
        s.spawn(receive_three_bytes(both.second, got));
        co_await ok(sleep(1ms));
        co_return co_await send_three();
      };
      co_await ok(with_scope(while_it_waits));
      EXPECT_EQ(got, "xyz");
      co_await ok(send_three());
      co_await ok(sleep(1ms));
      co_await ok(receive_three_bytes(both.second, got));
      EXPECT_EQ(got, "xyz");
    }
    co_return {};
  });
}

TEST_P(local_stream, a_cancelled_receive_leaves_the_descriptors_that_come_later) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(local::pair());
    ends pipe = make_ends();
    for (int i = 0; i != 3; ++i) {
      auto nothing = co_await within(1ms, both.second.receive());
      EXPECT_TRUE(fails_with(nothing, std::errc::timed_out));
      auto none = co_await within(1ms, both.second.receive_message());
      EXPECT_TRUE(fails_with(none, std::errc::timed_out));
      co_await ok(both.first.send("x", pipe.writing));
      local::message m = co_await ok(both.second.receive_message());
      EXPECT_EQ(m.payload.text(), "x");
      EXPECT_EQ(m.handles.size(), 1U);
    }
    co_return {};
  });
}

TEST_P(local_stream, descriptors_that_nobody_received_are_closed_with_the_stream) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(local::pair());
    ends pipe = make_ends();
    for (int i = 0; i != 3; ++i) co_await ok(both.first.send("x", pipe.writing));
    pipe.writing[0] = owned_descriptor();
    both.second.close();
    both.first.close();
    co_await ok(sleep(1ms));
    // The kernel collects sockets in flight a moment later.
    for (int i = 0; i != 2000 && !is_at_end(pipe.reading[0]); ++i) co_await ok(sleep(1ms));
    EXPECT_TRUE(is_at_end(pipe.reading[0]));
    co_return {};
  });
}

TEST_P(local_stream, as_many_as_253_descriptors_go_and_no_more) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(local::pair());
    ends pipe = make_ends();
    std::vector<owned_descriptor> many;
    for (std::size_t i = 0; i != message_handles_max; ++i)
      many.push_back(co_await ok(pipe.writing[0].duplicate()));
    co_await ok(both.first.send("x", many));
    {
      local::message m = co_await ok(both.second.receive_message());
      EXPECT_EQ(m.handles.size(), message_handles_max);
      EXPECT_FALSE(m.handles_lost);
    }
    many.push_back(co_await ok(pipe.writing[0].duplicate()));
    auto refused = co_await both.first.send("x", many);
    EXPECT_TRUE(fails_with(refused, std::errc::invalid_argument));
    // Nothing of it has gone, and the stream goes on.
    co_await ok(both.first.send("y"));
    lease got = co_await ok(both.second.receive());
    EXPECT_EQ(got.text(), "y");
    co_return {};
  });
}

TEST_P(local_stream, handles_that_would_lose_something_are_refused) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(local::pair());
    ends pipe = make_ends();
    std::array<owned_descriptor, 1> unread{co_await ok(pipe.reading[0].duplicate())};
    unread[0].set_unread({std::byte{'x'}});
    auto refused = co_await both.first.send("x", unread);
    EXPECT_TRUE(fails_with(refused, std::errc::invalid_argument));
    EXPECT_NE(to_string(refused.error()).find("unread"), std::string::npos);
    const std::array<owned_descriptor, 1> empty{};
    auto nothing = co_await both.first.send("x", empty);
    EXPECT_TRUE(fails_with(nothing, std::errc::invalid_argument));
    auto without_bytes = co_await both.first.send("", pipe.reading);
    EXPECT_TRUE(fails_with(without_bytes, std::errc::invalid_argument));
    co_return {};
  });
}

// MSG_CTRUNC: the process may not have so many open.
TEST_P(local_stream_alone, descriptors_beyond_our_limit_are_lost_closed_and_told) {
  const child_ending how = in_a_child([] {
    const auto program = [&]() -> task<result<void>> {
      auto both = co_await ok(local::pair());
      ends pipe = make_ends();
      std::vector<owned_descriptor> many;
      for (int i = 0; i != 20; ++i) many.push_back(co_await ok(pipe.writing[0].duplicate()));
      co_await ok(both.first.send("x", many));
      many.clear();
      pipe.writing[0] = owned_descriptor();
      auto next = make_ends();
      const rlim_t limit = static_cast<rlim_t>(next.writing[0].descriptor()) + 1;
      next = ends();
      const rlimit few{limit, limit};
      EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
      {
        local::message m = co_await ok(both.second.receive_message());
        EXPECT_TRUE(m.handles_lost);
        EXPECT_GT(m.handles.size(), 0U);
        EXPECT_LT(m.handles.size(), 20U);
        EXPECT_EQ(m.payload.text(), "x");
      }
      EXPECT_TRUE(is_at_end(pipe.reading[0]));
      co_return {};
    };
    EXPECT_TRUE(succeeds(test_loop(GetParam()).run(program())));
    return 0;
  });
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

TEST_P(local_stream, the_peer_and_each_message_can_be_asked_who_it_is) {
  play([this]() -> task<result<void>> {
    auto both = co_await ok(local::pair());
    const bool is_real = GetParam() != simulated;
    const credentials us = is_real ? credentials{::getpid(), ::geteuid(), ::getegid()} : here().net().us();
    EXPECT_EQ(both.first.peer_credentials(), us);
    co_await ok(both.second.tell_sender(true));
    co_await ok(both.first.send("x"));
    local::message m = co_await ok(both.second.receive_message());
    EXPECT_TRUE(m.sender == us);
    co_await ok(both.second.tell_sender(false));
    co_await ok(both.first.send("y"));
    local::message quiet = co_await ok(both.second.receive_message());
    EXPECT_FALSE(quiet.sender.has_value());
    co_return {};
  });
}

TEST_P(local_stream, unread_bytes_reset_the_peer_and_sends_to_a_closed_one_fail) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(local::pair());
    co_await ok(both.first.send("never read"));
    both.second.close();
    auto reset = co_await both.first.receive();
    EXPECT_TRUE(fails_with(reset, std::errc::connection_reset));
    auto broken = co_await both.first.send("x");
    EXPECT_TRUE(fails_with(broken, std::errc::broken_pipe));
    co_return {};
  });
}

TEST_P(local_stream, a_send_with_descriptors_waits_for_a_slow_peer_and_breaks_when_cut) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(local::pair());
    ends pipe = make_ends();
    const std::string big(4'000'000, 'x');
    auto body = [&](scope& s) -> task<result<void>> {
      auto sending = [&]() -> task<result<void>> { co_return co_await both.first.send(big, pipe.writing); };
      s.spawn(sending());
      std::size_t size = 0, handles = 0;
      while (size != big.size()) {
        local::message m = co_await ok(both.second.receive_message());
        size += m.payload.size();
        handles += m.handles.size();
      }
      EXPECT_EQ(handles, 1U);
      co_return {};
    };
    co_await ok(with_scope(body));
    auto cut = co_await within(1ms, both.first.send(big, pipe.writing));
    EXPECT_TRUE(fails_with(cut, std::errc::timed_out));
    auto broken = co_await both.first.send("x", pipe.writing);
    EXPECT_TRUE(fails_with(broken, fault::stream_broken));
    auto plain = co_await both.first.send("x");
    EXPECT_TRUE(fails_with(plain, fault::stream_broken));
    co_return {};
  });
}

TEST_P(local_stream, a_released_stream_goes_on_where_it_is_adopted) {
  play([this]() -> task<result<void>> {
    auto both = co_await ok(local::pair());
    co_await ok(both.first.send("early"));
    owned_descriptor moved = both.second.release();
    local::stream again = co_await ok(local::stream::adopt(here(), std::move(moved)));
    lease got = co_await ok(again.receive());
    EXPECT_EQ(got.text(), "early");
    co_await ok(again.send("late"));
    lease back = co_await ok(both.first.receive());
    EXPECT_EQ(back.text(), "late");
    pipe_ends pipe = co_await ok(open_pipe(here()));
    auto wrong = local::stream::adopt(here(), pipe.reading.release());
    EXPECT_TRUE(fails_with(wrong, std::errc::invalid_argument));
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
