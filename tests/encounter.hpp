// Two programs that meet on a socket, and what each of them sees: a case whose outcome may differ from run to
// run. On one loop, on two loops at once, and in the simulation.  docs/simulation.md
#pragma once

#include <atomic>
#include <barrier>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <soquete/deadline.hpp>
#include <soquete/driver.hpp>
#include <string>
#include <vector>

#include "random.hpp"

namespace soquete::test {

/// Where one of the two acts: it decides how fast.
class stage {
 public:
  virtual ~stage() = default;
  /// Lets a little time pass, or none: whoever acts has been held up before.
  virtual task<result<void>> hold() = 0;
  /// Both have come this far.
  virtual task<result<void>> meet() = 0;
  /// For what may never come.
  virtual clock::duration glance() const noexcept = 0;
};

/// For what comes in any case, on a busy machine too.
inline constexpr std::chrono::seconds patience{50};

/// One meeting. Made anew for each run, as it keeps what was opened.
class encounter {
 public:
  virtual ~encounter() = default;
  /// By the first, before the second begins.
  virtual task<result<void>> open() = 0;
  /// What they have seen, in words that are the same on each run that goes alike.
  virtual task<result<std::string>> first(stage& on) = 0;
  virtual task<result<std::string>> second(stage& on) = 0;
  /// Closes what is left, on the loop of the one who has it.
  virtual void close_first() noexcept {}
  virtual void close_second() noexcept {}
};

/// A case.
struct encounter_kind {
  std::string_view name;
  std::function<std::unique_ptr<encounter>()> make;
};

/// How often each outcome was seen.
using outcomes = std::map<std::string, std::uint64_t>;

/// Runs it that often on one loop of that driver, and that often on two, each with a thread.
outcomes seen_on(driver_choice which, const encounter_kind& kind, unsigned runs);

/// What the simulation can show of a case: as many seeds are run as it takes.
class simulated_outcomes {
 public:
  explicit simulated_outcomes(const encounter_kind& kind) : kind_(kind) {}
  /// Looks for it in at most so many histories.
  bool has(const std::string& outcome, std::uint64_t seeds_max);
  const std::map<std::string, std::uint64_t>& first_seeds() const noexcept { return first_seeds_; }
  std::uint64_t seeds() const noexcept { return seeds_; }

 private:
  const encounter_kind& kind_;
  std::map<std::string, std::uint64_t> first_seeds_;
  std::uint64_t seeds_ = 0;
};

}  // namespace soquete::test
