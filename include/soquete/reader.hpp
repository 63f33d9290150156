// Reading a byte stream by lines, counts and delimiters.
#pragma once

#include <algorithm>
#include <cstring>
#include <soquete/stream.hpp>
#include <string>
#include <vector>

namespace soquete {
namespace detail {

/// Bytes that have been received and not yet read. Holds memory only while there are some, or few.
class read_buffer {
 public:
  bytes waiting() const noexcept { return bytes(stored_).subspan(first_); }
  void add(bytes more);
  void drop(std::size_t count) noexcept;

 private:
  std::vector<std::byte> stored_;
  std::size_t first_ = 0;
};

/// Where `delimiter` begins in `data`, looking from `from` on; data.size() if nowhere.
std::size_t find(bytes data, bytes delimiter, std::size_t from) noexcept;

}  // namespace detail

/// Reads `stream`, which outlives it, and keeps what came too much for the next call.
///
/// One call at a time. Cancelled, nothing is lost: the bytes that came stay for the next call.
template <byte_stream Stream>
class reader {
 public:
  explicit reader(Stream& stream) noexcept : stream_(&stream) {}  ///< Reads from `stream`, which outlives it.

  /// Up to and without the line feed; a carriage return before it goes too. A last line may lack its end.
  ///
  /// Errors: line_too_long beyond `max` bytes (the bytes stay), end_of_stream when there is no line any more.
  task<result<std::string>> line(std::size_t max);

  /// Up to and without `delimiter`, which is taken and dropped, and not empty.
  /// Errors: line_too_long, end_of_stream also when the last piece has no delimiter.
  task<result<std::string>> until(std::string_view delimiter, std::size_t max);

  /// Fills all of `into`.  Errors: end_of_stream; what came before it stays.
  task<result<void>> exactly(mutable_bytes into);

  /// What there is, at most `max` bytes; empty at the end of the stream.
  task<result<std::string>> some(std::size_t max);

  /// Received and not yet read.
  bytes buffered() const noexcept { return buffer_.waiting(); }

 private:
  // False: the stream has ended.
  task<result<bool>> fill();
  std::string take(std::size_t size, std::size_t drop);

  Stream* stream_;
  detail::read_buffer buffer_;
};

template <byte_stream Stream>
task<result<bool>> reader<Stream>::fill() {
  lease more = co_await ok(stream_->receive());
  if (more.empty()) co_return false;
  buffer_.add(more.bytes());
  co_return true;
}

template <byte_stream Stream>
std::string reader<Stream>::take(std::size_t size, std::size_t drop) {
  std::string text(as_text(buffer_.waiting().first(size)));
  buffer_.drop(drop);
  return text;
}

template <byte_stream Stream>
task<result<std::string>> reader<Stream>::line(std::size_t max) {
  constexpr auto without_return = [](bytes line) noexcept {
    return line.size() - (!line.empty() && line.back() == std::byte{'\r'} ? 1 : 0);
  };
  for (std::size_t seen = 0;;) {
    const bytes waiting = buffer_.waiting();
    const std::size_t end = detail::find(waiting, as_bytes("\n"), seen);
    const std::size_t size = without_return(waiting.first(end));
    // A return at the very end of what is here may belong to the end of the line.
    if (size > max) co_return fail(fault::line_too_long, step::receive);
    if (end != waiting.size()) co_return take(size, end + 1);
    seen = end;
    if (co_await ok(fill())) continue;
    if (seen == 0) co_return fail(fault::end_of_stream, step::receive);
    co_return take(size, seen);
  }
}

template <byte_stream Stream>
task<result<std::string>> reader<Stream>::until(std::string_view delimiter, std::size_t max) {
  if (delimiter.empty()) co_return fail(std::errc::invalid_argument, step::receive);
  for (std::size_t seen = 0;;) {
    const bytes waiting = buffer_.waiting();
    const std::size_t end = detail::find(waiting, as_bytes(delimiter), seen);
    const bool found = end != waiting.size();
    // Its first bytes may be here already: they do not count as text.
    const std::size_t undecided = found ? 0 : std::min(waiting.size(), delimiter.size() - 1);
    if (end - undecided > max) co_return fail(fault::line_too_long, step::receive);
    if (found) co_return take(end, end + delimiter.size());
    seen = waiting.size() - undecided;
    if (!co_await ok(fill())) co_return fail(fault::end_of_stream, step::receive);
  }
}

template <byte_stream Stream>
task<result<void>> reader<Stream>::exactly(mutable_bytes into) {
  while (buffer_.waiting().size() < into.size()) {
    const bool more = co_await ok(fill());
    if (!more) co_return fail(fault::end_of_stream, step::receive);
  }
  if (!into.empty()) std::memcpy(into.data(), buffer_.waiting().data(), into.size());
  buffer_.drop(into.size());
  co_return {};
}

template <byte_stream Stream>
task<result<std::string>> reader<Stream>::some(std::size_t max) {
  if (buffer_.waiting().empty()) static_cast<void>(co_await ok(fill()));
  const std::size_t size = std::min(max, buffer_.waiting().size());
  co_return take(size, size);
}

}  // namespace soquete
