// Simulated streams: how they begin, what they carry, how they break.  docs/simulation.md; faults.md, group B
#include <gtest/gtest.h>

#include <optional>
#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>
#include <string>
#include <vector>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

// Two hosts, a link between them, and what each has met.
struct two_hosts {
  explicit two_hosts(const sim::link_options& how = {.delay = {10ms, 10ms}}) { w.link(server, client, how); }
  // Runs it to the end; nothing may go wrong.
  void run() {
    w.run_for(48h);
    EXPECT_EQ(w.failure(), "");
  }
  double seconds() const { return std::chrono::duration<double>(w.now()).count(); }

  sim::world w{1};
  sim::host& server = w.host("server");
  sim::host& client = w.host("client");
};

std::string said(const result<tcp::stream>& got) { return got ? "connected" : got.error().code().message(); }
template <class T>
std::string said(const result<T>& got) {
  return got ? "success" : got.error().code().message();
}
std::string message(std::errc cause) { return std::make_error_code(cause).message(); }

// Takes one client and keeps it for that long, silent.
task<result<void>> keep_one(std::chrono::nanoseconds how_long) {
  auto l = co_await ok(tcp::listen(":7"));
  tcp::stream peer = co_await ok(l.accept());
  co_await ok(sleep(std::chrono::duration_cast<clock::duration>(how_long)));
  co_return {};
}

TEST(sim_connect, a_closed_port_refuses_after_the_round_trip) {
  two_hosts both;
  std::string got;
  both.client.spawn([&]() -> task<result<void>> {
    got = said(co_await tcp::connect(endpoint(both.server.addresses()[0], 7)));
    co_return {};
  });
  both.run();
  EXPECT_EQ(got, message(std::errc::connection_refused));
  EXPECT_EQ(both.w.now(), 20ms);
}

// Accepts, and resets at once.
task<result<void>> accept_and_abort() {
  auto l = co_await ok(tcp::listen(":7"));
  for (;;) {
    tcp::stream peer = co_await ok(l.accept());
    peer.abort();
  }
}

// Established after 20 ms, reset after 40 ms.
TEST(sim_connect, who_stands_still_until_the_connection_is_reset_hears_only_of_the_reset) {
  for (const auto how_long : {15ms, 35ms}) {
    two_hosts both;
    both.server.spawn(accept_and_abort);
    std::string got;
    both.client.spawn([&]() -> task<result<void>> {
      const auto peer = co_await tcp::connect(endpoint(both.server.addresses()[0], 7));
      got = said(peer);
      EXPECT_EQ(both.w.now(), 10ms + how_long);
      co_return {};
    });
    both.w.at(10ms, [&] { both.client.pause(how_long); });
    both.run();
    EXPECT_EQ(got, how_long == 15ms ? "connected" : message(std::errc::connection_reset));
  }
}

TEST(sim_connect, nobody_there_is_a_timeout_after_127_seconds_as_on_linux) {
  two_hosts both;
  both.w.partition(both.server, both.client);
  std::string got;
  both.client.spawn([&]() -> task<result<void>> {
    got = said(co_await tcp::connect(endpoint(both.server.addresses()[0], 7)));
    co_return {};
  });
  both.run();
  EXPECT_EQ(got, message(std::errc::timed_out));
  EXPECT_EQ(both.w.now(), 127s);
}

TEST(sim_connect, a_lost_packet_is_sent_again) {
  two_hosts both;
  both.w.partition(both.server, both.client);
  both.w.at(2s, [&] { both.w.heal(); });
  std::string got;
  both.server.spawn([] { return keep_one(0s); });
  both.client.spawn([&]() -> task<result<void>> {
    auto s = co_await tcp::connect("server:7");
    got = said(s);
    EXPECT_EQ(both.w.now(), 3s + 20ms) << "the third packet goes out after three seconds";
    co_return {};
  });
  both.run();
  EXPECT_EQ(got, "connected");
}

TEST(sim_connect, a_full_queue_makes_clients_wait) {
  two_hosts both;
  std::vector<std::string> got(3);
  both.server.spawn([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen(":7", {.backlog = 0}));
    co_await ok(sleep(10s));
    for (int i = 0; i != 3; ++i) tcp::stream peer = co_await ok(l.accept());
    co_return {};
  });
  for (std::string& told : got)
    both.client.spawn([&told]() -> task<result<void>> {
      told = said(co_await tcp::connect("server:7"));
      co_return {};
    });
  both.run();
  EXPECT_EQ(got, (std::vector<std::string>(3, "connected")));
  EXPECT_GT(both.w.now(), 10s) << "two waited for room";
}

