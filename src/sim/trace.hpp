// The history of a simulated network: one number for all of it, and on request every line.
#pragma once

#include <string>
#include <string_view>

#include "sim/agenda.hpp"
#include "sim/random.hpp"

namespace soquete::sim {

class recording;

/// What is noted.
enum class noted : std::uint8_t {
  turn,       // a host ran
  ended,      // an operation: descriptor, code and outcome
  left,       // a piece of a stream left: bytes, when it arrives
  came,       // a piece of a stream came: bytes
  finished,   // the end of a stream came
  reset,      // a reset came
  asked,      // a connection was asked for
  connected,  // and came about
  refused,    // or not
  lost,       // something was lost: bytes
  sent,       // a datagram left: bytes, when it arrives
  arrived,    // a datagram came: bytes
  cut,        // a link was cut
  healed,     // and mended
  crashed,    // a host lost its memory
  started,    // a host started
  paused,     // a host stood still
  resumed,    // and went on
  opened,     // a socket: descriptor
  closed,     // a socket: descriptor
  raised,     // a signal: its number
  meddled,    // a call was made to fail: its kind, the errno; an await was struck: 256 and how
  misnamed,   // a name was not looked up as it should: how, when the answer comes
};

std::string_view to_string(noted) noexcept;

class trace {
 public:
  /// `a` and `b` are numbers that the same program has in every run: no pointers, no real time.
  void note(moment at, std::uint32_t who, noted what, std::uint64_t a = 0, std::uint64_t b = 0) {
    hash_ = mixed(hash_ ^ static_cast<std::uint64_t>(at.count()));
    hash_ = mixed(hash_ ^ (std::uint64_t{who} << 8 | static_cast<std::uint64_t>(what)));
    hash_ = mixed(hash_ ^ a);
    hash_ = mixed(hash_ ^ b);
    if (is_kept_) [[unlikely]]
      keep(at, who, what, a, b);
  }

  std::uint64_t hash() const noexcept { return hash_; }
  const std::string& text() const noexcept { return text_; }

  /// From now on every line.
  void keep_text() noexcept { keeps_text_ = is_kept_ = true; }
  /// From now on this hears of all; null: nobody does.
  void tell(recording* who) noexcept {
    listener_ = who;
    is_kept_ = keeps_text_ || who != nullptr;
  }

 private:
  void keep(moment at, std::uint32_t who, noted what, std::uint64_t a, std::uint64_t b);
  void write(moment at, std::uint32_t who, noted what, std::uint64_t a, std::uint64_t b);

  std::uint64_t hash_ = 0;
  bool is_kept_ = false;  // As text, or by a listener.
  bool keeps_text_ = false;
  recording* listener_ = nullptr;
  std::string text_;
};

}  // namespace soquete::sim
