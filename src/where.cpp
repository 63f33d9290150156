// Places as people write them, alternative by alternative.  RFC 1123 section 2.1, RFC 6761, sd_listen_fds(3).
#include <soquete/where.hpp>

#include <climits>

#include "text.hpp"

namespace soquete {

namespace {

using text::refusal;

bool is_letter_or_digit(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Takes the label before the first dot off `rest`.
std::string_view next_label(std::string_view& rest) noexcept {
  const std::size_t dot = rest.find('.');
  const std::string_view label = rest.substr(0, dot);
  rest.remove_prefix(dot == rest.npos ? rest.size() : dot + 1);
  return label;
}

bool is_number(std::string_view label) noexcept {
  const bool is_hex = label.starts_with("0x") || label.starts_with("0X");
  const std::string_view allowed = is_hex ? "0123456789abcdefABCDEF" : "0123456789";
  return !label.empty() && label.find_first_not_of(allowed, is_hex ? 2 : 0) == label.npos;
}

// Old parsers make an address of "127.1" or "0x7f.1", each in its own way; so no such name is looked up.
bool is_numbers_only(std::string_view host) noexcept {
  while (!host.empty())
    if (!is_number(next_label(host))) return false;
  return true;
}

refusal check_label(std::string_view label) noexcept {
  if (label.empty()) return {"", "a part of the name beside a '.' is empty"};
  for (const char& c : label) {
    if (is_letter_or_digit(c) || c == '-' || c == '_') continue;
    const std::string_view bad(&c, 1);
    if (static_cast<unsigned char>(c) >= 0x80)
      return {bad, "cannot be in a name: write names beyond ASCII in their xn-- form"};
    return {bad, "cannot be in a name: it has letters, digits, '-', '_' and '.'"};
  }
  if (label.size() > 63) return {label, "is too long: each part of a name has at most 63 bytes"};
  if (label.front() == '-' || label.back() == '-')
    return {label, "begins or ends with '-', as no part of a name does"};
  return {};
}

refusal check_name(std::string_view name) noexcept {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.size() > 253) return {"", "the name is too long: it has at most 253 bytes"};
  if (name.empty() || name.ends_with('.')) return check_label("");
  while (!name.empty())
    if (const refusal why = check_label(next_label(name))) return why;
  return {};
}

refusal read_host(std::string_view one, zone_lookup find_zone, where::alternative& into) {
  text::host_port parts;
  if (const refusal why = read_host_port(one, parts)) return why;
  if (!parts.in_brackets && (parts.host.empty() || parts.host == "*")) {
    into = {.what = where::kind::any_host, .port = parts.port};
  } else if (parts.in_brackets || is_numbers_only(parts.host)) {
    address at;
    if (const refusal why = read_host_address(parts, find_zone, at)) return why;
    into = {.what = where::kind::ip, .at = {at, parts.port}};
  } else {
    if (const refusal why = check_name(parts.host)) return why;
    into = {.what = where::kind::host, .port = parts.port, .name = std::string(parts.host)};
  }
  return {};
}

refusal read_descriptor(std::string_view digits, where::alternative& into) {
  const auto number = text::decimal(digits, INT_MAX);
  if (!number) return {digits, "is no descriptor: a decimal number is expected after 'fd:', as in fd:3"};
  into = {.what = where::kind::descriptor, .descriptor = static_cast<int>(*number)};
  return {};
}

// What systemd allows in FileDescriptorName=.
refusal read_inherited(std::string_view name, where::alternative& into) {
  for (const char& c : name)
    if (c < ' ' || c > '~' || c == ':') return {{&c, 1}, "cannot be in the name of an inherited socket"};
  if (name.size() > 255) return {"", "the name of an inherited socket has at most 255 bytes"};
  into = {.what = where::kind::inherited, .name = std::string(name)};
  return {};
}

result<where::alternative> parse_one(std::string_view whole, std::string_view one, zone_lookup find_zone) {
  const std::size_t colon = one.find(':');
  const std::string_view rest = colon == one.npos ? "" : one.substr(colon + 1);
  where::alternative read;
  if (one.starts_with("unix:")) {
    result<endpoint> name = endpoint::parse(one);
    if (!name) return fail(std::move(name.error().set_subject(text::shown(whole))));
    read = {.what = where::kind::local, .at = *name};
    return read;
  }
  const refusal why = one.starts_with("fd:")        ? read_descriptor(rest, read)
                      : one.starts_with("systemd:") ? read_inherited(rest, read)
                                                    : read_host(one, find_zone, read);
  if (why) return text::fail(whole, why);
  return read;
}

bool is_localhost(std::string_view name) noexcept {
  if (name.ends_with('.')) name.remove_suffix(1);
  constexpr std::string_view last = "localhost";
  if (name.size() < last.size()) return false;
  const std::string_view end = name.substr(name.size() - last.size());
  for (std::size_t i = 0; i < end.size(); ++i)
    if ((end[i] | 0x20) != last[i]) return false;
  return end.size() == name.size() || name[name.size() - end.size() - 1] == '.';
}

std::vector<endpoint> loopbacks(std::uint16_t port) {
  return {{address::loopback_v6(), port}, {address::loopback_v4(), port}};
}

}  // namespace

result<where> where::parse(std::string_view whole, zone_lookup find_zone) {
  where read;
  std::string_view rest = whole;
  for (std::size_t bar = 0; bar != rest.npos; rest.remove_prefix(bar == rest.npos ? 0 : bar + 1)) {
    bar = rest.find('|');
    const std::string_view one = rest.substr(0, bar);
    if (one.empty() && !whole.empty()) return text::fail(whole, "a place is missing beside '|'");
    if (read.alternatives_.size() == alternatives_max)
      return text::fail(whole, "more than " + std::to_string(alternatives_max) + " alternatives");
    result<alternative> got = parse_one(whole, one, find_zone);
    if (!got) return fail(std::move(got.error()));
    read.alternatives_.push_back(std::move(*got));
  }
  return read;
}

std::string to_string(const where::alternative& of) {
  switch (of.what) {
    case where::kind::any_host: return ":" + std::to_string(of.port);
    case where::kind::host: return of.name + ":" + std::to_string(of.port);
    case where::kind::ip:
    case where::kind::local: return to_string(of.at);
    case where::kind::descriptor: return "fd:" + std::to_string(of.descriptor);
    case where::kind::inherited: return "systemd:" + of.name;
  }
  return {};
}

std::string to_string(const where& of) {
  std::string text;
  for (const where::alternative& one : of.alternatives())
    text.append(text.empty() ? "" : "|").append(to_string(one));
  return text;
}

result<std::vector<endpoint>> literal_endpoints(const where::alternative& of, purpose what_for) {
  switch (of.what) {
    case where::kind::ip:
    case where::kind::local: return std::vector<endpoint>{of.at};
    case where::kind::descriptor:
    case where::kind::inherited: return std::vector<endpoint>{};
    case where::kind::any_host:
      if (what_for == purpose::connect) return loopbacks(of.port);
      return std::vector<endpoint>{{address::any_v6(), of.port}};
    case where::kind::host: break;
  }
  if (is_localhost(of.name)) return loopbacks(of.port);
  error why(fault::name_not_found, step::resolve);
  why.set_subject(of.name);
  why.set_detail(
      "only literal addresses and localhost are resolved in this version; other names come with DNS");
  return fail(std::move(why));
}

}  // namespace soquete