TEST(sim_connect, cancelled_it_comes_to_nothing_and_leaves_nothing) {
  two_hosts both;
  std::string got;
  both.server.spawn([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen(":7"));
    auto none = co_await within(1min, l.accept());
    EXPECT_FALSE(none);
    co_return {};
  });
  both.client.spawn([&]() -> task<result<void>> {
    got = said(co_await within(5ms, tcp::connect("server:7")));
    EXPECT_EQ(both.w.netstat().find("client"), std::string::npos) << both.w.netstat();
    co_return {};
  });
  both.run();
  EXPECT_EQ(got, message(std::errc::timed_out));
}

TEST(sim_stream, a_rate_takes_its_time) {
  two_hosts both({.delay = {1ms, 1ms}, .bytes_per_second = 1'000'000, .window = {1 << 20, 1 << 20}});
  std::size_t got = 0;
  both.server.spawn([&]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen(":7"));
    tcp::stream peer = co_await ok(l.accept());
    for (;;) {
      lease data = co_await ok(peer.receive());
      if (data.empty()) break;
      got += data.size();
    }
    EXPECT_GT(both.seconds(), 10.0);
    EXPECT_LT(both.seconds(), 10.1);
    co_return {};
  });
  both.client.spawn([&]() -> task<result<void>> {
    tcp::stream peer = co_await ok(tcp::connect("server:7"));
    co_await ok(peer.send(std::string(10'000'000, 'x')));
    co_return peer.finish();
  });
  both.run();
  EXPECT_EQ(got, 10'000'000U);
}

TEST(sim_stream, a_peer_that_does_not_read_holds_the_sender_back) {
  two_hosts both({.window = {1000, 1000}});
  std::size_t taken = 0;
  both.server.spawn([] { return keep_one(1h); });
  both.client.spawn([&]() -> task<result<void>> {
    tcp::stream peer = co_await ok(tcp::connect("server:7", {.send_buffer = 2000}));
    const std::string much(10'000, 'x');
    for (;;) {
      auto some = co_await within(1min, peer.send_some(as_bytes(much)));
      if (!some) break;
      taken += *some;
    }
    peer.abort();
    co_return {};
  });
  both.run();
  EXPECT_EQ(taken, 3000U);
}

TEST(sim_stream, half_of_it_may_close_before_the_other) {
  two_hosts both;
  std::string got;
  both.server.spawn([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen(":7"));
    tcp::stream peer = co_await ok(l.accept());
    lease end = co_await ok(peer.receive());
    EXPECT_TRUE(end.empty());
    co_await ok(peer.send("still here"));
    co_return {};
  });
  both.client.spawn([&]() -> task<result<void>> {
    tcp::stream peer = co_await ok(tcp::connect("server:7"));
    co_await ok(peer.finish());
    EXPECT_EQ(said(co_await peer.send("x")), message(std::errc::broken_pipe));
    lease data = co_await ok(peer.receive());
    got = data.text();
    data = co_await ok(peer.receive());
    EXPECT_TRUE(data.empty());
    co_return {};
  });
  both.run();
  EXPECT_EQ(got, "still here");
}

// What the other end does to a client that has connected and sent `x`; what the client then meets, step by
// step.
std::string met(std::function<task<result<void>>(tcp::stream)> other_end) {
  two_hosts both;
  std::string told;
  both.server.spawn([&]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen(":7"));
    tcp::stream peer = co_await ok(l.accept());
    co_return co_await other_end(std::move(peer));
  });
  both.client.spawn([&]() -> task<result<void>> {
    tcp::stream peer = co_await ok(tcp::connect("server:7"));
    co_await ok(peer.send("x"));
    co_await ok(sleep(1s));
    for (int i = 0; i != 2; ++i) {
      told += said(co_await peer.send("y")) + "; ";
      co_await ok(sleep(1s));
    }
    for (int i = 0; i != 2; ++i) {
      auto data = co_await peer.receive();
      told += data ? "received " + std::string(data->text()) + "; " : said(data) + "; ";
    }
    co_return {};
  });
  both.run();
  return told;
}

