// The town in which bugs are looked for has none itself: what tests/canaries/run finds there is the bug.
#include <gtest/gtest.h>

#include "town/town.hpp"

namespace soquete::town {
namespace {

TEST(town, stands_in_any_weather) {
  sim::check({.seeds = 60}, [](sim::world& w) {
    w.faults(sim::swarm());
    whole(w, busy);
  });
}

TEST(town, stands_when_all_goes_wrong_at_once) {
  const sim::check_report report = sim::check({.seeds = 20}, [](sim::world& w) {
    w.faults(sim::swarm().all_at_once());
    whole(w, busy);
  });
  for (std::size_t kind = 0; kind != sim::fault_count; ++kind)
    EXPECT_GT(report.struck[kind], 0U) << to_string(static_cast<sim::fault>(kind));
}

TEST(town, stands_whatever_strikes_one_await) {
  for (const quarter& one : quarters) sim::each_await({}, [&](sim::world& w) { alone(w, one); });
}

TEST(town, stands_whatever_call_fails) {
  for (const quarter& one : quarters) sim::each_call({}, [&](sim::world& w) { alone(w, one); });
}

}  // namespace
}  // namespace soquete::town
