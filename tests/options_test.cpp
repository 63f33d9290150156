// Options of sockets: what is set is what is read, and what is wrong is told.  socket(7), tcp(7).
#include "on_each_driver.hpp"
#include "tcp_pair.hpp"

#include <unistd.h>
#include <string>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class options : public on_each_driver {
 protected:
  // Runs `ask` on the options of a connected client.
  template <class F>
  void on_client(F ask) {
    play([&ask]() -> task<result<void>> {
      auto both = co_await ok(connect_pair());
      ask(both.client.options());
      co_return {};
    });
  }
};
ON_EVERY_DRIVER(options);

template <class T, class V>
void expect_value(const result<T>& got, V wanted) {
  EXPECT_TRUE(succeeds(got));
  if (got) EXPECT_EQ(*got, wanted);
}

// The wrong value is refused as invalid_argument, and the words name the option.
void expect_refused(const result<void>& done, std::string_view name) {
  EXPECT_TRUE(fails_with(done, std::errc::invalid_argument)) << name;
  if (!done) EXPECT_NE(to_string(done.error()).find(name), std::string::npos) << to_string(done.error());
}

TEST_P(options, no_delay_is_on_and_can_be_switched) {
  on_client([](socket_options o) {
    expect_value(o.no_delay(), true);
    for (bool on : {false, true}) {
      EXPECT_TRUE(succeeds(o.set_no_delay(on)));
      expect_value(o.no_delay(), on);
    }
  });
}

TEST_P(options, keep_alive_is_off_and_can_be_switched) {
  on_client([](socket_options o) {
    expect_value(o.keep_alive(), false);
    EXPECT_TRUE(succeeds(o.set_keep_alive(true)));
    expect_value(o.keep_alive(), true);
  });
}

TEST_P(options, the_times_of_keep_alive_are_read_as_set) {
  on_client([](socket_options o) {
    EXPECT_TRUE(succeeds(o.set_keep_alive({.idle = 11s, .interval = 7s, .count = 3})));
    auto times = o.keep_alive_schedule();
    EXPECT_TRUE(succeeds(times));
    if (!times) return;
    EXPECT_EQ(times->idle, 11s);
    EXPECT_EQ(times->interval, 7s);
    EXPECT_EQ(times->count, 3U);
    expect_value(o.keep_alive(), true);
  });
}

