// Each await of a scenario is struck in each way, each call fails with each cause: one run for each.
#include <charconv>

#include "world/command.hpp"
#include "world/inside.hpp"
#include "world/once.hpp"
#include "world/shrink.hpp"
#include "world/striker.hpp"
#include "world/workers.hpp"

namespace soquete::sim {
namespace {

// What is done to one place: a strike, or a call's errno.
struct point {
  std::uint64_t place = 0;  ///< From 1.
  int how = 0;              ///< The number of a strike, or an errno.
};

// What differs between awaits and calls.
struct sort {
  std::string_view place;  // "await"
  const char* variable;    // Of the environment.
  bool is_of_calls;

  // That strikes there; nowhere: that counts.
  striker hand(const point& at) const {
    if (at.place == 0) return {};
    return is_of_calls ? striker(at.place, at.how) : striker(at.place, static_cast<strike>(at.how));
  }
  std::string_view name(int how) const {
    return is_of_calls ? errno_name(how) : to_string(static_cast<strike>(how));
  }
  int named(std::string_view name) const {
    if (is_of_calls) return errno_named(name) != 0 ? errno_named(name) : -1;
    for (std::size_t i = 0; i < strike_count; ++i)
      if (to_string(static_cast<strike>(i)) == name) return static_cast<int>(i);
    return -1;
  }
};

constexpr sort of_awaits{"await", "SOQUETE_SIM_AWAIT", false};
constexpr sort of_calls{"call", "SOQUETE_SIM_CALL", true};

// "12:reset"
std::optional<point> point_in(const sort& which) {
  const auto text = words_in(which.variable);
  if (!text) return std::nullopt;
  const std::size_t mark = std::min(text->find(':'), text->size());
  point told;
  const auto [stopped, cause] = std::from_chars(text->data(), text->data() + mark, told.place);
  told.how = mark < text->size() ? which.named(std::string_view(*text).substr(mark + 1)) : -1;
  if (cause != std::errc() || stopped != text->data() + mark || told.place == 0 || told.how < 0)
    throw_failed(std::string(which.variable) + " is a number and what is done, such as " +
                 (which.is_of_calls ? "12:ENOBUFS\n" : "12:reset\n"));
  return told;
}

class each_place {
 public:
  each_place(const each_options& options, const scenario& what, const detail::test_in_progress& test,
             sort which)
      : options_(options), what_(what), test_(test), which_(which) {}

  each_report run() {
    if (const auto only = point_in(which_)) return run_only(*only);
    for (std::uint64_t i = 0; i < options_.seeds; ++i) run_seed(options_.first_seed + i);
    found_.look(name_of(test_), "runs");
    report_.events = found_.events;
    report_.virtual_time = found_.virtual_time;
    report_.trace_hash = found_.hash;
    return report_;
  }

 private:
  // Here, so that a debugger sees it.
  each_report run_only(const point& at) {
    striker hand = which_.hand(at);
    trial how = trial_of(options_.first_seed, hand, all_asked_for());
    how.keeps_history = how.is_drawn = true;
    const outcome one = run_once(what_, how, test_);
    if (!one.failure.empty()) say(options_.first_seed, at, one, {}, {}, all_asked_for());
    if (!hand.was_there())
      throw_failed(name_of(test_) + ": there is no such " + std::string(which_.place) + "\n");
    return {.places = 1,
            .points = 1,
            .events = one.events,
            .virtual_time = one.virtual_time,
            .trace_hash = one.hash};
  }

  void run_seed(std::uint64_t seed) {
    const std::vector<point> all = points(seed);
    share_out(
        all.size(), options_.processes,
        [&](std::uint64_t i) {
          striker hand = which_.hand(all[i]);
          outcome one = run_once(what_, trial_of(seed, hand, all_asked_for()), test_);
          if (one.failure.empty() && !hand.was_there())
            one.failure = "this was not reached again: the scenario runs differently each time";
          return answer{(hand.has_struck() ? "1" : "0") + packed(one), one.failure.empty()};
        },
        [&](std::uint64_t i, std::string_view bytes, std::string_view died) {
          const bool has_struck = bytes.starts_with('1');
          const outcome one = unpacked(bytes.substr(std::min<std::size_t>(bytes.size(), 1)));
          if (!died.empty() || !one.failure.empty()) tell(seed, all[i], one, died);
          if (!has_struck) return true;
          found_.add(one);
          ++report_.points;
          if (!which_.is_of_calls) ++report_.struck[static_cast<std::size_t>(all[i].how)];
          return true;
        });
  }

