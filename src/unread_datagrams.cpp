// Datagrams among the unread bytes of their descriptor: "ADDRESS SIZE\n", then the payload.
#include "unread_datagrams.hpp"

#include <charconv>

namespace soquete {

void put_unread(std::vector<std::byte>& to, const endpoint& from, bytes payload) {
  const std::string head = to_string(from) + ' ' + std::to_string(payload.size()) + '\n';
  const bytes text = as_bytes(head);
  to.insert(to.end(), text.begin(), text.end());
  to.insert(to.end(), payload.begin(), payload.end());
}

std::optional<unread_datagram> next_unread(bytes& rest) {
  const std::string_view text = as_text(rest);
  const std::size_t line = text.find('\n');
  const std::size_t space = text.substr(0, line).rfind(' ');
  if (line == std::string_view::npos || space == std::string_view::npos) return std::nullopt;
  const auto from = endpoint::parse(text.substr(0, space));
  if (!from) return std::nullopt;
  std::size_t size = 0;
  const char* const end = text.data() + line;
  const auto [stopped, cause] = std::from_chars(text.data() + space + 1, end, size);
  if (cause != std::errc() || stopped != end || size > text.size() - line - 1) return std::nullopt;
  const unread_datagram got{*from, rest.subspan(line + 1, size)};
  rest = rest.subspan(line + 1 + size);
  return got;
}

}  // namespace soquete
