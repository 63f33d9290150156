// Those who wait, in the town: deadlines, timers, scopes.
#include "town/folk.hpp"

namespace soquete::town {
namespace {

// A host that was made to stand still, or whose clock has jumped, is late itself.
constexpr auto lateness_max = 100s;

// First come, first served: of two that wait equally long, the one that began first.
task<result<void>> wait_in_order(sim::world& w) {
  std::string order;
  const auto one = [](std::string& to, char name) -> task<result<void>> {
    co_await ok(sleep(5s));
    to += name;
    co_return {};
  };
  const auto both = [&](scope& s) -> task<result<void>> {
    s.spawn(one(order, 'a'));
    s.spawn(one(order, 'b'));
    co_return {};
  };
  auto ended = co_await with_scope(both);
  w.always(std::string_view("ab").starts_with(order), "timers in order");
  co_return ended;
}

// Many wait, some with a deadline that comes first.
task<result<void>> wait_side_by_side(sim::world& w, unsigned count) {
  const auto one = [](sim::world& in, std::chrono::seconds time,
                      std::chrono::seconds most) -> task<result<void>> {
    loop& here = co_await this_loop();
    const time_point end = here.now() + std::min(time, most);
    static_cast<void>(co_await within(most, sleep(time)));
    in.always(here.now() - end < lateness_max, "who waits is called in time");
    co_return {};
  };
  co_return co_await with_scope([&](scope& s) -> task<result<void>> {
    for (unsigned i = 0; i != count; ++i) {
      const std::chrono::seconds time(1 + w.number(1'500)), most(1 + w.number(1'500));
      s.spawn(one(w, time, most));
    }
    co_return {};
  });
}

// Tries for five minutes, with pauses that grow. Nobody is there.
task<result<void>> knock() {
  for (std::chrono::seconds pause = 1s;; pause *= 2) {
    auto got = co_await within(1s, tcp::connect("tower:99"));
    if (got) co_return {};
    co_await ok(sleep(pause));
  }
}

task<result<void>> knock_for_a_while(sim::world& w) {
  loop& here = co_await this_loop();
  const time_point begun = here.now();
  static_cast<void>(co_await within(5min, knock()));
  w.always(here.now() - begun < 5min + lateness_max, "a deadline ends a pause");
  co_return {};
}

// Waits for what does not come. The deadline of all of it is nearer than that of each part.
task<result<void>> listen_to_silence(tcp::stream& peer) {
  static_cast<void>(co_await within(30min, peer.receive()));
  static_cast<void>(co_await within(30min, peer.receive()));
  co_return {};
}

task<result<void>> listen_for_a_while(sim::world& w) {
  auto peer = co_await ok(within(10s, tcp::connect("tower:8")));
  loop& here = co_await this_loop();
  const time_point begun = here.now();
  static_cast<void>(co_await within(30s, listen_to_silence(peer)));
  w.always(here.now() - begun < 30s + lateness_max, "the nearest deadline counts");
  co_return {};
}

// While one listens, the other keeps the line alive, for ever. When one fails, both end.
task<result<void>> keep_alive(tcp::stream& peer) {
  for (;;) {
    co_await ok(sleep(1s));
    static_cast<void>(co_await peer.send("."));
  }
}

task<result<void>> hear(tcp::stream& peer, loop& here, time_point& failed) {
  for (;;) {
    const auto got = co_await within(5s, peer.receive());
    if (got && !got->empty()) continue;
    failed = here.now();
    co_return fail(fault::end_of_stream, step::receive);
  }
}

task<result<void>> stay_in_touch(sim::world& w) {
  auto peer = co_await ok(within(10s, tcp::connect("tower:7")));
  loop& here = co_await this_loop();
  time_point failed = time_point::max();
  const auto both = [&](scope& s) -> task<result<void>> {
    s.spawn(keep_alive(peer));
    s.spawn(hear(peer, here, failed));
    co_return {};
  };
  static_cast<void>(co_await within(10min, with_scope(both)));
  w.always(failed == time_point::max() || here.now() - failed < lateness_max, "one that fails ends both");
  co_return {};
}

// Of two that answer after a while the first counts, and nobody waits for the other.
task<result<int>> answer_after(std::chrono::seconds time, int answer) {
  co_await ok(sleep(time));
  co_return answer;
}

task<result<void>> take_the_first(sim::world& w) {
  loop& here = co_await this_loop();
  const time_point begun = here.now();
  const auto got = co_await first_of(answer_after(10min, 2), answer_after(3s, 1));
  w.always(here.now() - begun < 3s + lateness_max, "nobody waits for the second");
  w.always(!got || *got == 1, "the first answer counts");
  co_return {};
}

// Says a few words, and then nothing for a long time.
task<result<void>> fall_silent(tcp::stream peer) {
  for (int i = 0; i != 3; ++i) {
    co_await ok(within(1min, peer.send("hm ")));
    co_await ok(sleep(2s));
  }
  co_return co_await sleep(20min);
}

task<result<void>> be_silent(tcp::stream) { co_return co_await sleep(20min); }

}  // namespace

void build_patience(sim::world& w, const plan& p) {
  sim::host& tower = w.host("tower");
  tower.spawn(staying(w, [] { return tcp::serve("[::]:7", fall_silent); }));
  tower.spawn(staying(w, [] { return tcp::serve("[::]:8", be_silent); }));
  w.host("bench").spawn(unless_it_fails([&w] { return wait_in_order(w); }));
  w.host("crowd").spawn(unless_it_fails([&w, p] { return wait_side_by_side(w, p.timers); }));
  w.host("knocker").spawn(unless_it_fails([&w] { return knock_for_a_while(w); }));
  w.host("listener").spawn(unless_it_fails([&w] { return listen_for_a_while(w); }));
  w.host("friend").spawn(unless_it_fails([&w] { return stay_in_touch(w); }));
  w.host("asker").spawn(unless_it_fails([&w] { return take_the_first(w); }));
}

}  // namespace soquete::town
