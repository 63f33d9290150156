// Running two programs against each other.
#include "encounter.hpp"

#include <gtest/gtest.h>

#include <soquete/event.hpp>
#include <soquete/scope.hpp>
#include <soquete/sim.hpp>
#include <thread>

#include "test_loop.hpp"

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

// What both of one loop know.
struct meeting_point {
  int arrived = 0;
  event changed;
};

class shared_stage : public stage {
 public:
  shared_stage(meeting_point& at, std::uint64_t seed) : at_(at), random_(seed) {}
  task<result<void>> meet() override {
    const int round = at_.arrived++ / 2;
    at_.changed.notify_all();
    while (at_.arrived < 2 * (round + 1)) co_await ok(at_.changed.wait());
    co_return co_await hold();
  }

 protected:
  meeting_point& at_;
  random_numbers random_;
};

// Both on one loop of the kernel: who comes first in a round of it is what may differ.
class one_loop final : public shared_stage {
 public:
  using shared_stage::shared_stage;
  task<result<void>> hold() override {
    for (std::uint32_t rounds = random_.below(4); rounds != 0; --rounds) co_await ok(yield());
    co_return {};
  }
  clock::duration glance() const noexcept override { return 2ms; }
};

// Computing takes no time in the simulation, so time is given to it here.
class simulated_loop final : public shared_stage {
 public:
  using shared_stage::shared_stage;
  task<result<void>> hold() override {
    // Now and then somebody else has the processor.
    const std::uint32_t most = random_.below(8) == 0 ? 5'000 : 100;
    const std::uint32_t microseconds = random_.below(2) == 0 ? 0 : random_.below(most);
    if (microseconds != 0) co_await ok(sleep(std::chrono::microseconds(microseconds)));
    co_return {};
  }
  clock::duration glance() const noexcept override { return 1s; }
};

// Each on a loop and a thread of its own.
class own_loop final : public stage {
 public:
  own_loop(std::barrier<>& at, std::uint64_t seed) : at_(at), random_(seed) {}
  task<result<void>> hold() override {
    volatile std::uint32_t left = random_.below(2) == 0 ? 0 : random_.below(20'000);
    while (left != 0) left = left - 1;
    co_return {};
  }
  task<result<void>> meet() override {
    at_.arrive_and_wait();
    co_return co_await hold();
  }
  clock::duration glance() const noexcept override { return 2ms; }

 private:
  std::barrier<>& at_;
  random_numbers random_;
};

using side = task<result<std::string>> (encounter::*)(stage&);

// Whatever happens, both come to an end and are told of.
task<result<void>> act(encounter& of, stage& on, side which, std::string& told) {
  auto met = co_await on.meet();
  if (!met) co_return met;
  const auto how = co_await (of.*which)(on);
  told = how ? *how : "(" + how.error().code().message() + ")";
  co_return {};
}

std::string together(const std::string& first, const std::string& second) { return first + " | " + second; }

task<result<void>> on_one_loop(encounter& of, stage& first, stage& second, std::string& told) {
  co_await ok(of.open());
  std::string one;
  std::string other;
  const auto both = [&](scope& s) -> task<result<void>> {
    s.spawn(act(of, first, &encounter::first, one));
    s.spawn(act(of, second, &encounter::second, other));
    co_return {};
  };
  const auto ended = co_await with_scope(both);
  of.close_first();
  of.close_second();
  told = together(one, other);
  co_return ended;
}

void ended_well(const result<void>& how, std::string_view name) {
  if (!how) ADD_FAILURE() << name << ": " << to_string(how.error());
}

void run_on_one_loop(driver_choice which, const encounter_kind& kind, unsigned runs, outcomes& seen) {
  test_loop loop(which);
  ended_well(loop.opened(), kind.name);
  for (unsigned i = 0; i != runs; ++i) {
    meeting_point at;
    one_loop first(at, 2 * i);
    one_loop second(at, 2 * i + 1);
    const auto one = kind.make();
    std::string told;
    ended_well(loop.run(on_one_loop(*one, first, second, told)), kind.name);
    ++seen[told];
  }
}

void run_on_two_loops(driver_choice which, const encounter_kind& kind, unsigned runs, outcomes& seen) {
  std::barrier at(2);
  std::vector<std::unique_ptr<encounter>> all(runs);
  std::vector<std::string> firsts(runs);
  std::vector<std::string> seconds(runs);
  for (auto& one : all) one = kind.make();
  std::thread other([&] {
    test_loop loop(which);
    for (unsigned i = 0; i != runs; ++i) {
      at.arrive_and_wait();  // It is open.
      own_loop here(at, 2 * i + 1);
      ended_well(loop.run(act(*all[i], here, &encounter::second, seconds[i])), kind.name);
      at.arrive_and_wait();  // Nothing is closed before both have ended.
      all[i]->close_second();
    }
    loop.settle();
  });
  test_loop loop(which);
  for (unsigned i = 0; i != runs; ++i) {
    ended_well(loop.run(all[i]->open()), kind.name);
    at.arrive_and_wait();
    own_loop here(at, 2 * i);
    ended_well(loop.run(act(*all[i], here, &encounter::first, firsts[i])), kind.name);
    at.arrive_and_wait();
    all[i]->close_first();
  }
  loop.settle();
  other.join();
  for (unsigned i = 0; i != runs; ++i) ++seen[together(firsts[i], seconds[i])];
}

// What the loopback has too.
sim::swarm faults_of_loopback() {
  sim::swarm all;
  for (std::size_t i = 0; i != sim::fault_count; ++i) {
    const auto kind = static_cast<sim::fault>(i);
    if (kind != sim::fault::order && kind != sim::fault::pieces) all = all.without(kind);
  }
  return all;
}

}  // namespace

outcomes seen_on(driver_choice which, const encounter_kind& kind, unsigned runs) {
  outcomes seen;
  run_on_one_loop(which, kind, runs, seen);
  run_on_two_loops(which, kind, runs, seen);
  return seen;
}

bool simulated_outcomes::has(const std::string& outcome, std::uint64_t seeds_max) {
  while (!first_seeds_.contains(outcome) && seeds_ < seeds_max) {
    const std::uint64_t seed = ++seeds_;
    sim::world w(seed);
    w.faults(faults_of_loopback());
    meeting_point at;
    simulated_loop first(at, 2 * seed);
    simulated_loop second(at, 2 * seed + 1);
    const auto one = kind_.make();
    std::string told;
    w.host("only").spawn([&] { return on_one_loop(*one, first, second, told); });
    w.run_for(1h);
    if (!w.failure().empty()) ADD_FAILURE() << kind_.name << ", seed " << seed << ": " << w.failure();
    first_seeds_.try_emplace(told, seed);
  }
  return first_seeds_.contains(outcome);
}

}  // namespace soquete::test