// simulation.md, section 4.9: what the kernel was seen to do.
TEST(sim_stream, a_peer_that_has_closed_lets_one_send_pass_and_then_breaks_the_pipe) {
  const auto close = [](tcp::stream peer) -> task<result<void>> {
    lease data = co_await ok(peer.receive());
    co_return {};
  };
  EXPECT_EQ(met(close), "success; " + message(std::errc::broken_pipe) + "; received ; received ; ");
}

TEST(sim_stream, a_peer_that_leaves_bytes_unread_resets_once) {
  const auto close = [](tcp::stream peer) -> task<result<void>> {
    co_await ok(peer.readable());
    co_return {};
  };
  EXPECT_EQ(met(close), message(std::errc::connection_reset) + "; " + message(std::errc::broken_pipe) +
                            "; received ; received ; ");
}

TEST(sim_stream, bytes_before_a_reset_are_received_before_it) {
  two_hosts both;
  std::string told;
  both.server.spawn([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen(":7"));
    tcp::stream peer = co_await ok(l.accept());
    co_await ok(peer.send("last"));
    peer.abort();
    co_return {};
  });
  both.client.spawn([&]() -> task<result<void>> {
    tcp::stream peer = co_await ok(tcp::connect("server:7"));
    for (int i = 0; i != 3; ++i) {
      auto data = co_await peer.receive();
      told += data ? "received " + std::string(data->text()) + "; " : said(data) + "; ";
    }
    co_return {};
  });
  both.run();
  EXPECT_EQ(told, "received last; " + message(std::errc::connection_reset) + "; received ; ");
}

TEST(sim_stream, a_listener_that_closes_resets_who_was_not_accepted) {
  two_hosts both;
  std::string told;
  both.server.spawn([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen(":7"));
    co_await ok(sleep(1s));
    co_return {};
  });
  both.client.spawn([&]() -> task<result<void>> {
    tcp::stream peer = co_await ok(tcp::connect("server:7"));
    told = said(co_await peer.receive());
    co_return {};
  });
  both.run();
  EXPECT_EQ(told, message(std::errc::connection_reset));
}

TEST(sim_stream, what_a_cut_holds_up_goes_on_in_order_afterwards) {
  two_hosts both;
  std::string sent, got;
  both.server.spawn([&]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen(":7"));
    tcp::stream peer = co_await ok(l.accept());
    for (;;) {
      lease data = co_await ok(peer.receive());
      if (data.empty()) break;
      got += data.text();
    }
    EXPECT_GT(both.w.now(), 1min);
    co_return {};
  });
  both.client.spawn([&]() -> task<result<void>> {
    tcp::stream peer = co_await ok(tcp::connect("server:7"));
    sent = both.w.bytes(500'000);
    co_await ok(peer.send(sent));
    co_return peer.finish();
  });
  both.w.at(50ms, [&] { both.w.partition(both.server, both.client); });
  both.w.at(1min, [&] { both.w.heal(); });
  both.run();
  EXPECT_TRUE(got == sent);
}

TEST(sim_stream, a_cut_that_never_heals_ends_the_sender_and_keep_alive_the_receiver) {
  two_hosts both;
  std::string sender, receiver;
  both.server.spawn([&]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen(":7"));
    tcp::stream peer = co_await ok(l.accept());
    co_await ok(peer.options().set_keep_alive({.idle = 1min, .interval = 10s, .count = 3}));
    lease data = co_await ok(peer.receive());
    receiver = said(co_await peer.receive());
    co_return {};
  });
  both.client.spawn([&]() -> task<result<void>> {
    tcp::stream peer = co_await ok(tcp::connect("server:7"));
    co_await ok(peer.send("x"));
    co_await ok(sleep(1s));
    both.w.partition(both.server, both.client);
    co_await ok(peer.send("y"));
    sender = said(co_await peer.receive());
    co_return {};
  });
  both.run();
  EXPECT_EQ(sender, message(std::errc::timed_out));
  EXPECT_EQ(receiver, message(std::errc::timed_out));
  EXPECT_GT(both.w.now(), 924s);
}

