// Views of bytes, and text as bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace soquete {

/// Bytes to read. Borrowed: whoever owns them keeps them in place while they are used.
using bytes = std::span<const std::byte>;

/// Bytes to fill. Borrowed likewise.
using mutable_bytes = std::span<std::byte>;

/// The bytes of a text, as they stand: no terminating zero, no conversion.
inline bytes as_bytes(std::string_view text) noexcept { return std::as_bytes(std::span(text)); }

/// Bytes seen as text, as they stand.
inline std::string_view as_text(bytes data) noexcept {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

}  // namespace soquete
