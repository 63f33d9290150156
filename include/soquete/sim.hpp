// A simulated network: the same program, any history, one seed.  docs/simulation.md
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <soquete/loop.hpp>
#include <soquete/sim_options.hpp>
#include <soquete/task.hpp>
#include <source_location>
#include <span>
#include <string>
#include <string_view>

/// Tests that never run on a kernel: hosts, links, faults and time in memory.
namespace soquete::sim {

class world;

/// What a host runs: called when it starts, and again when it starts after a crash.
using program = std::function<task<result<void>>()>;

/// One simulated computer. Belongs to its world.
class host {
 public:
  host(const host&) = delete;
  host& operator=(const host&) = delete;

  /// Starts a program there, now or as soon as the host is up. What it is made of lives as long as the host,
  /// so a coroutine lambda may capture. A program that ends with an error, other than by a crash, is a
  /// failure of the test.
  void spawn(program what);

  const std::string& name() const noexcept;             ///< In the simulated DNS.
  std::span<const address> addresses() const noexcept;  ///< Its own; the loopback's go without saying.
  bool is_up() const noexcept;                          ///< Has it not crashed?

  /// Power fails: memory and sockets are gone, and nobody is told. Its programs are cancelled, and all that
  /// they start meanwhile fails; so their destructors run, on a machine without a network.
  void crash();
  /// Starts again, with its programs from their beginning; nothing happens if it is up.
  void restart();
  /// Sends a signal to each of its programs that watches for it, see signals. False: none does, and nothing
  /// happens.
  bool raise(int signal);
  /// Its programs stand still that long. What arrives waits.
  void pause(std::chrono::nanoseconds how_long);

  struct inside;                       ///< Of the library.
  explicit host(inside& in) noexcept;  ///< Made by world::host().

 private:
  inside& inside_;
};

/// Hosts and the network between them. Everything happens on the thread that calls.
class world {
 public:
  /// Equal seeds give equal histories, on every machine and with every compiler.
  explicit world(std::uint64_t seed);
  world(const world&) = delete;
  world& operator=(const world&) = delete;
  ~world();

  /// A new host, up. The name is in the simulated DNS: `tcp::connect("server:7")`.
  sim::host& host(std::string_view name, const host_options& = {});
  /// From now on the name, of a host or of nobody so far, leads to these addresses, in this order. Those that
  /// no host has are dead.
  void name(std::string_view name, std::span<const address> addresses);
  /// Both directions between two hosts from now on.
  void link(sim::host& one, sim::host& other, const link_options&);
  /// One direction.
  void link_one_way(sim::host& from, sim::host& to, const link_options&);
  /// Links that nothing else is said of, and that are not yet used.
  void usual_link(const link_options&);
  /// What can go wrong by itself, drawn from the seed.
  void faults(const swarm&);

  /// Nothing passes between the two, in both directions, until heal().
  void partition(sim::host& one, sim::host& other);
  /// Nothing passes in this direction, until heal().
  void partition_one_way(sim::host& from, sim::host& to);
  /// Nothing passes to or from this address of a host, which goes on by its others, until heal().
  void partition(const address& one);
  /// What partition() has cut is whole; bytes of streams that were held up go on, in order.
  void heal();

  /// Does that at this time after the beginning.
  void at(std::chrono::nanoseconds when, std::function<void()> what);
  /// Time passes, at most so much; less once nothing can happen any more. Programs go on afterwards.
  void advance(std::chrono::nanoseconds how_long);
  /// The whole run: advance(), then all programs are asked to end, and what is left open or waiting is told.
  void run_for(std::chrono::nanoseconds how_long);

  /// Holds at this point in every run.
  void always(bool holds, std::string_view what, std::source_location = std::source_location::current());
  /// Holds at this point in at least one run of check(); so it says that the test reaches what it is for.
  void sometimes(bool holds, std::string_view what);

