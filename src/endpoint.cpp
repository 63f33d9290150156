// Endpoints: local names, text, comparison.  unix(7), RFC 3986 section 3.2.2.
#include <soquete/endpoint.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "text.hpp"

namespace soquete {

namespace {

std::unexpected<error> too_long(std::string_view name, std::string_view what, std::size_t length_max) {
  error why(std::errc::filename_too_long, step::parse);
  why.set_subject(text::shown(name));
  why.set_detail(std::string(what) + " has at most " + std::to_string(length_max) + " bytes, not " +
                 std::to_string(name.size()));
  return fail(std::move(why));
}

// What follows "unix:".
result<endpoint> parse_local(std::string_view whole, std::string_view rest) {
  // "unix://" + path is how other programs write it; "unix://run/x" would name a host called run.
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    if (!rest.starts_with('/') && !rest.starts_with('@'))
      return text::fail(whole, "after 'unix://' an absolute path or '@' and a name is expected");
  }
  const bool is_abstract = rest.starts_with('@');
  if (is_abstract) rest.remove_prefix(1);
  std::string name;
  if (const text::refusal why = text::unescape(rest, name)) return text::fail(whole, why);
  if (name.empty())
    return text::fail(whole, is_abstract ? "a name is expected after 'unix:@'"
                                         : "a path or '@' and a name is expected after 'unix:'");
  result<endpoint> made = is_abstract ? endpoint::local_abstract(name) : endpoint::local_path(name);
  if (!made) made.error().set_subject(text::shown(whole));
  return made;
}

// At once into its place: an error about a connection holds two of them.
std::string ip_text(const address& host, std::uint16_t port) {
  std::array<char, text::address_length_max + sizeof "[]:65535"> room;
  char* end = room.data();
  if (host.is_v6()) *end++ = '[';
  end = text::put(end, host);
  if (host.is_v6()) *end++ = ']';
  *end++ = ':';
  return {room.data(), std::to_chars(end, room.data() + room.size(), port).ptr};
}

}  // namespace

endpoint::endpoint(kind what, std::string_view name) noexcept
    : name_{}, name_size_(static_cast<std::uint8_t>(name.size())), kind_(what) {
  std::ranges::copy(name, name_.begin());
}

result<endpoint> endpoint::local_path(std::string_view path) {
  if (path.empty()) return text::fail(path, "a path is expected");
  if (path.find('\0') != path.npos) return text::fail(path, "a path cannot have a zero byte");
  if (path.size() > path_max) return too_long(path, "the path of a socket", path_max);
  return endpoint(kind::path, path);
}

result<endpoint> endpoint::local_abstract(std::string_view name) {
  if (name.empty()) return text::fail(name, "an abstract name is expected");
  if (name.size() > abstract_max) return too_long(name, "an abstract name", abstract_max);
  return endpoint(kind::abstract, name);
}

result<endpoint> endpoint::parse(std::string_view whole, zone_lookup find_zone) {
  constexpr std::string_view local = "unix:";
  if (whole.starts_with(local)) return parse_local(whole, whole.substr(local.size()));
  text::host_port parts;
  if (const text::refusal why = text::read_host_port(whole, parts)) return text::fail(whole, why);
  if (parts.host.empty() && !parts.in_brackets) return text::fail(whole, "an address is missing before ':'");
  address at;
  if (const text::refusal why = text::read_host_address(parts, find_zone, at)) return text::fail(whole, why);
  return endpoint(at, parts.port);
}

bool operator==(const endpoint& a, const endpoint& b) noexcept {
  if (a.kind_ != b.kind_) return false;
  if (a.is_ip()) return a.ip_ == b.ip_ && a.port_ == b.port_;
  return a.local_name() == b.local_name();
}

std::string to_string(const endpoint& of) {
  if (of.is_empty()) return {};
  if (of.is_ip()) return ip_text(of.addr(), of.port());
  const std::string_view name = of.local_name();
  if (of.is_abstract()) return "unix:@" + text::escape(name, "\\|");
  // A path that would read back as something else has the byte escaped that misleads.
  if (name.starts_with('@')) return "unix:\\x40" + text::escape(name.substr(1), "\\|");
  if (name.starts_with("//")) return "unix:/\\x2f" + text::escape(name.substr(2), "\\|");
  return "unix:" + text::escape(name, "\\|");
}

}  // namespace soquete

std::size_t std::hash<soquete::endpoint>::operator()(const soquete::endpoint& of) const noexcept {
  if (of.is_ip())
    return std::hash<soquete::address>()(of.addr()) ^ (of.port() * std::size_t{0x9e3779b97f4a7c15U});
  return std::hash<std::string_view>()(of.local_name()) + (of.is_abstract() ? 1 : 0);
}
