// Frames: how a stream of bytes holds messages.  RFC 6587 section 3.4.2 (line), RFC 1035 section 4.2.2
// (len16)
#pragma once

#include <cstdint>
#include <optional>
#include <soquete/bytes.hpp>
#include <soquete/error.hpp>
#include <vector>

namespace command {

/// What tells one message of a stream from the next.
enum class framing : std::uint8_t {
  none,   ///< Nothing: a message is what is read at once.
  line,   ///< A line feed ends it; a carriage return before that goes too.
  nul,    ///< A zero byte ends it.
  len16,  ///< Its size goes before it, in two bytes, the higher first.
  len32,  ///< Likewise, in four bytes.
};

/// Takes a stream apart into messages. Holds at most one message and what was added last.
class unframer {
 public:
  /// Messages have at most `max` bytes. With framing::none, longer pieces are divided.
  unframer(framing how, std::size_t max) noexcept : max_(max), how_(how) {}

  /// What the stream has brought next. Messages given before are no longer valid.
  void add(soquete::bytes more);
  /// The next message, or nothing until more is added. Valid until then.
  /// Errors: message_size beyond `max`, again and again.
  soquete::result<std::optional<soquete::bytes>> next();
  /// The same once the stream has ended. A last line may lack its end, as may what a zero byte ends.
  /// Errors: as next(); end_of_stream when the last message is not whole.
  soquete::result<std::optional<soquete::bytes>> last();

 private:
  soquete::result<std::optional<soquete::bytes>> next_until(std::byte delimiter, bool is_last);
  soquete::result<std::optional<soquete::bytes>> next_of_size(std::size_t header, bool is_last);
  soquete::bytes waiting() const noexcept { return soquete::bytes(stored_).subspan(first_); }

  std::vector<std::byte> stored_;
  std::size_t first_ = 0;
  std::size_t seen_ = 0;  // Of what waits, without a delimiter.
  std::size_t max_;
  framing how_;
};

/// Appends a message to a stream.  Errors: message_size if its size cannot be written.
///
/// A delimiter inside the message is left there: whoever takes the stream apart sees two.
soquete::result<void> append_framed(std::vector<std::byte>& stream, framing how, soquete::bytes message);

}  // namespace command
