// Servers stay, whatever fails: each call fails with each cause, each await is struck, and later clients are
// served.
#include <gtest/gtest.h>

#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>

#include "echo.hpp"

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

constexpr int tries = 5;

bool is_of_opening(const error& why) {
  return why.during() == step::open || why.during() == step::bind || why.during() == step::listen ||
         why.during() == step::set_option || why.during() == step::get_option;
}

// Starts a server again until it could be opened. Once it is, nothing but a request ends it.
task<result<void>> keep_serving(sim::world& w, task<result<void>> (*serve)()) {
  for (;;) {
    auto ended = co_await serve();
    if (!ended && is_of_opening(ended.error())) continue;
    w.always(ended || ended.error() == std::errc::operation_canceled,
             ended ? "" : "it stays: " + to_string(ended.error()));
    co_return ended;
  }
}

task<result<void>> ask_until_answered(sim::world& w, task<result<std::string>> (*ask)()) {
  bool is_answered = false;
  for (int i = 0; i != tries && !is_answered; ++i) {
    const auto got = co_await within(10s, ask());
    is_answered = got && *got == "hello";
    if (!is_answered && !co_await sleep(10s)) co_return fail(std::errc::operation_canceled);
  }
  w.always(is_answered, "one of five is answered");
  co_return {};
}

sim::scenario served_by(task<result<void>> (*serve)(), task<result<std::string>> (*ask)()) {
  return [serve, ask](sim::world& w) {
    sim::host& server = w.host("server");
    sim::host& client = w.host("client");
    w.link(server, client, {.delay = {1ms, 20ms}, .window = {1, 16}});
    server.spawn([&w, serve] { return keep_serving(w, serve); });
    client.spawn([&w, ask] { return ask_until_answered(w, ask); });
    w.run_for(1h);
  };
}

task<result<void>> patient_echo(tcp::stream peer) { return echo_while_heard(std::move(peer), 15s); }

// A place that is not given back would be missed at once.
task<result<void>> serve_streams() {
  return tcp::serve("[::]:7", patient_echo, {.max_connections = 1, .max_per_address = 1});
}

task<result<std::string>> ask_by_stream() { return ask(tcp::connect("server:7"), "hello"); }

task<result<void>> echo_session(udp::session& guest) {
  for (;;) {
    udp::received got = co_await ok(guest.receive());
    co_await ok(guest.send(got.payload()));
  }
}

task<result<void>> serve_datagrams() {
  return udp::serve("[::]:7", echo_session, {.idle = 5s, .max_sessions = 1, .max_per_address = 1});
}

task<result<std::string>> ask_by_datagram() {
  auto peer = co_await ok(udp::connect("server:7"));
  co_await ok(peer.send("hello"));
  const udp::received got = co_await ok(within(5s, peer.receive()));
  co_return std::string(got.text());
}

TEST(sim_serve, a_tcp_server_stays_whatever_call_fails) {
  EXPECT_GT(sim::each_call({.seeds = 4}, served_by(serve_streams, ask_by_stream)).points, 400U);
}

TEST(sim_serve, a_udp_server_stays_whatever_call_fails) {
  EXPECT_GT(sim::each_call({.seeds = 4}, served_by(serve_datagrams, ask_by_datagram)).points, 200U);
}

// Whoever is asked to end, or whose time is over, need not serve any longer.
constexpr sim::strike survivable[] = {sim::strike::fail, sim::strike::reset, sim::strike::drop};

TEST(sim_serve, a_tcp_server_has_room_again_after_each_strike) {
  for (const sim::strike how : survivable)
    EXPECT_GT(sim::each_await({.seeds = 4, .only = how}, served_by(serve_streams, ask_by_stream)).points,
              15U);
}

TEST(sim_serve, a_udp_server_has_room_again_after_each_strike) {
  for (const sim::strike how : survivable)
    EXPECT_GT(sim::each_await({.seeds = 4, .only = how}, served_by(serve_datagrams, ask_by_datagram)).points,
              3U);
}

}  // namespace
}  // namespace soquete::test
