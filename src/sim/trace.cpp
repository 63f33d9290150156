// The history of a simulated network.
#include "sim/trace.hpp"

#include <array>
#include <cstdio>

#include "sim/recording.hpp"

namespace soquete::sim {

std::string_view to_string(noted what) noexcept {
  constexpr std::array<std::string_view, 23> names{
      "turn",    "ended",   "left",   "came",    "finished", "reset",   "asked",   "connected",
      "refused", "lost",    "sent",   "arrived", "cut",      "healed",  "crashed", "started",
      "paused",  "resumed", "opened", "closed",  "raised",   "meddled", "misnamed"};
  return names[static_cast<std::size_t>(what)];
}

void trace::keep(moment at, std::uint32_t who, noted what, std::uint64_t a, std::uint64_t b) {
  if (keeps_text_) write(at, who, what, a, b);
  if (listener_ != nullptr) listener_->note(at, who, what);
}

void trace::write(moment at, std::uint32_t who, noted what, std::uint64_t a, std::uint64_t b) {
  std::array<char, 128> text{};
  const std::string_view name = to_string(what);
  std::snprintf(text.data(), text.size(), "%14.6f ms  host %u  %.*s %lld %lld\n",
                static_cast<double>(at.count()) / 1e6, who, static_cast<int>(name.size()), name.data(),
                static_cast<long long>(a), static_cast<long long>(b));
  text_ += text.data();
}

}  // namespace soquete::sim
