// What is inside a world and its hosts: the network, and a loop for each host that is up.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <soquete/sim.hpp>
#include <vector>

#include "sim/driver.hpp"
#include "sim/machine.hpp"
#include "sim/network.hpp"
#include "world/striker.hpp"

namespace soquete::sim {

/// A program that runs on a host.
class running final : waiter, loop::root {
 public:
  running(loop& here, host::inside& on, const program& what);
  running(const running&) = delete;
  running& operator=(const running&) = delete;
  ~running();

  bool is_over() const noexcept { return is_over_; }
  void cancel(stop why = stop::cancelled) noexcept { cancel_.request(why); }
  bool is_asked() const noexcept { return cancel_.requested(); }
  std::optional<moment> has_until;  ///< Asked to end, it has to be over after that.
  void describe(suspension_report& report) const;

 private:
  void begin();
  void end();

  loop& here_;
  host::inside& on_;
  const program& what_;
  cancel_context cancel_;
  std::optional<task<result<void>>::awaiter> work_;
  bool is_over_ = false;
};

/// From a start to a crash, or to the end of the world.
struct life : private wait_watch {
  explicit life(host::inside& of);
  bool is_over() const noexcept;

  host::inside& on;

  loop_group group{1, blocking_jobs::at_once};
  loop here{group};
  host_driver* driver = nullptr;
  std::deque<running> programs;
};

/// Nothing but a call at a moment.
class call final : public occurrence {
 public:
  explicit call(std::function<void()> what) : what_(std::move(what)) {}
  void happen(network&, unsigned) noexcept override { what_(); }

 private:
  std::function<void()> what_;
};

}  // namespace soquete::sim

namespace soquete::sim {

struct host::inside {
  inside(world::inside& world_of, machine& on) noexcept : in(world_of), at(on), it(*this) {}

  void start();
  /// Runs what can run now.
  void step();
  void rest(life& of);
  void fall();
  void rise();
  void stand_still(moment how_long);
  /// Asks a program to end, for which it has so long.
  void ask_to_end(running& whom, stop why, moment patience);
  void look_for_the_late();
  std::size_t unfinished() const noexcept;

  world::inside& in;
  machine& at;
  host it;
  std::deque<program> programs;
  std::unique_ptr<life> now;                 ///< Null while it is down.
  std::vector<std::unique_ptr<life>> dying;  ///< Crashed, and not yet tidied up.
  std::set<moment> alarms;                   ///< When it is woken.
  std::uint64_t rounds = 0;                  ///< Since time passed.
  moment rounds_at{};
};

struct world::inside {
  explicit inside(std::uint64_t seed) : net(seed), draws(seed, purpose::application) { net.is_driven = true; }
  ~inside();

  void run(moment latest);
  void run_ready();
  /// Nothing can happen any more, and somebody waits for a peer.
  void look_for_deadlock();
  /// Programs are asked to end, and what is left is told.
  void finish();
  void look_for_leaks();
  void fail(std::string words);
  /// Where everybody waits.
  std::string dump() const;
  host::inside& of(const machine& m) { return *hosts[m.number]; }

  network net;
  random draws;
  std::vector<std::unique_ptr<host::inside>> hosts;
  std::map<std::string, bool, std::less<>> sometimes;
  std::string failure;
  striker* hand = nullptr;  ///< Null: nobody puts a hand in.
  bool may_fail = false;    ///< Programs may end with errors: something was struck.
  /// To end when asked may take a program that long.
  moment patience = std::chrono::hours(1);
  bool is_ending = false;
  bool is_finished = false;
};

/// Draws from the seed what goes wrong, and lets it.
void unleash(world::inside& on, const swarm& what);

}  // namespace soquete::sim