  // By a run in which nothing is done. That has to go well.
  std::vector<point> points(std::uint64_t seed) {
    std::string counted;
    share_out(
        1, options_.processes,
        [&](std::uint64_t) {
          striker hand;
          const outcome one = run_once(what_, trial_of(seed, hand, all_asked_for()), test_);
          if (!one.failure.empty()) return answer{"!" + packed(one), false};
          return answer{"=" + (which_.is_of_calls ? hand.calls() : hand.awaits())};
        },
        [&](std::uint64_t, std::string_view bytes, std::string_view died) {
          if (!died.empty() || bytes.starts_with('!'))
            tell(seed, {}, unpacked(bytes.substr(std::min<std::size_t>(bytes.size(), 1))), died);
          counted = bytes.substr(1);
          return true;
        });
    std::vector<point> all;
    report_.places += counted.size();
    if (which_.is_of_calls) {
      for (std::size_t i = 0; i < counted.size(); ++i)
        for (const int cause : plausible(static_cast<request>(counted[i]))) all.push_back({i + 1, cause});
      return all;
    }
    for (std::size_t i = 0; i < counted.size(); ++i)
      for (std::size_t how = 0; how < strike_count; ++how)
        if (may_strike(counted[i], static_cast<strike>(how)) &&
            (!options_.only || *options_.only == static_cast<strike>(how)))
          all.push_back({i + 1, static_cast<int>(how)});
    return all;
  }

  // Those of SOQUETE_SIM_FAULTS; null: all.
  const fault_filter* all_asked_for() const noexcept { return only_ ? &*only_ : nullptr; }

  trial trial_of(std::uint64_t seed, striker& hand, const fault_filter* only) const noexcept {
    return {.seed = seed, .only = only, .hand = &hand, .patience = options_.grace};
  }

  // "receive of host client at client.cpp:9": found out in a run in which nothing is done there.
  std::string where(std::uint64_t seed, const point& at, const fault_filter* only) const {
    return apart([&] {
      striker hand = which_.is_of_calls ? striker(at.place, 0) : striker(at.place, std::nullopt);
      static_cast<void>(run_once(what_, trial_of(seed, hand, only), test_));
      return hand.where();
    });
  }

  // With the fewest faults that it needs, and drawn.
  [[noreturn]] void tell(std::uint64_t seed, const point& at, outcome failed, std::string_view died) const {
    // What the test framework has noted here stays noted, so there is no telling whether it fails again.
    const bool can_run_again = died.empty() && (!failed.is_of_the_test || options_.processes != 1);
    if (!can_run_again) say(seed, at, failed, died, {}, all_asked_for());
    const auto again = [&](const fault_filter* only, bool is_drawn) {
      striker hand = which_.hand(at);
      trial how = trial_of(seed, hand, only);
      how.is_drawn = is_drawn;
      return run_once(what_, how, test_);
    };
    std::optional<smallest> found;
    if (!only_) found = shrink([&](const fault_filter& only) { return again(&only, false); }, failed);
    const std::string smaller = found ? told_of(*found, failed) : std::string();
    if (found) failed = std::move(found->what);
    const fault_filter* const only = found ? &found->only : all_asked_for();
    failed.drawn = unpacked(apart([&] { return packed(again(only, true)); })).drawn;
    say(seed, at, failed, {}, smaller, only);
  }

  [[noreturn]] void say(std::uint64_t seed, const point& at, const outcome& failed, std::string_view died,
                        const std::string& smaller, const fault_filter* only) const {
    std::string words = died.empty() ? failed.failure : std::string(died);
    if (!words.ends_with('\n')) words += '\n';
    std::string text = name_of(test_) + " fails with seed " + std::to_string(seed) + ", ";
    std::string variables = only != nullptr ? "SOQUETE_SIM_FAULTS=" + only->text() + " " : "";
    if (at.place == 0) {
      text += "and nothing done to it, ";
    } else {
      const std::string how(which_.name(at.how));
      text.append(which_.place).append(" ").append(std::to_string(at.place));
      if (const std::string place = where(seed, at, only); !place.empty()) text.append(", ").append(place);
      text.append(": ").append(how).append("; ");
      variables.append(which_.variable).append("=").append(std::to_string(at.place) + ":" + how + " ");
    }
    throw_failed(text + words + smaller + way_back(failed.hash, seed, variables, test_) + failed.drawn);
  }

  const each_options& options_;
  const scenario& what_;
  const detail::test_in_progress& test_;
  sort which_;
  std::optional<fault_filter> only_ = faults_asked_for();
  sum found_;
  each_report report_;
};

each_report run_each(each_options options, const scenario& what, const detail::test_in_progress& test,
                     const sort& which) {
  if (const auto only = number_in("SOQUETE_SIM_SEED")) {
    options.first_seed = *only;
    options.seeds = 1;
  }
  if (const auto count = number_in("SOQUETE_SIM_PROCESSES"))
    options.processes = static_cast<unsigned>(*count);
  return each_place(options, what, test, which).run();
}

}  // namespace

each_report detail::each_await(each_options options, const scenario& what, test_in_progress test) {
  return run_each(options, what, test, of_awaits);
}

each_report detail::each_call(each_options options, const scenario& what, test_in_progress test) {
  return run_each(options, what, test, of_calls);
}

}  // namespace soquete::sim
