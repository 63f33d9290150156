// Small words of the command line.
#include "words.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>
#include <vector>

namespace command {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A number with an optional fraction, and the letters after it. (strtod(3) would obey the locale, and libc++
// has no std::from_chars for it.)
std::optional<std::pair<double, std::string_view>> amount_from(std::string_view text) {
  double amount = 0;
  double scale = 1;
  std::size_t digits = 0;
  std::size_t at = 0;
  for (bool in_fraction = false; at < text.size(); ++at) {
    if (text[at] == '.' && !in_fraction) {
      in_fraction = true;
      continue;
    }
    if (!is_digit(text[at])) break;
    amount = amount * 10 + (text[at] - '0');
    if (in_fraction) scale *= 10;
    ++digits;
  }
  if (digits == 0) return {};
  return std::pair(amount / scale, text.substr(at));
}

// Letters to add, drop, exchange or swap with their neighbour.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      const std::size_t exchanged = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, exchanged});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::optional<std::chrono::nanoseconds> duration_from(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 7> units{
      {{"", 1e9}, {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};
  const auto amount = amount_from(text);
  if (!amount) return {};
  for (const auto& [unit, nanoseconds] : units) {
    if (unit != amount->second) continue;
    const double span = amount->first * nanoseconds;
    // Nobody waits longer than a hundred years.
    if (span > 3.15e18) return {};
    return std::chrono::nanoseconds(static_cast<std::int64_t>(span));
  }
  return {};
}

std::optional<std::uint64_t> size_from(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 15> units{{{"", 1},
                                                                       {"B", 1},
                                                                       {"K", 1024},
                                                                       {"KiB", 1024},
                                                                       {"kB", 1e3},
                                                                       {"KB", 1e3},
                                                                       {"k", 1e3},
                                                                       {"M", 1024.0 * 1024},
                                                                       {"MiB", 1024.0 * 1024},
                                                                       {"MB", 1e6},
                                                                       {"G", 1024.0 * 1024 * 1024},
                                                                       {"GiB", 1024.0 * 1024 * 1024},
                                                                       {"GB", 1e9},
                                                                       {"b", 1},
                                                                       {"kib", 1024}}};
  const auto amount = amount_from(text);
  if (!amount) return {};
  for (const auto& [unit, bytes] : units)
    if (unit == amount->second && amount->first * bytes < 9e15)
      return static_cast<std::uint64_t>(amount->first * bytes);
  return {};
}

std::optional<std::uint64_t> number_from(std::string_view text, std::uint64_t highest) {
  const bool is_hex = text.starts_with("0x");
  if (is_hex) text.remove_prefix(2);
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, cause] = std::from_chars(text.data(), end, value, is_hex ? 16 : 10);
  if (cause != std::errc() || stopped != end || value > highest) return {};
  return value;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> names) {
  std::string_view best;
  // One letter in three may be wrong, or the guess is no help.
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view name : names) {
    const std::size_t far = distance(word, name);
    if (far < least) {
      least = far;
      best = name;
    }
  }
  return best;
}

std::string shown(std::chrono::nanoseconds span) {
  const double s = std::chrono::duration<double>(span).count();
  if (s < 1e-3) return fmt::format("{:.0f} µs", s * 1e6);
  if (s < 1) return fmt::format("{:.0f} ms", s * 1e3);
  if (s < 60) return fmt::format("{:.3g} s", s);
  const auto whole = static_cast<std::int64_t>(s);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

std::string shown_size(std::uint64_t size) {
  constexpr std::array<std::string_view, 5> units{"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (size < 1024) return fmt::format("{} B", size);
  double amount = static_cast<double>(size) / 1024;
  std::size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < units.size(); ++unit) amount /= 1024;
  return fmt::format("{:.1f} {}", amount, units[unit]);
}

}  // namespace command
