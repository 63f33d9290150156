// People pass gates, and a server counts them: a small protocol, and how its bugs are found.
// docs/simulation.md
#include <charconv>
#include <cstdio>
#include <functional>
#include <map>
#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>
#include <string>

using namespace soquete;
using namespace std::chrono_literals;

// What a gate says when somebody passes: "north 3", its name and how many that makes.
struct request {
  std::string gate;
  int number = 0;
};

request read(std::string_view text) {
  request made;
  const auto space = text.find(' ');
  if (space == text.npos) return made;
  made.gate = text.substr(0, space);
  std::from_chars(text.data() + space + 1, text.data() + text.size(), made.number);
  return made;
}

struct tally {
  int people = 0;
  std::map<std::string, int> last;  // By gate, the number that was counted last.
};

// Is this to be counted?
using rule = std::function<bool(const tally&, const request&)>;

bool always(const tally&, const request&) { return true; }

bool unless_repeated(const tally& t, const request& r) {
  const auto found = t.last.find(r.gate);
  return found == t.last.end() || r.number != found->second;
}

bool if_later(const tally& t, const request& r) {
  const auto found = t.last.find(r.gate);
  return found == t.last.end() || r.number > found->second;
}

// The server: counts, and says "ok 3".
task<result<void>> count(tally& t, const rule& counts) {
  t = {};  // In memory: who starts again begins at nothing.
  udp::socket s = co_await ok(udp::bind("[::]:7"));
  for (;;) {
    udp::received got = co_await ok(s.receive());
    const request r = read(got.text());
    if (counts(t, r)) {
      ++t.people;
      t.last[r.gate] = r.number;
    }
    co_await ok(s.send_to(got.from(), "ok " + std::to_string(r.number)));
  }
}

task<result<void>> hear(udp::socket& s, std::string answer) {
  for (;;) {
    udp::received got = co_await ok(s.receive());
    if (got.text() == answer) co_return {};
  }
}

// A gate: tells the server, and tells it again until it has been heard.
task<result<void>> tell(udp::socket& s, std::string gate, int number) {
  const std::string words = gate + " " + std::to_string(number);
  for (;;) {
    co_await ok(s.send(words));
    if (co_await within(200ms, hear(s, "ok " + std::to_string(number)))) co_return {};
  }
}

// A day at two gates, in a network where anything may go wrong.
void day(sim::world& w, const rule& counts) {
  tally t;
  int passed = 0;
  const rule watched = [&](const tally& so_far, const request& r) {
    const bool is_counted = counts(so_far, r);
    w.always(so_far.people + (is_counted ? 1 : 0) <= passed, "nobody is counted twice");
    w.sometimes(!is_counted, "a request is repeated");
    return is_counted;
  };
  sim::host& server = w.host("server");
  server.spawn([&] { return count(t, watched); });
  for (const char* name : {"north", "south"}) {
    sim::host& gate = w.host(name);
    w.link(server, gate, {.delay = {5ms, 50ms}});
    gate.spawn([&, name]() -> task<result<void>> {
      udp::socket s = co_await ok(udp::connect("server:7"));
      for (int i = 1; i <= 3; ++i) {
        ++passed;
        co_await ok(tell(s, name, i));
        co_await ok(sleep(1s));
      }
      co_return {};
    });
  }
  // A tally in memory does not survive a crash, nor is a gate one without a socket or a server to tell: no
  // mistakes of the protocol.
  using kind = sim::fault;
  w.faults(sim::swarm().without(kind::crash).without(kind::exhaust).without(kind::name));
  w.run_for(1h);
  w.always(t.people == passed, "everybody is counted");
}

int main(int argc, char** argv) {
  const std::map<std::string_view, rule> rules = {
      {"always", always}, {"unless-repeated", unless_repeated}, {"if-later", if_later}};
  const auto chosen = rules.find(argc == 2 ? argv[1] : "");
  if (chosen == rules.end()) return std::fputs("usage: counter always|unless-repeated|if-later\n", stderr), 2;
  try {
    const sim::check_report told =
        sim::check({.seeds = 2'000, .name = "counter"}, [&](sim::world& w) { day(w, chosen->second); });
    std::printf("%llu seeds: everybody is counted, once\n", static_cast<unsigned long long>(told.seeds));
    return 0;
  } catch (const sim::failed& why) {
    std::fputs(why.what(), stdout);
    return 1;
  }
}
