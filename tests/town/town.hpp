// A small town of servers and clients, to look for bugs of the library in: canary_hunt.cpp, town_test.cpp.
#pragma once

#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>

namespace soquete::town {

/// How much goes on there.
struct plan {
  std::size_t bytes = 30;    ///< That the longest conversation sends.
  unsigned times = 1;        ///< Conversations of each client.
  unsigned timers = 0;       ///< That run side by side, besides those of conversations.
  bool gets_better = false;  ///< Nothing goes wrong later: then everybody is answered.
};

inline constexpr plan busy{.bytes = 3'000, .times = 3, .timers = 40, .gets_better = true};

/// Each quarter has hosts of its own.
struct quarter {
  const char* name;
  void (*build)(sim::world&, const plan&);
};

void build_streams(sim::world& w, const plan& p);    ///< TCP: echoes, lines, a relay, files, a ledger.
void build_datagrams(sim::world& w, const plan& p);  ///< UDP: sessions.
void build_locals(sim::world& w, const plan& p);     ///< Local sockets; connections that change hands.
void build_patience(sim::world& w, const plan& p);   ///< Deadlines, timers, scopes.

inline constexpr quarter quarters[] = {{"streams", build_streams},
                                       {"datagrams", build_datagrams},
                                       {"locals", build_locals},
                                       {"patience", build_patience}};

/// All of it, for an hour.
inline void whole(sim::world& w, const plan& p) {
  w.usual_link({.delay = {std::chrono::milliseconds(1), std::chrono::milliseconds(40)}, .window = {8, 4096}});
  for (const quarter& one : quarters) one.build(w, p);
  w.run_for(std::chrono::hours(1));
}

/// One quarter, for an hour.
inline void alone(sim::world& w, const quarter& which) {
  w.usual_link({.delay = {std::chrono::milliseconds(1), std::chrono::milliseconds(40)}, .window = {8, 4096}});
  which.build(w, {});
  w.run_for(std::chrono::hours(1));
}

}  // namespace soquete::town
