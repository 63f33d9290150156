// Addresses of the command line: their schemes.
#include "address.hpp"

#include <netdb.h>
#include <algorithm>
#include <array>
#include <soquete/driver.hpp>
#include <soquete/where.hpp>
#include <utility>

#include "address_options.hpp"
#include "borrowed.hpp"
#include "local_address.hpp"
#include "locale.hpp"

namespace command {
namespace {

constexpr std::array<std::string_view, 11> schemes{"tcp", "udp",  "unix",    "systemd", "exec", "sh",
                                                   "fd",  "echo", "discard", "zero",    "-"};
constexpr std::array<std::string_view, 10> later_schemes{"tls",   "vsock",  "file",       "socks5",  "http",
                                                         "https", "listen", "http-proxy", "chargen", "socks"};

template <std::size_t size>
bool is_one_of(std::string_view word, const std::array<std::string_view, size>& names) {
  return std::find(names.begin(), names.end(), word) != names.end();
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

// "http" becomes "80": the library reads numbers only.
std::string with_port_number(std::string authority, const char* protocol) {
  const std::size_t colon = authority.rfind(':');
  if (colon == authority.npos || authority.find(']', colon) != authority.npos) return authority;
  const std::string port = authority.substr(colon + 1);
  if (port.empty() || is_digits(port)) return authority;
  const servent* const known = ::getservbyname(port.c_str(), protocol);
  if (known == nullptr) return authority;
  // The number is in network order.
  const auto raw = static_cast<unsigned>(known->s_port);
  return authority.substr(0, colon + 1) + std::to_string(((raw & 0xffU) << 8U) | ((raw >> 8U) & 0xffU));
}

// Options after what an address is already.
read<place> with_options(read<place> made, const std::vector<std::string_view>& options, role as) {
  if (!made) return made;
  for (const std::string_view option : options)
    if (auto bad = apply_option(*made, unescaped(option), as)) return std::unexpected(std::move(*bad));
  return made;
}

// tcp://HOST:PORT and udp://HOST:PORT
read<place> host_from(std::string_view text, scheme what, std::string_view rest, role as) {
  const char* const name = what == scheme::tcp ? "tcp" : "udp";
  if (!rest.starts_with("//")) {
    std::string_view meant = rest;
    if (meant.starts_with('/')) meant.remove_prefix(1);
    const char* const host = !is_digits(meant) ? "" : as == role::listens ? ":" : "localhost:";
    return wrong(_("'{}': after {}: two slashes are missing", text, name),
                 _("write {}://{}", name, host + std::string(meant)));
  }
  rest.remove_prefix(2);
  auto parts = parts_of(rest);
  std::string authority = unescaped(parts.front());
  if (authority.ends_with('/')) authority.pop_back();
  if (authority.find('/') != authority.npos)
    return wrong(_("'{}': a path means nothing to {}", text, what == scheme::tcp ? "TCP" : "UDP"),
                 _("write {}://{}", name, authority.substr(0, authority.find('/'))));
  if (is_digits(authority)) {
    const char* const other = as == role::listens ? _("every address of this machine") : "localhost";
    return wrong(_("'{}': a host or a ':' is missing before the port", text),
                 _("write {0}://:{1} for {2}, or {0}://localhost:{1}", name, authority, other));
  }
  place made;
  made.text = text;
  made.what = what;
  made.kind = {network::ip, what == scheme::tcp ? carrier::bytes : carrier::datagrams};
  authority = with_port_number(std::move(authority), name);
  auto where = soquete::where::parse(authority, &soquete::zone_number);
  if (!where)
    return wrong(_("'{}': {}", text, borrowed(where.error().detail())), _("write {}://host:port", name));
  for (const auto& one : where->alternatives())
    if (one.what != soquete::where::kind::any_host && one.what != soquete::where::kind::host &&
        one.what != soquete::where::kind::ip)
      return wrong(what == scheme::tcp ? _("'{}' is not the address of a TCP socket", text)
                                       : _("'{}' is not the address of a UDP socket", text),
                   _("write {}://host:port", name));
  made.where = std::move(authority);
  parts.erase(parts.begin());
  return with_options(std::move(made), parts, as);
}

// Words as a shell splits them, without its other powers.
read<std::vector<std::string>> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0 && c == quote) {
      quote = 0;
    } else if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      word += text[++i];
      in_word = true;
    } else if (quote != 0) {
      word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == ' ' || c == '\t') {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != 0) return wrong(_("'{}': a closing {} is missing", text, quote));
  if (in_word) words.push_back(std::move(word));
  return words;
}

