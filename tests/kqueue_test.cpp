// The kqueue poller without a kqueue: each call is compared with a script, and answered from it.
#include "kernel/kqueue.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <deque>
#include <optional>

namespace soquete::kernel {

static void PrintTo(const kqueue_event& e, std::ostream* out) {
  *out << "{ident " << e.ident << ", filter " << e.filter << ", flags 0x" << std::hex << e.flags
       << ", fflags 0x" << e.filter_flags << std::dec << ", data " << e.data << ", place "
       << (e.user_data & 0xffffffffU) << ", generation " << (e.user_data >> 32U) << "}";
}

static void PrintTo(const ready_event& e, std::ostream* out) {
  *out << "place " << e.token.place << ", generation " << e.token.generation
       << (e.readable ? ", readable" : "") << (e.writable ? ", writable" : "")
       << (e.hung_up ? ", hung up" : "");
}

namespace {

using namespace std::chrono_literals;
namespace filter = kqueue_filter;
namespace flag = kqueue_flag;
namespace note = kqueue_note;
using events = std::vector<kqueue_event>;

constexpr std::uint64_t waking = ~std::uint64_t{0};
constexpr std::uint16_t added = flag::add | flag::clear;
constexpr std::uint16_t added_now = added | flag::receipt;
constexpr std::uint16_t removed_now = flag::remove | flag::receipt;
constexpr time_point start{};

constexpr std::uint64_t named(poll_token token) {
  return std::uint64_t{token.generation} << 32 | token.place;
}

// Calls as the poller makes them.
kqueue_event reading(int fd, poll_token t, std::uint16_t flags = added) {
  return {std::uint64_t(fd), filter::read, flags, (flags & flag::add) != 0 ? note::urgent : 0, 0, named(t)};
}
kqueue_event writing(int fd, poll_token t, std::uint16_t flags = added) {
  return {std::uint64_t(fd), filter::write, flags, 0, 0, named(t)};
}
// What the kernel tells.
kqueue_event bytes_on(int fd, poll_token t) {
  return {std::uint64_t(fd), filter::read, flag::clear, 0, 1, named(t)};
}
kqueue_event receipt(kqueue_event of, int cause) {
  of.flags = of.flags | flag::error;
  of.data = cause;
  return of;
}

class scripted_calls final : public kqueue_calls {
 public:
  struct step {
    events changes;
    std::optional<std::chrono::nanoseconds> wait;  // Nothing: for ever.
    events answers;
    int outcome = 0;  // Below 0: the call fails.
  };

  ~scripted_calls() override { EXPECT_TRUE(script.empty()) << script.size() << " calls were not made"; }

  int exchange(std::span<const kqueue_event> changes, std::span<kqueue_event> into,
               const timespec* wait) noexcept override {
    if (script.empty()) {
      ADD_FAILURE() << "a call too many: " << testing::PrintToString(events(changes.begin(), changes.end()));
      return 0;
    }
    const step now = std::move(script.front());
    script.pop_front();
    EXPECT_EQ(events(changes.begin(), changes.end()), now.changes);
    std::optional<std::chrono::nanoseconds> waited;
    if (wait != nullptr)
      waited = std::chrono::seconds(wait->tv_sec) + std::chrono::nanoseconds(wait->tv_nsec);
    EXPECT_EQ(waited, now.wait);
    if (now.outcome < 0) return now.outcome;
    EXPECT_LE(now.answers.size(), into.size());
    std::ranges::copy(now.answers, into.begin());
    return static_cast<int>(now.answers.size());
  }

  std::deque<step> script;
};

class kqueue : public testing::Test {
 protected:
  kqueue() {
    const kqueue_event wake_up{0, filter::user, added_now, 0, 0, waking};
    expect({{wake_up}, 0ns, {receipt(wake_up, 0)}});
    EXPECT_TRUE(poller_.open());
  }
  ~kqueue() override { EXPECT_TRUE(calls_.script.empty()) << "calls were not made"; }