TEST(sim_host, one_that_crashed_knows_nothing_of_its_connections) {
  two_hosts both;
  std::vector<std::string> told;
  int starts = 0;
  both.server.spawn([&]() -> task<result<void>> {
    ++starts;
    auto l = co_await ok(tcp::listen(":7"));
    for (;;) {
      tcp::stream peer = co_await ok(l.accept());
      lease data = co_await ok(peer.receive());
    }
  });
  both.client.spawn([&]() -> task<result<void>> {
    tcp::stream peer = co_await ok(tcp::connect("server:7"));
    co_await ok(sleep(10s));
    told.push_back(said(co_await peer.send("x")));
    told.push_back(said(co_await peer.receive()));
    peer = co_await ok(tcp::connect("server:7"));
    told.push_back(said(co_await peer.send("x")));
    co_return {};
  });
  both.w.at(5s, [&] {
    both.server.crash();
    EXPECT_FALSE(both.server.is_up());
  });
  both.w.at(6s, [&] { both.server.restart(); });
  both.run();
  EXPECT_EQ(told, (std::vector<std::string>{"success", message(std::errc::connection_reset), "success"}));
  EXPECT_EQ(starts, 2);
}

TEST(sim_host, one_that_stands_still_answers_late) {
  two_hosts both;
  both.server.spawn([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen(":7"));
    tcp::stream peer = co_await ok(l.accept());
    lease data = co_await ok(peer.receive());
    co_await ok(peer.send(data));
    co_return {};
  });
  both.client.spawn([&]() -> task<result<void>> {
    tcp::stream peer = co_await ok(tcp::connect("server:7"));
    both.server.pause(30s);
    co_await ok(peer.send("x"));
    lease data = co_await ok(peer.receive());
    EXPECT_GE(both.w.now(), 30s);
    co_return {};
  });
  both.run();
}

TEST(sim_host, descriptors_run_out_and_come_back) {
  sim::world w(1);
  w.host("server").spawn([] {
    return tcp::serve(":7", [](tcp::stream peer) -> task<result<void>> {
      lease data = co_await ok(peer.receive());
      co_return {};
    });
  });
  w.host("client", {.descriptor_limit = 3}).spawn([]() -> task<result<void>> {
    std::vector<tcp::stream> all;
    for (int i = 0; i != 3; ++i) all.push_back(co_await ok(tcp::connect("server:7")));
    auto more = co_await tcp::connect("server:7");
    EXPECT_EQ(said(more), message(std::errc::too_many_files_open));
    all.pop_back();
    EXPECT_EQ(said(co_await tcp::connect("server:7")), "connected");
    co_return {};
  });
  w.run_for(1h);
  EXPECT_EQ(w.failure(), "");
}

TEST(sim_host, names_lead_to_both_families_the_newer_first) {
  two_hosts both;
  both.server.spawn([] { return keep_one(0s); });
  both.client.spawn([&]() -> task<result<void>> {
    tcp::stream peer = co_await ok(tcp::connect("server:7"));
    EXPECT_EQ(peer.peer(), endpoint(both.server.addresses()[0], 7));
    EXPECT_TRUE(peer.peer().addr().is_v6());
    auto nobody = co_await tcp::connect("nobody:7");
    EXPECT_FALSE(nobody);
    if (!nobody) EXPECT_EQ(nobody.error(), soquete::fault::name_not_found);
    co_return {};
  });
  both.run();
}

TEST(sim_host, what_is_not_simulated_is_refused) {
  sim::world w(1);
  w.host("one").spawn([]() -> task<result<void>> {
    const auto is_refused = [](const auto& got) {
      return !got && got.error() == soquete::fault::unsupported;
    };
    EXPECT_TRUE(is_refused(co_await tcp::listen(":7", {.fast_open_queue = 5})));
    EXPECT_TRUE(is_refused(co_await udp::bind(":9", {.mark = 7})));
    co_return {};
  });
  w.run_for(1h);
  EXPECT_EQ(w.failure(), "");
}

TEST(sim_host, a_blocking_call_is_done_at_once) {
  sim::world w(1);
  w.host("one").spawn([&]() -> task<result<void>> {
    const int seven = co_await ok(blocking([] { return 7; }));
    EXPECT_EQ(seven, 7);
    co_return {};
  });
  w.run_for(1h);
  EXPECT_EQ(w.failure(), "");
  EXPECT_EQ(w.now(), 0s);
}

}  // namespace
}  // namespace soquete::test