read<place> program_from(std::string_view text, std::string_view options, std::string_view rest,
                         bool through_shell, role as) {
  place made;
  made.text = text;
  made.what = scheme::exec;
  if (through_shell) {
    made.program = {"/bin/sh", "-c", std::string(rest)};
    if (rest.find_first_not_of(" \t") == rest.npos) made.program.clear();
  } else {
    auto words = words_of(rest);
    if (!words) return std::unexpected(std::move(words.error()));
    made.program = std::move(*words);
  }
  if (made.program.empty())
    return wrong(_("'{}': no program is named", text), _("write exec:PROGRAM ARGUMENTS, as in exec:cat"));
  if (options.empty()) return made;
  return with_options(std::move(made), parts_of(options), as);
}

read<place> simple_from(std::string_view text, scheme what, std::string_view rest, role as) {
  auto options = parts_of(rest);
  const std::string_view name = options.front();
  options.erase(options.begin());
  if (what == scheme::descriptor) return with_options(descriptor_from(text, name, as), options, as);
  if (what == scheme::inherited) return with_options(passed_from(text, unescaped(name), as), options, as);
  if (!name.empty())
    return wrong(_("'{}': '{}' does not belong here", text, name),
                 _("write {}", text.substr(0, text.size() - rest.size())));
  place made;
  made.text = text;
  made.what = what;
  return with_options(std::move(made), options, as);
}

std::unexpected<mistake> unknown(std::string_view text, std::string_view name, std::string_view rest) {
  if (is_one_of(name, later_schemes))
    return wrong(_("'{}': {}: comes in a later version of soquete", text, name),
                 _("this version has tcp://, udp://, unix://, systemd:, -, exec:, sh:, fd:, echo:, discard: "
                   "and zero:"));
  if (const auto near = nearest(name, schemes); !near.empty() && near != "-")
    return wrong(_("'{}': there is no scheme '{}'", text, name), _("did you mean {}:{}?", near, rest));
  if (std::string whole = with_scheme(text); !whole.empty())
    return wrong(_("'{}' is not an address: its scheme is missing", text), _("did you mean {}?", whole));
  return wrong(
      _("'{}' is not an address", text),
      _("addresses are tcp://HOST:PORT, udp://HOST:PORT, unix:///PATH, -, exec:COMMAND, fd:N, echo:, "
        "discard: or zero:"));
}

}  // namespace

std::vector<std::string> place::places() const {
  if (what == scheme::local) return {to_string(name)};
  if (!is_open()) return {where};
  std::vector<std::string> all;
  for (const int one : descriptors) all.push_back("fd:" + std::to_string(one));
  return all;
}

read<place> place_from(std::string_view text, role as) {
  if (text == "-" || text.starts_with("-,")) return simple_from(text, scheme::stdio, text.substr(1), as);
  const std::size_t colon = text.find(':');
  const std::string_view before = text.substr(0, colon);
  const std::string_view rest = colon == text.npos ? "" : text.substr(colon + 1);
  const std::size_t comma = before.find(',');
  const std::string_view name = before.substr(0, comma);
  const std::string_view options = comma == before.npos ? "" : before.substr(comma + 1);
  if (colon == text.npos) return unknown(text, name, rest);
  if (name == "exec" || name == "sh") return program_from(text, options, rest, name == "sh", as);
  if (comma != before.npos) return unknown(text, name, rest);
  if (name == "tcp") return host_from(text, scheme::tcp, rest, as);
  if (name == "udp") return host_from(text, scheme::udp, rest, as);
  if (name == "unix") return local_from(text, rest, as);
  if (name == "systemd") return simple_from(text, scheme::inherited, rest, as);
  if (name == "fd") return simple_from(text, scheme::descriptor, rest, as);
  if (name == "echo") return simple_from(text, scheme::echo, rest, as);
  if (name == "discard") return simple_from(text, scheme::discard, rest, as);
  if (name == "zero") return simple_from(text, scheme::zero, rest, as);
  return unknown(text, name, rest);
}

bool looks_like_address(std::string_view text) {
  const std::string_view name = text.substr(0, text.find(':'));
  return text == "-" || text.find("://") != text.npos || !with_scheme(text).empty() ||
         (name.size() < text.size() && (is_one_of(name, schemes) || is_one_of(name, later_schemes)));
}

std::string with_scheme(std::string_view text) {
  if (is_digits(text)) return fmt::format("tcp://localhost:{}", text);
  if (text.size() > 1 && (text[0] == '/' || text[0] == '@')) return fmt::format("unix://{}", text);
  if (text.starts_with("./") || text.starts_with("../")) return fmt::format("unix:{}", text);
  const std::string numbered = with_port_number(std::string(text), "tcp");
  const auto where = soquete::where::parse(numbered, &soquete::zone_number);
  if (!where || where->alternatives().size() != 1) return {};
  const auto what = where->alternatives().front().what;
  using kind = soquete::where::kind;
  if (what != kind::any_host && what != kind::host && what != kind::ip) return {};
  return fmt::format("tcp://{}", text);
}

}  // namespace command