  std::string bytes(std::size_t size);            ///< Drawn from the seed.
  std::uint64_t number(std::uint64_t below);      ///< Drawn from the seed, less than `below`, which is not 0.
  std::chrono::nanoseconds now() const noexcept;  ///< Since the beginning.
  std::uint64_t seed() const noexcept;            ///< As given.
  /// Of all that has happened so far. Equal histories have equal hashes.
  std::uint64_t trace_hash() const noexcept;
  std::uint64_t events() const noexcept;  ///< How many have happened.
  /// Every socket and connection, a line each, as a person reads them.
  std::string netstat() const;
  /// From now on the history is kept: each step as text, and what travels, of which the last 200,000 messages
  /// and 64 MiB.
  void keep_history();
  const std::string& history() const noexcept;  ///< A line for each step since keep_history().
  /// Writes what has travelled since keep_history() to a file, as a picture that browsers show: SVG. Hosts
  /// are lines, messages are arrows, time runs down the page. It tells what it leaves out. Errors: io_error,
  /// invalid_argument without keep_history().
  result<void> draw(const std::string& path) const;
  /// Writes the same to a file as packets that Wireshark shows: pcapng. Each packet is caught where it
  /// leaves. Errors: io_error, invalid_argument without keep_history().
  result<void> capture(const std::string& path) const;

  /// The first thing that went wrong, with where all tasks wait; empty: nothing has.
  const std::string& failure() const noexcept;

  struct inside;                                     ///< Of the library.
  inside& internals() noexcept { return *inside_; }  ///< Of the library.

 private:
  owned<inside> inside_;
};

/// One program, told what network it runs in.
using scenario = std::function<void(world&)>;

/// How to check a scenario.
struct check_options {
  std::uint64_t seeds = 100;     ///< How many. The environment variable SOQUETE_SIM_SEEDS overrides it.
  std::uint64_t first_seed = 1;  ///< SOQUETE_SIM_SEED runs this one alone, here, and prints its history.
  /// In so many processes; 0: one for each processor that may be used. What a scenario changes outside its
  /// world is lost with its process, and a crash is a failure of its seed. 1: all run here instead. The
  /// environment variable SOQUETE_SIM_PROCESSES overrides it. What is found does not depend on it.
  unsigned processes = 0;
  /// Each seed runs twice, and other histories the second time are a failure. SOQUETE_SIM_TWICE=1 does so.
  bool twice = false;
  /// What it is called where no test framework says; it outlives the call.
  std::string_view name = {};
  // SOQUETE_SIM_DRAW=FOLDER: a run that fails is drawn and captured there, see world::draw().
};

/// What came of it.
struct check_report {
  std::uint64_t seeds = 0;                  ///< That were run.
  std::uint64_t events = 0;                 ///< In all of them.
  std::chrono::nanoseconds virtual_time{};  ///< In all of them.
  std::uint64_t trace_hash = 0;             ///< Of all histories, in order.
  /// How often each kind of fault has struck, in all of them; by the number of the kind.
  std::array<std::uint64_t, fault_count> struck{};
};

/// What is done to a program where it waits.
enum class strike : std::uint8_t {
  cancel,         ///< It is asked to end.
  fail,           ///< The operation fails, as that of a peer that is not heard of any more.
  reset,          ///< The connection is reset; a connected datagram socket hears of a refusal.
  drop,           ///< Its host loses power, and with it all its tasks; it starts again a second later.
  past_deadline,  ///< The clock jumps beyond the nearest deadline above; beyond one of the whole program if
                  ///< none.
  // In the turn in which the result comes, or the time is over:
  cancel_then_result,    ///< It is asked to end just before, too late for the result not to come.
  result_then_cancel,    ///< And just after, before it has seen the result.
  deadline_then_result,  ///< The clock jumps beyond the nearest deadline just before.
  result_then_deadline,  ///< And just after.
};
inline constexpr std::size_t strike_count = 9;  ///< How many there are.

/// How to look at each place of a scenario.
struct each_options {
  std::uint64_t seeds = 1;       ///< Histories whose places are looked at. SOQUETE_SIM_SEED: that one alone.
  std::uint64_t first_seed = 1;  ///< Of them.
  std::optional<strike> only{};  ///< each_await: does this and nothing else.
  /// A program that is asked to end is over after so long, without help. A server that drains for longer, or
  /// a shielded goodbye, says so here.
  std::chrono::nanoseconds grace = std::chrono::minutes(1);
  unsigned processes = 0;  ///< As those of check_options.
};

/// What came of it.
struct each_report {
  std::uint64_t places = 0;                 ///< Awaits or calls, in all histories.
  std::uint64_t points = 0;                 ///< Runs in which something was done to one of them.
  std::uint64_t events = 0;                 ///< In all of these runs.
  std::chrono::nanoseconds virtual_time{};  ///< In all of them.
  std::uint64_t trace_hash = 0;             ///< Of their histories, in order.
  /// Of each_await: how often each was done; by the number of the strike.
  std::array<std::uint64_t, strike_count> struck{};
};

/// Thrown by check() when a seed has failed: test frameworks show what(). The library throws nothing else.
class failed : public std::exception {
 public:
  explicit failed(std::string words);  ///< With all that there is to say.
  ~failed() override;
  const char* what() const noexcept override;  ///< The seed, the scenario, and the command that replays it.

