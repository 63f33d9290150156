// The smallest history that fails.  Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input,
// 2002
#include "world/shrink.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>

#include "world/workers.hpp"

namespace soquete::sim {
namespace {

// Enough for thousands of faults of which few are needed; and no clock decides what is told.
constexpr int tries_max = 600;

// "not so: exact bytes (echo_test.cpp:)": the first line without the moment and without numbers.
std::string words_of(const std::string& failure) {
  std::string_view line = std::string_view(failure).substr(0, failure.find('\n'));
  if (line.starts_with("at ")) line.remove_prefix(std::min(line.find(": ") + 1, line.size()));
  std::string words;
  for (const char c : line)
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) words += c;
  return words;
}

class search {
 public:
  search(const retrial& again, const outcome& failed) : again_(again), words_(words_of(failed.failure)) {}

  // Does it fail as well with these? Then it is the smallest so far.
  bool fails_with(const fault_filter& only) {
    if (++tries_ > tries_max) return false;
    const std::string bytes = apart([&] { return packed(again_(only)); });
    outcome one = unpacked(bytes);
    // Whoever dies says nothing.
    if (words_of(one.failure) != words_ || (bytes.empty() && !words_.empty())) return false;
    best_.emplace();
    best_->what = std::move(one);
    best_->only = only;
    return true;
  }

  std::optional<smallest> take() && { return std::move(best_); }
  const outcome& now() const { return best_->what; }

 private:
  const retrial& again_;
  std::string words_;
  int tries_ = 0;
  std::optional<smallest> best_;
};

fault_filter letting(const std::vector<fault>& kinds) {
  fault_filter made;
  for (const fault kind : kinds) made.let(kind);
  return made;
}

// Leaves out what can be left out, one kind after the other.
void shrink_kinds(search& all, std::vector<fault>& kinds) {
  for (std::size_t i = 0; i < kinds.size();) {
    std::vector<fault> fewer = kinds;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    if (all.fails_with(letting(fewer)))
      kinds = std::move(fewer);
    else
      ++i;
  }
}

// Leaves out runs of them, half of all at first, one at a time in the end.
void shrink_faults(search& all, std::vector<numbered_fault>& faults) {
  for (std::size_t size = std::max<std::size_t>(faults.size() / 2, 1);;
       size = std::max<std::size_t>(size / 2, 1)) {
    bool has_shrunk = false;
    for (std::size_t at = 0; at < faults.size();) {
      std::vector<numbered_fault> fewer = faults;
      const std::size_t end = std::min(at + size, fewer.size());
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(at),
                  fewer.begin() + static_cast<std::ptrdiff_t>(end));
      if (all.fails_with(fault_filter::of(fewer))) {
        faults = std::move(fewer);
        has_shrunk = true;
      } else {
        at = end;
      }
    }
    if (size == 1 && !has_shrunk) return;
  }
}

}  // namespace

std::optional<smallest> shrink(const retrial& again, const outcome& failed) {
  search all(again, failed);
  std::vector<fault> kinds;
  for (std::size_t i = 0; i < fault_count; ++i)
    if (failed.struck[i] != 0) kinds.push_back(static_cast<fault>(i));
  // Only to see that it fails again, and so that there is something to begin with.
  if (kinds.empty() || !all.fails_with(letting(kinds))) return std::nullopt;
  std::vector<numbered_fault> faults;
  if (all.fails_with({})) {
    kinds.clear();
  } else {
    shrink_kinds(all, kinds);
    for (const fault kind : kinds)
      for (std::uint64_t i = 1; i <= all.now().occasions[static_cast<std::size_t>(kind)]; ++i)
        faults.push_back({kind, i});
    if (all.fails_with(fault_filter::of(faults))) shrink_faults(all, faults);
  }
  std::optional<smallest> found = std::move(all).take();
  found->kinds = kinds.size();
  found->faults = faults.size();
  return found;
}

std::string told_of(const smallest& found, const outcome& whole) {
  const std::uint64_t all = std::accumulate(whole.struck.begin(), whole.struck.end(), std::uint64_t{0});
  const auto kinds = std::ranges::count_if(whole.struck, [](std::uint64_t count) { return count != 0; });
  if (found.faults == 0) return "and so it does without any of its " + std::to_string(all) + " faults\n";
  return "with " + std::to_string(found.faults) + " of its " + std::to_string(all) + " faults, of " +
         std::to_string(found.kinds) + " of its " + std::to_string(kinds) +
         " kinds: " + found.what.let_through + "\n";
}

}  // namespace soquete::sim