TEST_P(options, impossible_times_of_keep_alive_are_refused) {
  on_client([](socket_options o) {
    expect_refused(o.set_keep_alive({.idle = 0s}), "TCP_KEEPIDLE");
    expect_refused(o.set_keep_alive({.idle = -1s}), "TCP_KEEPIDLE");
    expect_refused(o.set_keep_alive({.idle = 40'000s}), "TCP_KEEPIDLE");
    expect_refused(o.set_keep_alive({.interval = 0s}), "TCP_KEEPINTVL");
    expect_refused(o.set_keep_alive({.count = 0}), "TCP_KEEPCNT");
    expect_refused(o.set_keep_alive({.count = 128}), "TCP_KEEPCNT");
    expect_refused(o.set_keep_alive({.count = 4'000'000'000}), "TCP_KEEPCNT");
  });
}

TEST_P(options, the_user_timeout_is_read_as_set) {
  on_client([](socket_options o) {
    expect_value(o.user_timeout(), 0ms);
    EXPECT_TRUE(succeeds(o.set_user_timeout(12'345ms)));
    expect_value(o.user_timeout(), 12'345ms);
    expect_refused(o.set_user_timeout(-1ms), "TCP_USER_TIMEOUT");
    expect_refused(o.set_user_timeout(std::chrono::hours(24 * 365)), "TCP_USER_TIMEOUT");
  });
}

TEST_P(options, linger_is_nothing_or_a_time) {
  on_client([](socket_options o) {
    expect_value(o.linger(), std::nullopt);
    EXPECT_TRUE(succeeds(o.set_linger(5s)));
    expect_value(o.linger(), std::optional(5s));
    EXPECT_TRUE(succeeds(o.set_linger(std::nullopt)));
    expect_value(o.linger(), std::nullopt);
    expect_refused(o.set_linger(-1s), "SO_LINGER");
    expect_refused(o.set_linger(-7s), "SO_LINGER");
  });
}

TEST_P(options, buffers_are_doubled_by_the_kernel) {
  on_client([](socket_options o) {
    EXPECT_TRUE(succeeds(o.set_receive_buffer(50'000)));
    expect_value(o.receive_buffer(), 100'000);
    EXPECT_TRUE(succeeds(o.set_send_buffer(60'000)));
    expect_value(o.send_buffer(), 120'000);
  });
}

TEST_P(options, buffers_of_negative_size_are_refused) {
  on_client([](socket_options o) {
    expect_refused(o.set_receive_buffer(-1), "SO_RCVBUF");
    expect_refused(o.set_send_buffer(-1), "SO_SNDBUF");
    expect_refused(o.set_send_buffer(-70'000), "SO_SNDBUF");
    expect_refused(o.set_receive_buffer(5'000'000'000), "SO_RCVBUF");
    expect_refused(o.set_not_sent_low_water(-1), "TCP_NOTSENT_LOWAT");
  });
}

TEST_P(options, the_low_water_of_what_is_not_sent_is_read_as_set) {
  on_client([](socket_options o) {
    EXPECT_TRUE(succeeds(o.set_not_sent_low_water(65'536)));
    expect_value(o.not_sent_low_water(), 65'536);
  });
}

TEST_P(options, the_largest_segment_is_bounded) {
  NEEDS_THE_KERNEL("the simulated network refuses this option");
  on_client([](socket_options o) {
    auto size = o.max_segment();
    EXPECT_TRUE(size && *size > 500);
    EXPECT_TRUE(succeeds(o.set_max_segment(1000)));
    expect_refused(o.set_max_segment(5), "TCP_MAXSEG");
    expect_refused(o.set_max_segment(1'000'000), "TCP_MAXSEG");
  });
}

TEST_P(options, reuse_is_read_as_set) {
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("[::]:0"));
    expect_value(l.options().reuse_address(), true);
    expect_value(l.options().reuse_port(), false);
    expect_value(l.options().v6_only(), false);
    auto other =
        co_await ok(tcp::listen("[::]:0", {.reuse_address = false, .reuse_port = true, .v6_only = true}));
    expect_value(other.options().reuse_address(), false);
    expect_value(other.options().reuse_port(), true);
    expect_value(other.options().v6_only(), true);
    co_return {};
  });
}

TEST_P(options, code_points_are_read_as_set_on_v4_and_v6) {
  play([]() -> task<result<void>> {
    for (const char* on : {"127.0.0.1:0", "[::1]:0"}) {
      auto l = co_await ok(tcp::listen(on));
      auto both = co_await ok(connect_to(l));
      auto o = both.client.options();
      EXPECT_TRUE(succeeds(o.set_dscp(46)));
      expect_value(o.dscp(), 46U);
      expect_refused(o.set_dscp(64), "IP_TOS");
      expect_value(o.dscp(), 46U);
    }
    co_return {};
  });
}

TEST_P(options, a_mark_has_32_bits) {
  NEEDS_THE_KERNEL("the simulated network refuses this option");
  if (::geteuid() != 0) GTEST_SKIP() << "SO_MARK needs CAP_NET_ADMIN";
  on_client([](socket_options o) {
    for (std::uint32_t mark : {1U, 0x7fffffffU, 0x80000001U, 0xfffffffeU, 0xffffffffU}) {
      EXPECT_TRUE(succeeds(o.set_mark(mark)));
      expect_value(o.mark(), mark);
    }
  });
}

TEST_P(options, priorities_are_read_as_set) {
  on_client([](socket_options o) {
    EXPECT_TRUE(succeeds(o.set_priority(5)));
    expect_value(o.priority(), 5);
    expect_refused(o.set_priority(-1), "SO_PRIORITY");
    expect_value(o.priority(), 5);
  });
}

TEST_P(options, the_bound_device_is_read_as_set) {
  NEEDS_THE_KERNEL("the simulated network refuses this option");
  on_client([](socket_options o) {
    expect_value(o.bound_device(), "");
    EXPECT_TRUE(succeeds(o.set_bound_device("lo")));
    expect_value(o.bound_device(), "lo");
    EXPECT_TRUE(succeeds(o.set_bound_device("")));
    expect_value(o.bound_device(), "");
    auto none = o.set_bound_device("no-such-device");
    EXPECT_TRUE(fails_with(none, std::errc::no_such_device));
    if (!none) EXPECT_EQ(none.error().subject(), "no-such-device");
  });
}

TEST_P(options, congestion_control_is_chosen_by_name) {
  NEEDS_THE_KERNEL("the simulated network refuses this option");
  on_client([](socket_options o) {
    EXPECT_TRUE(succeeds(o.set_congestion_control("reno")));
    expect_value(o.congestion_control(), "reno");
    auto none = o.set_congestion_control("no-such-thing");
    EXPECT_TRUE(fails_with(none, std::errc::no_such_file_or_directory));
    if (!none)
      EXPECT_EQ(to_string(none.error()),
                "set option no-such-thing: no such file or directory (TCP_CONGESTION)");
  });
}

TEST_P(options, fast_open_and_deferral_are_taken_by_listeners) {
  NEEDS_THE_KERNEL("the simulated network refuses this option");
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    EXPECT_TRUE(succeeds(l.options().set_fast_open(16)));
    EXPECT_TRUE(succeeds(l.options().set_defer_accept(1s)));
    expect_refused(l.options().set_fast_open(-1), "TCP_FASTOPEN");
    auto both = co_await ok(connect_pair());
    expect_refused(both.client.options().set_fast_open_connect(true), "TCP_FASTOPEN_CONNECT");
    co_return {};
  });
}

TEST_P(options, fast_open_carries_the_first_bytes) {
  NEEDS_THE_KERNEL("the simulated network refuses this option");
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0", {.fast_open_queue = 16}));
    const endpoint door = co_await ok(door_of(l));
    for (int i = 0; i != 3; ++i) {
      tcp::stream client = co_await ok(tcp::connect(door, {.fast_open = true}));
      co_await ok(client.send("early"));
      tcp::stream server = co_await ok(l.accept());
      lease got = co_await ok(server.receive());
      EXPECT_EQ(got.text(), "early");
    }
    co_return {};
  });
}

TEST_P(options, no_error_is_pending_on_a_healthy_stream) {
  on_client([](socket_options o) {
    auto none = o.take_pending_error();
    EXPECT_TRUE(none && !*none);
  });
}

TEST_P(options, the_state_of_a_connection_is_told) {
  NEEDS_THE_KERNEL("segments and congestion are not simulated");
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    const std::string sent = pattern(100'000);
    co_await ok(both.client.send(sent));
    const std::string got = co_await ok(receive_some(both.server, sent.size()));
    EXPECT_TRUE(got == sent);
    co_await ok(wait_until([&] {
      auto now = both.client.info();
      return now && now->bytes_acknowledged >= sent.size();
    }));
    const tcp_info ours = co_await ok(both.client.info());
    EXPECT_EQ(ours.now, tcp_info::state::established);
    EXPECT_GT(ours.round_trip, 0us);
    EXPECT_LT(ours.round_trip, 10s);
    EXPECT_GT(ours.congestion_window, 0U);
    EXPECT_GT(ours.send_segment_max, 500U);
    EXPECT_EQ(ours.not_sent, 0U);
    const tcp_info theirs = co_await ok(both.server.info());
    EXPECT_EQ(theirs.bytes_received, sent.size());
    co_await ok(both.server.finish());
    co_await ok(wait_until([&] {
      auto now = both.client.info();
      return now && now->now == tcp_info::state::close_wait;
    }));
    co_return {};
  });
}

TEST_P(options, a_buffer_is_set_before_the_connection) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair({}, {.receive_buffer = 30'000, .send_buffer = 40'000}));
    expect_value(both.client.options().receive_buffer(), 60'000);
    expect_value(both.client.options().send_buffer(), 80'000);
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
