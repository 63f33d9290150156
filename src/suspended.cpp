// The tree of suspended awaits as text.
#include <algorithm>
#include <array>
#include <cstdio>
#include <soquete/suspended.hpp>

namespace soquete {
namespace {

std::string seconds(clock::duration span) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f s", std::chrono::duration<double>(span).count());
  return text.data();
}

// "main.cpp" of a program's own file, "soquete/reader.hpp" of ours: whoever looks for a fault begins with
// theirs.
std::string readable_file(std::string_view path) {
  constexpr std::string_view here = __FILE__;
  const std::size_t slash = path.find_last_of('/') + 1;
  const std::string_view folder = path.substr(0, slash);
  const std::string_view name = path.substr(slash);
  const bool is_ours = folder == here.substr(0, here.find_last_of('/') + 1) || folder.ends_with("/soquete/");
  return std::string(is_ours ? "soquete/" : "").append(name);
}

}  // namespace

void suspension_report::indent() {
  if (!text_.empty()) text_ += '\n';
  text_.append(2 * depth_, ' ');
}

void suspension_report::await(const std::source_location& at, time_point since) {
  indent();
  text_.append(readable_file(at.file_name())).append(":").append(std::to_string(at.line()));
  text_.append(" waits since ").append(seconds(now_ - since));
  if (sought_ == nullptr) return;
  above_.resize(depth_);
  above_.push_back({.at = at, .until = std::nullopt});
}

void suspension_report::running() {
  indent();
  text_.append("running");
}

void suspension_report::waits_for(std::string_view what) { text_.append(" for ").append(what); }

void suspension_report::until(time_point deadline) {
  text_.append(", at most ").append(seconds(deadline - now_)).append(" more");
  if (depth_ >= above_.size()) return;
  std::optional<time_point>& nearest = above_[depth_].until;
  nearest = std::min(nearest.value_or(deadline), deadline);
}

void suspension_report::shielded() noexcept {
  if (depth_ < above_.size()) above_[depth_].is_shielded = true;
}

void suspension_report::reached(const void* wait, std::optional<time_point> end) {
  if (wait != sought_ || sought_ == nullptr) return;
  way made;
  made.end = end;
  // Whoever reads this looks for lines of their own; ours are told where there are none.
  std::string ours;
  for (std::size_t i = std::min<std::size_t>(above_.size(), depth_ + 1); i != 0; --i) {
    const level& one = above_[i - 1];
    made.is_shielded |= one.is_shielded;
    if (one.until && (!made.until || *one.until < *made.until)) made.until = one.until;
    if (one.at.line() == 0) continue;
    const std::string place = readable_file(one.at.file_name()) + ":" + std::to_string(one.at.line());
    std::string& text = place.starts_with("soquete/") ? ours : made.awaits;
    text.append(text.empty() ? "" : ", from ").append(place);
  }
  if (made.awaits.empty()) made.awaits.swap(ours);
  found_ = std::move(made);
}

}  // namespace soquete
