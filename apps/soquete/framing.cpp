// Frames: how a stream of bytes holds messages.
#include "framing.hpp"

#include <algorithm>

#include "locale.hpp"

namespace command {

using namespace soquete;

namespace {

constexpr std::size_t size_of_len16 = 2;
constexpr std::size_t size_of_len32 = 4;

error too_long() {
  return error(std::errc::message_size, step::receive)
      .set_detail(N_("a frame of the stream is longer than a message may be"));
}

}  // namespace

void unframer::add(bytes more) {
  stored_.erase(stored_.begin(), stored_.begin() + static_cast<std::ptrdiff_t>(first_));
  first_ = 0;
  stored_.insert(stored_.end(), more.begin(), more.end());
}

result<std::optional<bytes>> unframer::next() {
  switch (how_) {
    case framing::line: return next_until(std::byte{'\n'}, false);
    case framing::nul: return next_until(std::byte{0}, false);
    case framing::len16: return next_of_size(size_of_len16, false);
    case framing::len32: return next_of_size(size_of_len32, false);
    default: break;
  }
  if (waiting().empty()) return std::nullopt;
  const bytes piece = waiting().first(std::min(waiting().size(), max_));
  first_ += piece.size();
  return piece;
}

result<std::optional<bytes>> unframer::last() {
  switch (how_) {
    case framing::line: return next_until(std::byte{'\n'}, true);
    case framing::nul: return next_until(std::byte{0}, true);
    case framing::len16: return next_of_size(size_of_len16, true);
    case framing::len32: return next_of_size(size_of_len32, true);
    default: return next();
  }
}

result<std::optional<bytes>> unframer::next_until(std::byte delimiter, bool is_last) {
  const bytes here = waiting();
  const auto found = std::find(here.begin() + static_cast<std::ptrdiff_t>(seen_), here.end(), delimiter);
  const auto end = static_cast<std::size_t>(found - here.begin());
  const bool has_return = how_ == framing::line && end != 0 && here[end - 1] == std::byte{'\r'};
  const bool is_found = found != here.end();
  // A return at the end of what is here may belong to the end of the line.
  const std::size_t size = has_return && (is_found || !is_last) ? end - 1 : end;
  if (size > max_) return fail(too_long());
  if (!is_found && (!is_last || here.empty())) {
    seen_ = end;
    return std::nullopt;
  }
  seen_ = 0;
  first_ += std::min(end + 1, here.size());
  return here.first(size);
}

result<std::optional<bytes>> unframer::next_of_size(std::size_t header, bool is_last) {
  const bytes here = waiting();
  std::size_t size = 0;
  for (std::size_t i = 0; i < std::min(header, here.size()); ++i)
    size = size << 8U | std::to_integer<std::size_t>(here[i]);
  const bool has_size = here.size() >= header;
  if (has_size && size > max_) return fail(too_long());
  if (!has_size || here.size() - header < size) {
    if (is_last && !here.empty()) return fail(fault::end_of_stream, step::receive);
    return std::nullopt;
  }
  first_ += header + size;
  return here.subspan(header, size);
}

result<void> append_framed(std::vector<std::byte>& stream, framing how, bytes message) {
  const std::size_t header = how == framing::len16   ? size_of_len16
                             : how == framing::len32 ? size_of_len32
                                                     : 0;
  if (header != 0 && message.size() >> (8 * header) != 0)
    return fail(error(std::errc::message_size, step::send)
                    .set_detail(N_("a message is longer than its frame can tell: len32 takes more")));
  for (std::size_t i = header; i > 0; --i)
    stream.push_back(static_cast<std::byte>(message.size() >> (8 * (i - 1)) & 0xffU));
  stream.insert(stream.end(), message.begin(), message.end());
  if (how == framing::line) stream.push_back(std::byte{'\n'});
  if (how == framing::nul) stream.push_back(std::byte{0});
  return {};
}

}  // namespace command
