// Giving an open socket to another process whole.
//
// First a record "soquete <bytes>" with the descriptor, then those of its accepted connections; then records
// of unread bytes until there have been that many.
#include <soquete/handover.hpp>

#include <charconv>

namespace soquete {
namespace {

constexpr std::string_view mark = "soquete ";
constexpr std::size_t piece_max = 64 * 1024;

// Of a record that begins as it should.
result<std::size_t> announced_bytes(const local::message& head) {
  std::string_view text = head.payload.text();
  std::size_t size = 0;
  if (text.starts_with(mark) && !head.handles.empty()) {
    text.remove_prefix(mark.size());
    const auto [end, cause] = std::from_chars(text.data(), text.data() + text.size(), size);
    const bool is_number = cause == std::errc() && end == text.data() + text.size();
    if (is_number && size <= given_bytes_max) return size;
  }
  return fail(std::errc::protocol_error, step::receive);
}

error cut_short(const local::message& m) {
  if (m.handles_lost) return {std::errc::too_many_files_open, step::receive};
  return {fault::end_of_stream, step::receive};
}

}  // namespace

task<result<void>> give(local::seqpacket& to, owned_descriptor what) {
  if (what.unread().size() > given_bytes_max) {
    error why(std::errc::invalid_argument, step::send);
    co_return fail(std::move(why.set_detail("more unread bytes than may go along")));
  }
  const std::vector<std::byte> unread = what.take_unread();
  std::vector<owned_descriptor> all = what.take_accepted();
  all.insert(all.begin(), std::move(what));
  const std::string head = std::string(mark) + std::to_string(unread.size());
  co_await ok(to.send(head, all));
  for (bytes rest = unread; !rest.empty();) {
    const bytes piece = rest.first(std::min(rest.size(), piece_max));
    co_await ok(to.send(piece));
    rest = rest.subspan(piece.size());
  }
  co_return {};
}

task<result<owned_descriptor>> take(local::seqpacket& from) {
  local::message head = co_await ok(from.receive());
  if (head.is_end || head.handles_lost) co_return fail(cut_short(head));
  const std::size_t size = co_await ok(announced_bytes(head));
  std::vector<std::byte> unread;
  while (unread.size() < size) {
    const local::message piece = co_await ok(from.receive());
    if (piece.is_end) co_return fail(cut_short(piece));
    if (piece.payload.size() > size - unread.size()) co_return fail(std::errc::protocol_error, step::receive);
    unread.insert(unread.end(), piece.payload.begin(), piece.payload.end());
  }
  owned_descriptor whole = std::move(head.handles.front());
  head.handles.erase(head.handles.begin());
  whole.set_unread(std::move(unread));
  whole.set_accepted(std::move(head.handles));
  co_return whole;
}

}  // namespace soquete
