// Bytes that tell which connection and which message they belong to: a window into one random pattern.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace load {

class payload {
 public:
  explicit payload(std::size_t size) : pattern_(size + offsets) {
    std::mt19937_64 random(1);
    for (char& c : pattern_) c = static_cast<char>(random());
  }

  // `size` bytes; another connection's, or the message before, would begin elsewhere in the pattern.
  const char* message(std::uint32_t connection, std::uint32_t sequence) const {
    return pattern_.data() + (connection * 2654435761u + sequence * 40503u) % offsets;
  }

 private:
  static constexpr std::size_t offsets = 4099;
  std::vector<char> pattern_;
};

}  // namespace load
