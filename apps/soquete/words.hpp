// Small words of the command line: durations, sizes, numbers, and the nearest name to a misspelt one.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace command {

/// A mistake on the command line: what is wrong, and what to write instead (may be empty).
struct mistake {
  std::string what;
  std::string advice;
};

/// The value, or the mistake.
template <class T>
using read = std::expected<T, mistake>;

inline std::unexpected<mistake> wrong(std::string what, std::string advice = {}) {
  return std::unexpected<mistake>({std::move(what), std::move(advice)});
}

/// "250ms", "10s", "1.5m", "2h", and a bare number of seconds.
std::optional<std::chrono::nanoseconds> duration_from(std::string_view text);

/// "65536", "64KiB", "10MB": bytes. KiB counts in 1024, kB and KB in 1000, a bare K in 1024.
std::optional<std::uint64_t> size_from(std::string_view text);

/// A decimal number, or a hexadecimal one after 0x; without sign or spaces.
std::optional<std::uint64_t> number_from(std::string_view text, std::uint64_t highest);

/// The one of `names` that differs least from `word`; empty when none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> names);

/// "1.2 s", "340 ms".
std::string shown(std::chrono::nanoseconds span);
/// "78 B", "10.0 MiB".
std::string shown_size(std::uint64_t size);

}  // namespace command