  void expect(scripted_calls::step next) { calls_.script.push_back(std::move(next)); }

  void add(int fd, poll_token token) {
    expect({{reading(fd, token, added_now)}, 0ns, {receipt(reading(fd, token, added_now), 0)}});
    EXPECT_EQ(poller_.add(fd, token), 0);
  }
  // One wait without end: what it changes, what the kernel tells, what comes of it.
  std::vector<ready_event> wait(events changes, events told) {
    expect({std::move(changes), std::nullopt, std::move(told), 0});
    const auto got = poller_.wait(start, time_point::max());
    return {got.begin(), got.end()};
  }

  scripted_calls& calls_ = *new scripted_calls;
  kqueue_poller poller_{std::unique_ptr<kqueue_calls>(&calls_)};
  static constexpr poll_token first{0, 1};
  static constexpr poll_token second{1, 1};
};

using ready = std::vector<ready_event>;

// What events mean --------------------------------------------------------------------------------------

struct meaning {
  const char* what;
  std::int16_t filter;
  std::uint16_t flags;
  std::uint32_t filter_flags;
  std::int64_t data;
  std::optional<ready_event> told;
};

constexpr poll_token someone{0, 1};

const meaning meanings[] = {
    {"bytes", filter::read, flag::clear, 0, 5, {{someone, true, false, false}}},
    {"a client in the backlog", filter::read, flag::clear, 0, 1, {{someone, true, false, false}}},
    {"the peer has finished",
     filter::read,
     flag::clear | flag::end_of_file,
     0,
     0,
     {{someone, true, false, true}}},
    {"bytes, then the end",
     filter::read,
     flag::clear | flag::end_of_file,
     0,
     9,
     {{someone, true, false, true}}},
    {"a reset", filter::read, flag::clear | flag::end_of_file, ECONNRESET, 0, {{someone, true, true, true}}},
    // An errno may have the bit of an urgent byte: ENOENT is 2.
    {"an error that looks urgent", filter::read, flag::end_of_file, ENOENT, 0, {{someone, true, true, true}}},
    {"urgent bytes", filter::read, flag::clear, note::urgent, 3, {{someone, true, false, true}}},
    {"room", filter::write, flag::clear, 0, 4096, {{someone, false, true, false}}},
    {"a connection made", filter::write, flag::clear, 0, 131072, {{someone, false, true, false}}},
    {"a connection refused",
     filter::write,
     flag::end_of_file,
     ECONNREFUSED,
     0,
     {{someone, false, true, false}}},
    {"nobody reads", filter::write, flag::end_of_file, 0, 0, {{someone, false, true, false}}},
    {"nothing to remove", filter::write, flag::remove | flag::error, 0, ENOENT, {}},
    {"a receipt", filter::write, flag::add | flag::error, 0, 0, {}},
    {"a pipe without a reader",
     filter::write,
     flag::add | flag::error,
     0,
     EPIPE,
     {{someone, true, true, true}}},
    {"a descriptor closed by others", filter::read, flag::error, 0, EBADF, {{someone, true, true, true}}},
    {"a filter that nobody asked for", -3, flag::clear, 0, 0, {}},
};

TEST_F(kqueue, each_event_has_its_meaning) {
  add(7, someone);
  for (const meaning& m : meanings) {
    SCOPED_TRACE(m.what);
    const ready got = wait({}, {{7, m.filter, m.flags, m.filter_flags, m.data, named(someone)}});
    EXPECT_EQ(got, m.told ? ready{*m.told} : ready{});
  }
}

TEST_F(kqueue, events_of_several_sockets_come_in_order_and_under_their_names) {
  add(7, first);
  add(8, second);
  const poll_token late{1, 0};  // Whoever had the place before: it is for the driver to know.
  EXPECT_EQ(wait({}, {bytes_on(8, second), bytes_on(7, first), bytes_on(8, late)}),
            (ready{{second, true, false, false}, {first, true, false, false}, {late, true, false, false}}));
}

// Interest ----------------------------------------------------------------------------------------------

TEST_F(kqueue, writing_is_registered_while_it_is_wanted) {
  add(7, first);
  poller_.want(7, first, false, true);
  EXPECT_EQ(wait({reading(7, first), writing(7, first)}, {writing(7, first)}),
            (ready{{first, false, true, false}}));
  EXPECT_EQ(wait({}, {}), ready{}) << "nothing has changed";
  poller_.want(7, first, false, false);
  wait({writing(7, first, flag::remove)}, {});
  poller_.want(7, first, false, false);
  wait({}, {});
}

TEST_F(kqueue, wanting_again_asks_again) {
  add(7, first);
  poller_.want(7, first, true, false);
  wait({reading(7, first)}, {});
  poller_.want(7, first, true, true);
  wait({reading(7, first), writing(7, first)}, {});
  poller_.want(7, first, true, true);  // A level may have been told already; it is to be told anew.
  wait({reading(7, first), writing(7, first)}, {});
}

TEST_F(kqueue, what_is_taken_back_before_the_wait_is_not_registered) {
  add(7, first);
  poller_.want(7, first, false, true);
  poller_.want(7, first, false, false);
  wait({}, {});
}

TEST_F(kqueue, changes_of_one_turn_travel_in_one_call) {
  add(7, first);
  add(8, second);
  poller_.want(7, first, false, true);
  poller_.want(8, second, false, true);
  poller_.want(7, first, true, true);
  wait({reading(8, second), writing(8, second), reading(7, first), writing(7, first)}, {});
}

TEST_F(kqueue, more_changes_than_fit_go_with_the_next_wait_which_comes_at_once) {
  std::vector<std::uint64_t> asked;
  for (std::uint32_t i = 0; i < 200; ++i) {
    add(int(i) + 10, {i, 1});
    poller_.want(int(i) + 10, {i, 1}, false, true);
  }
  events changes;
  for (std::uint32_t i = 200; i-- > 0;) {
    changes.push_back(reading(int(i) + 10, {i, 1}));
    changes.push_back(writing(int(i) + 10, {i, 1}));
  }
  expect({events(changes.begin(), changes.begin() + 256), 0ns, {}});
  EXPECT_TRUE(poller_.wait(start, time_point::max()).empty());
  wait(events(changes.begin() + 256, changes.end()), {});
}

// Coming and going --------------------------------------------------------------------------------------

TEST_F(kqueue, what_is_removed_is_removed_from_the_kernel_too) {
  add(7, first);
  expect({{reading(7, first, removed_now)}, 0ns, {receipt(reading(7, first, removed_now), 0)}});
  poller_.remove(7, first);
  add(7, second);
  poller_.want(7, second, false, true);
  wait({reading(7, second), writing(7, second)}, {});
  expect({{reading(7, second, removed_now), writing(7, second, removed_now)},
          0ns,
          {receipt(reading(7, second, removed_now), 0), receipt(writing(7, second, removed_now), ENOENT)}});
  poller_.remove(7, second);
  wait({}, {});
}

TEST_F(kqueue, a_change_still_to_be_made_does_not_strike_the_next_socket_of_that_number) {
  add(7, first);
  poller_.want(7, first, false, true);
  expect({{reading(7, first, removed_now)}, 0ns, {receipt(reading(7, first, removed_now), 0)}});
  poller_.remove(7, first);
  const poll_token next{0, 2};  // The same place and the same number.
  add(7, next);
  wait({}, {});
  poller_.want(7, next, true, false);
  poller_.want(7, first, false, true);  // Nobody's any more.
  wait({reading(7, next)}, {});
}

TEST_F(kqueue, a_descriptor_that_is_refused_is_an_error) {
  for (const int cause : {EBADF, ENOMEM, EACCES}) {
    expect({{reading(9, first, added_now)}, 0ns, {receipt(reading(9, first, added_now), cause)}});
    EXPECT_EQ(poller_.add(9, first), -cause);
  }
  expect({{reading(9, first, added_now)}, 0ns, {}, -ENOMEM});
  EXPECT_EQ(poller_.add(9, first), -ENOMEM);
}

TEST_F(kqueue, a_pipe_whose_other_end_has_gone_is_accepted) {
  expect({{reading(9, first, added_now)}, 0ns, {receipt(reading(9, first, added_now), EPIPE)}});
  EXPECT_EQ(poller_.add(9, first), 0);
}

TEST_F(kqueue, a_device_that_cannot_count_its_bytes_is_asked_for_one) {
  kqueue_event one = reading(9, first, added_now);
  one.filter_flags = note::enough;
  one.data = 1;
  expect({{reading(9, first, added_now)}, 0ns, {receipt(reading(9, first, added_now), EINVAL)}});
  expect({{one}, 0ns, {receipt(one, 0)}});
  EXPECT_EQ(poller_.add(9, first), 0);
  poller_.want(9, first, false, true);
  kqueue_event again = one;
  again.flags = added;
  kqueue_event writes = writing(9, first);
  writes.filter_flags = note::enough;
  writes.data = 1;
  wait({again, writes}, {});
}

TEST_F(kqueue, a_device_that_refuses_even_that_is_an_error) {
  kqueue_event one = reading(9, first, added_now);
  one.filter_flags = note::enough;
  one.data = 1;
  expect({{reading(9, first, added_now)}, 0ns, {receipt(reading(9, first, added_now), EINVAL)}});
  expect({{one}, 0ns, {receipt(one, EINVAL)}});
  EXPECT_EQ(poller_.add(9, first), -EINVAL);
}

// Time, signals, other threads --------------------------------------------------------------------------

TEST_F(kqueue, it_waits_as_long_as_it_is_told) {
  const time_point now = start + 100s;
  const std::pair<time_point, std::optional<std::chrono::nanoseconds>> waits[] = {
      {now, 0ns},
      {now - 1s, 0ns},
      {now + 1ns, 1ns},
      {now + 1'500ms, 1'500ms},
      {time_point::max(), {}},
      {now + std::chrono::years(9), 24h},
  };
  for (const auto& [until, expected] : waits) {
    expect({{}, expected, {}});
    EXPECT_TRUE(poller_.wait(now, until).empty());
  }
}

TEST_F(kqueue, an_interrupted_call_has_made_its_changes) {
  add(7, first);
  poller_.want(7, first, false, true);
  expect({{reading(7, first), writing(7, first)}, std::nullopt, {}, -EINTR});
  EXPECT_TRUE(poller_.wait(start, time_point::max()).empty());
  wait({}, {});
  expect({{reading(8, second, added_now)}, 0ns, {}, -EINTR});
  EXPECT_EQ(poller_.add(8, second), 0);
}

TEST_F(kqueue, a_wake_up_is_sent_and_is_nobodys_event) {
  const kqueue_event trigger{0, filter::user, 0, note::trigger, 0, waking};
  expect({{trigger}, 0ns, {}, -EINTR});
  expect({{trigger}, 0ns, {}});
  poller_.wake();
  add(7, first);
  EXPECT_EQ(wait({}, {{0, filter::user, flag::clear, 0, 0, waking}, bytes_on(7, first)}),
            (ready{{first, true, false, false}}));
}

TEST(kqueue_without_events, does_not_open) {
  auto calls = std::make_unique<scripted_calls>();
  const kqueue_event wake_up{0, filter::user, added_now, 0, 0, waking};
  calls->script.push_back({{wake_up}, 0ns, {receipt(wake_up, EINVAL)}});
  kqueue_poller poller(std::move(calls));
  const auto opened = poller.open();
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error() == std::errc::invalid_argument);
  EXPECT_EQ(opened.error().during(), step::start_driver);
}

}  // namespace
}  // namespace soquete::kernel