 private:
  std::string words_;
};

namespace detail {

/// What a test framework tells of the test that runs.
struct test_in_progress {
  std::string name;
  std::string filter;              // The option that runs it alone.
  bool (*has_failed)() = nullptr;  // Is a failure noted already?
};

check_report check(check_options options, const scenario& what, test_in_progress test);
each_report each_await(each_options options, const scenario& what, test_in_progress test);
each_report each_call(each_options options, const scenario& what, test_in_progress test);

}  // namespace detail
}  // namespace soquete::sim

namespace testing {
class UnitTest;
class Test;
}  // namespace testing

namespace soquete::sim {
namespace detail {

// Where GoogleTest is included before this header, its tests are known by name.
template <class Unit = testing::UnitTest, class Test = testing::Test>
test_in_progress this_test() {
  test_in_progress told;
  if constexpr (requires { Unit::GetInstance()->current_test_info()->name(); }) {
    if (const auto* running = Unit::GetInstance()->current_test_info()) {
      told.name.append(running->test_suite_name()).append(".").append(running->name());
      told.filter = "--gtest_filter=" + told.name;
      told.has_failed = [] { return Test::HasFailure(); };
    }
  }
  return told;
}

}  // namespace detail

/// A simulated host by itself, for a loop of your own: loop::use(). Its turns move its own time; where
/// nothing can happen any more, a turn waits for loop::post().
chosen_driver open_driver(run_queue& queue, std::uint64_t seed = 0);

/// Runs the scenario once for each seed, each time in a new world, until one fails. A failure is what
/// world::always says, a deadlock, a livelock, a leak, a program that ends with an error, an EXPECT of
/// GoogleTest. Throws `failed`; without exceptions it prints the same and aborts.
inline check_report check(check_options options, const scenario& what) {
  return detail::check(options, what, detail::this_test());
}

/// Runs the scenario once to count its awaits: operations that wait, sleeps, events, scopes that wait for
/// their children, blocking calls. Then once for each of them and each `strike`, as soon as it waits or as
/// its result comes. Programs may end with errors from then on; whatever else is a failure of check() is one
/// here. Told are the await with its source lines, what was done, and the command that replays it:
/// SOQUETE_SIM_AWAIT=12:reset. Throws as check() does.
inline each_report each_await(each_options options, const scenario& what) {
  return detail::each_await(options, what, detail::this_test());
}

/// The same for each call: all operations, also those that need not wait, and what is answered at once
/// (open, bind, listen, options, names, shutdown). Each fails once with each errno that it may have in
/// earnest. SOQUETE_SIM_CALL=12:ENOBUFS replays one.
inline each_report each_call(each_options options, const scenario& what) {
  return detail::each_call(options, what, detail::this_test());
}

}  // namespace soquete::sim
