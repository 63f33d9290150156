// Looks for a deliberate bug of the library in each way that the simulator has: docs/simulation.md.
//
// Prints how each way found it: after how many runs and seconds, and what it said; or that it did not.
#include <chrono>
#include <cstdio>
#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>

namespace {

using namespace soquete;
using namespace std::chrono_literals;

constexpr std::uint64_t seeds_max = 1'000;

task<result<void>> echo(tcp::stream peer) {
  for (;;) {
    lease data = co_await ok(within(5min, peer.receive()));
    if (data.empty()) co_return {};
    co_await ok(within(5min, peer.send(data)));
  }
}

task<result<void>> answer_lines(tcp::stream peer) {
  reader in(peer);
  for (;;) {
    const std::string line = co_await ok(within(1min, in.line(64)));
    co_await ok(within(1min, peer.send(line + "\n")));
  }
}

task<result<void>> both_ways(tcp::stream& one, tcp::stream& other) {
  co_return co_await with_scope([&](scope& s) -> task<result<void>> {
    s.spawn(copy(one, other));
    s.spawn(copy(other, one));
    co_return {};
  });
}

task<result<void>> relay(tcp::stream client) {
  auto server = co_await ok(within(10s, tcp::connect("server:7")));
  co_return co_await within(10min, both_ways(client, server));
}

task<result<void>> echo_session(udp::session& guest) {
  for (;;) {
    udp::received got = co_await ok(guest.receive());
    co_await ok(guest.send(got.payload()));
  }
}

task<result<void>> send_and_finish(tcp::stream& to, const std::string& words) {
  co_await ok(within(1min, to.send(words)));
  co_return to.finish();
}

task<result<void>> receive_all(tcp::stream& from, std::string& got) {
  for (;;) {
    const lease piece = co_await ok(within(1min, from.receive()));
    if (piece.empty()) co_return {};
    got += piece.text();
  }
}

// What comes back is a beginning of what was sent; where it ends in order, all of it.
task<result<void>> talk(sim::world& w, std::string where, std::string sent) {
  auto peer = co_await ok(within(10s, tcp::connect(where)));
  std::string got;
  const auto both = [&](scope& s) -> task<result<void>> {
    s.spawn(send_and_finish(peer, sent));
    s.spawn(receive_all(peer, got));
    co_return {};
  };
  const time_point begun = (co_await this_loop()).now();
  auto ended = co_await within(2min, with_scope(both));
  w.always(sent.starts_with(got), "bytes in order");
  w.always((co_await this_loop()).now() - begun < 10min, "deadlines are kept");
  co_return ended;
}

task<result<void>> keep_talking(sim::world& w, std::string where, std::string sent) {
  bool is_answered = false;
  for (int i = 0; i != 3; ++i) {
    is_answered |= (co_await talk(w, where, sent)).has_value();
    if (!co_await sleep(20s)) co_return fail(std::errc::operation_canceled);
  }
  w.sometimes(is_answered, "an answer from " + where);
  co_return {};
}

task<result<void>> ask_by_datagrams(sim::world& w) {
  auto peer = co_await ok(udp::connect("server:9"));
  bool is_answered_late = false;
  for (int i = 0; i != 5; ++i) {
    static_cast<void>(co_await peer.send("question"));
    const auto got = co_await within(1s, peer.receive());
    w.always(!got || got->text() == "question", "the same datagram");
    w.always(got || got.error() != std::errc::operation_canceled || co_await detail::is_cancelled(),
             "nobody cancels");
    is_answered_late = i == 4 && got.has_value();
    if (!co_await sleep(i == 3 ? 20s : 1s)) break;  // Long enough for the session to end.
  }
  w.sometimes(is_answered_late, "an answer in a second session");
  co_return {};
}

// First come, first served: of two that wait equally long, the one that began first.
task<result<void>> wait_in_order(sim::world& w) {
  std::string order;
  const auto both = [&](scope& s) -> task<result<void>> {
    const auto one = [](std::string& to, char name) -> task<result<void>> {
      co_await ok(sleep(5s));
      to += name;
      co_return {};
    };
    s.spawn(one(order, 'a'));
    s.spawn(one(order, 'b'));
    co_return {};
  };
  auto ended = co_await with_scope(both);
  w.always(std::string_view("ab").starts_with(order), "timers in order");
  co_return ended;
}

// Does not know when to stop: what it begins after it was asked to end has to end at once.
task<result<void>> insist(sim::world& w) {
  auto peer = co_await ok(within(10s, tcp::connect("server:7")));
  for (int i = 0; i != 3; ++i) {
    static_cast<void>(co_await within(5min, peer.receive()));
    if (co_await detail::is_cancelled()) break;
  }
  static_cast<void>(co_await within(5min, peer.receive()));
  w.sometimes(true, "an end");
  co_return {};
}

// A server of the library's: once it is open, no client and no want of anything ends it.
template <class F>
auto staying(sim::world& w, F serve) {
  return [&w, serve]() -> task<result<void>> {
    auto ended = co_await serve();
    const step during = ended ? step::none : ended.error().during();
    const bool is_of_opening = during == step::open || during == step::bind || during == step::listen ||
                               during == step::set_option || during == step::get_option;
    w.always(ended || is_of_opening || ended.error() == std::errc::operation_canceled, "a server stays");
    co_return ended;
  };
}

template <class F>
auto unless_it_fails(F program) {
  return [program]() -> task<result<void>> {
    static_cast<void>(co_await program());
    co_return {};
  };
}

void town(sim::world& w, std::size_t much) {
  sim::host& server = w.host("server");
  sim::host& middle = w.host("middle");
  sim::host& client = w.host("client");
  w.usual_link({.delay = {1ms, 40ms}, .window = {8, 4096}});
  server.spawn(staying(w, [] { return tcp::serve("[::]:7", echo, {.max_connections = 3}); }));
  server.spawn(staying(w, [] { return tcp::serve("[::]:8", answer_lines, {.max_per_address = 1}); }));
  server.spawn(
      staying(w, [] { return tcp::serve("0.0.0.0:10", echo); }));  // Its name has an address of IPv6 as well.
  server.spawn(
      staying(w, [] { return udp::serve("[::]:9", echo_session, {.idle = 10s, .max_sessions = 1}); }));
  middle.spawn(staying(w, [] { return tcp::serve("[::]:7", relay); }));
  client.spawn(unless_it_fails([&w, much] { return keep_talking(w, "server:7", w.bytes(much)); }));
  client.spawn(unless_it_fails([&w, much] { return keep_talking(w, "middle:7", w.bytes(much / 10)); }));
  client.spawn(unless_it_fails([&w] { return keep_talking(w, "server:8", "one\ntwo\nthree\nfour\n"); }));
  client.spawn(unless_it_fails([&w] { return keep_talking(w, "server:10", "hello"); }));
  client.spawn(unless_it_fails([&w] { return ask_by_datagrams(w); }));
  client.spawn(unless_it_fails([&w] { return wait_in_order(w); }));
  client.spawn(unless_it_fails([&w] { return insist(w); }));
  w.run_for(1h);
}

void town_in_bad_weather(sim::world& w) {
  w.faults(sim::swarm());
  town(w, 3'000);
}

void small_town(sim::world& w) { town(w, 30); }

template <class F>
void hunt(const char* way, F run) {
  const auto begun = std::chrono::steady_clock::now();
  std::string told;
  try {
    run();
  } catch (const sim::failed& why) {
    told = why.what();
  }
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  std::printf("%-10s %6.2f s  %s\n", way, took, told.empty() ? "-" : told.substr(0, told.find('\n')).c_str());
  std::fflush(stdout);
}

}  // namespace

int main() {
  hunt("check", [] { sim::check({.seeds = seeds_max}, town_in_bad_weather); });
  hunt("each_await", [] { sim::each_await({}, small_town); });
  hunt("each_call", [] { sim::each_call({}, small_town); });
}
