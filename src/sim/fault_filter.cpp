// Which of the faults that would strike may do so.
#include "sim/fault_filter.hpp"

#include <algorithm>
#include <charconv>

namespace soquete::sim {
namespace {

constexpr std::array<std::string_view, fault_count> names{
    "delay", "loss", "duplicate", "pieces", "reset", "refuse", "exhaust",
    "order", "cut",  "isolate",   "pause",  "crash", "name"};

// What stands before `mark`; the text goes on after it.
std::string_view take(std::string_view& text, char mark) {
  const std::size_t end = std::min(text.find(mark), text.size());
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [stopped, cause] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (cause != std::errc() || stopped != text.data() + text.size() || value == 0) return std::nullopt;
  return value;
}

}  // namespace

std::string_view to_string(fault kind) noexcept { return names[static_cast<std::size_t>(kind)]; }

std::optional<fault_filter> fault_filter::parse(std::string_view text) {
  fault_filter made;
  if (text == "none") return made;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    std::string_view numbers = take(text, ',');
    const std::string_view name = take(numbers, ':');
    const auto* const found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    const auto kind = static_cast<fault>(found - names.begin());
    if (numbers.empty()) {
      made.let(kind);
      continue;
    }
    const auto first = number(take(numbers, '-'));
    const auto last = numbers.empty() ? first : number(numbers);
    if (!first || !last || *last < *first) return std::nullopt;
    made.at(kind).push_back({*first, *last});
  }
  return made;
}

fault_filter fault_filter::of(const std::vector<numbered_fault>& all) {
  fault_filter made;
  for (const numbered_fault& one : all) {
    auto& ranges = made.at(one.kind);
    if (!ranges.empty() && ranges.back().last + 1 == one.number)
      ranges.back().last = one.number;
    else
      ranges.push_back({one.number, one.number});
  }
  return made;
}

bool fault_filter::lets(fault kind, std::uint64_t number) const noexcept {
  return std::ranges::any_of(ranges_[static_cast<std::size_t>(kind)], [number](const range& one) {
    return one.first <= number && number <= one.last;
  });
}

std::string fault_filter::text() const {
  std::string text;
  for (std::size_t i = 0; i < fault_count; ++i) {
    for (const range& one : ranges_[i]) {
      if (!text.empty()) text += ',';
      text += names[i];
      if (one.last == UINT64_MAX) continue;
      text.append(":").append(std::to_string(one.first));
      if (one.last != one.first) text.append("-").append(std::to_string(one.last));
    }
  }
  return text.empty() ? "none" : text;
}

}  // namespace soquete::sim
