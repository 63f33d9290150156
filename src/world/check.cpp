// One scenario, many seeds; and what is said when one of them fails.
#include "world/command.hpp"
#include "world/inside.hpp"
#include "world/once.hpp"
#include "world/shrink.hpp"
#include "world/workers.hpp"

namespace soquete::sim {
namespace {

class checking {
 public:
  checking(const check_options& options, const scenario& what, const detail::test_in_progress& test)
      : options_(options), what_(what), test_(test) {}

  outcome run(std::uint64_t seed, bool keeps_history) const {
    const trial how{
        .seed = seed, .only = only_ ? &*only_ : nullptr, .keeps_history = keeps_history, .is_drawn = true};
    outcome once = run_once(what_, how, test_);
    if (!options_.twice || !once.failure.empty()) return once;
    const outcome again = run_once(what_, {.seed = seed, .only = how.only}, test_);
    if (again.hash != once.hash || again.failure != once.failure)
      once.failure = "its history is another the second time: trace " + hexadecimal(again.hash);
    return once;
  }

  [[noreturn]] void tell(std::uint64_t seed, std::uint64_t number, outcome failed,
                         std::string_view died) const {
    std::string smaller;
    std::string variables = only_ ? "SOQUETE_SIM_FAULTS=" + only_->text() + " " : "";
    // What the test framework has noted here stays noted, so there is no telling whether it fails again.
    const bool can_shrink = !only_ && !words_in("SOQUETE_SIM_SEED") && died.empty() &&
                            (!failed.is_of_the_test || options_.processes != 1);
    if (can_shrink) {
      const auto retry = [&](const fault_filter& only) {
        return run_once(what_, {.seed = seed, .only = &only}, test_);
      };
      if (auto found = shrink(retry, failed)) {
        smaller = told_of(*found, failed);
        variables = "SOQUETE_SIM_FAULTS=" + found->only.text() + " ";
        failed = std::move(found->what);
        const trial again{.seed = seed, .only = &found->only, .is_drawn = true};
        failed.drawn = unpacked(apart([&] { return packed(run_once(what_, again, test_)); })).drawn;
      }
    }
    std::string words = died.empty() ? failed.failure : std::string(died);
    if (!words.ends_with('\n')) words += '\n';
    throw_failed(name_of(test_) + " fails with seed " + std::to_string(seed) + ", number " +
                 std::to_string(number) + " of " + std::to_string(options_.seeds) + ", " + words + smaller +
                 way_back(failed.hash, seed, variables, test_) + failed.drawn);
  }

 private:
  const check_options& options_;
  const scenario& what_;
  const detail::test_in_progress& test_;
  std::optional<fault_filter> only_ = faults_asked_for();
};

}  // namespace

check_report detail::check(check_options options, const scenario& what, test_in_progress test) {
  const auto only = number_in("SOQUETE_SIM_SEED");
  if (const auto count = number_in("SOQUETE_SIM_SEEDS")) options.seeds = *count;
  if (const auto count = number_in("SOQUETE_SIM_PROCESSES"))
    options.processes = static_cast<unsigned>(*count);
  if (words_in("SOQUETE_SIM_TWICE")) options.twice = true;
  if (only) {
    options.seeds = 1;
    options.first_seed = *only;
    options.processes = 1;
  }
  if (test.name.empty()) test.name = options.name;
  const checking all(options, what, test);
  sum found;
  share_out(
      options.seeds, options.processes,
      [&](std::uint64_t i) {
        const outcome one = all.run(options.first_seed + i, only.has_value());
        return answer{packed(one), one.failure.empty()};
      },
      [&](std::uint64_t i, std::string_view bytes, std::string_view died) {
        outcome one = unpacked(bytes);
        if (!died.empty() || !one.failure.empty())
          all.tell(options.first_seed + i, i + 1, std::move(one), died);
        found.add(one);
        return true;
      });
  if (!only) found.look(name_of(test), "seeds");
  return {.seeds = found.runs,
          .events = found.events,
          .virtual_time = found.virtual_time,
          .trace_hash = found.hash,
          .struck = found.struck};
}

}  // namespace soquete::sim
