// Options of an address: which there are, of what, and when.
#include "address_options.hpp"

#include <fmt/ranges.h>
#include <algorithm>

#include "locale.hpp"
#include "option_values.hpp"

namespace command {
namespace {

// Whose option it is.
constexpr unsigned of_tcp = 1;
constexpr unsigned of_udp = 2;
constexpr unsigned of_stdio = 4;
constexpr unsigned of_exec = 8;
constexpr unsigned of_pipe = 16;  // A descriptor that is no socket.
constexpr unsigned of_local_stream = 32;
constexpr unsigned of_local_dgram = 64;
constexpr unsigned of_seqpacket = 128;
constexpr unsigned of_any_ip = of_tcp | of_udp;
constexpr unsigned of_any_local = of_local_stream | of_local_dgram | of_seqpacket;
constexpr unsigned of_any_socket = of_any_ip | of_any_local;
constexpr unsigned of_any_dgram = of_udp | of_local_dgram;
constexpr unsigned of_streams = of_tcp | of_local_stream | of_stdio | of_exec | of_pipe;
// Also of a socket that was open before we were started.
constexpr unsigned also_open = 256;

enum class use : std::uint8_t { both, listening, connecting };

struct known_option {
  std::string_view name;
  unsigned whose;
  use when;
  option_reader reads;  // Null: comes in a later version.
};

constexpr known_option known[] = {
    {"dgram", of_any_local, use::both, &read_type},
    {"seqpacket", of_any_local, use::both, &read_type},
    {"mode", of_any_local, use::listening, &read_mode},
    {"mode", of_local_dgram, use::connecting, &read_mode},
    {"nodelay", of_tcp | also_open, use::both, &read_no_delay},
    {"keepalive", of_tcp | also_open, use::both, &read_keep_alive},
    {"bind", of_any_ip, use::connecting, &read_bind},
    {"bind", of_local_dgram, use::connecting, &read_own_name},
    {"dev", of_any_ip, use::both, &read_device},
    {"rcvbuf", of_any_socket, use::both, &read_receive_buffer},
    {"sndbuf", of_any_socket, use::both, &read_send_buffer},
    {"tos", of_tcp | also_open, use::both, &read_tos},
    {"dscp", of_tcp | also_open, use::both, &read_dscp},
    {"tos", of_udp, use::connecting, &read_tos},
    {"dscp", of_udp, use::connecting, &read_dscp},
    {"ttl", of_udp, use::connecting, &read_hops},
    {"broadcast", of_udp, use::connecting, &read_broadcast},
    {"idle", of_any_dgram | also_open, use::listening, &read_idle},
    {"max", of_any_dgram | also_open, use::listening, &read_max},
    {"wait", of_any_dgram | also_open, use::both, &read_patience},
    {"count", of_any_dgram | of_seqpacket | also_open, use::both, &read_count},
    {"frame", of_streams | of_any_dgram | of_seqpacket | also_open, use::both, &read_frame},
    {"mark", of_any_ip, use::both, &read_mark},
    {"congestion", of_tcp | also_open, use::both, &read_congestion},
    {"mptcp", of_tcp, use::both, &read_multipath},
    {"fastopen", of_tcp, use::both, &read_fast_open},
    {"backlog", of_tcp | of_local_stream | of_seqpacket, use::listening, &read_backlog},
    {"4", of_any_ip, use::both, &read_v4},
    {"6", of_any_ip, use::both, &read_v6},
    {"connect-timeout", of_tcp | of_local_stream | of_seqpacket, use::connecting, &read_connect_timeout},
    {"crlf", of_any_socket | of_stdio | also_open, use::both, &read_crlf},
    {"stderr", of_exec, use::both, &read_errors},
    {"pty", of_exec, use::both, nullptr},
    {"ttl", of_tcp, use::both, nullptr},
    {"send-proxy", of_tcp, use::both, nullptr},
    {"accept-proxy", of_tcp, use::both, nullptr},
    {"allow", of_tcp, use::both, nullptr},
    {"deny", of_tcp, use::both, nullptr},
};

unsigned bit_of(const place& p) {
  if (p.is_tcp()) return of_tcp;
  if (p.is_udp()) return of_udp;
  if (p.is_local())
    return p.kind.what == carrier::bytes       ? of_local_stream
           : p.kind.what == carrier::datagrams ? of_local_dgram
                                               : of_seqpacket;
  if (p.what == scheme::stdio) return of_stdio;
  if (p.what == scheme::exec) return of_exec;
  if (p.what == scheme::descriptor) return of_pipe;
  // What would have been passed is not known.
  return p.what == scheme::inherited ? of_any_socket : 0;
}

bool belongs_to(const known_option& one, const place& p) {
  return (one.whose & bit_of(p)) != 0 &&
         (!p.is_open() || !p.kind.is_socket() || (one.whose & also_open) != 0);
}

// Where else there is an option of that name; empty: nowhere.
std::vector<std::string_view> owners_of(std::string_view name) {
  unsigned whose = 0;
  for (const known_option& one : known)
    if (one.name == name) whose |= one.whose;
  constexpr std::pair<unsigned, std::string_view> owners[] = {{of_tcp, "tcp://"},
                                                              {of_udp, "udp://"},
                                                              {of_local_stream, "unix://"},
                                                              {of_local_dgram, "unix://…,dgram"},
                                                              {of_seqpacket, "unix://…,seqpacket"},
                                                              {of_exec, "exec:"},
                                                              {of_stdio, "-"}};
  std::vector<std::string_view> all;
  for (const auto& [bit, owner] : owners)
    if ((whose & bit) != 0) all.push_back(owner);
  return all;
}

mistake unknown(const place& into, std::string_view name) {
  mistake bad{_("'{}': there is no option '{}'", into.text, name), {}};
  if (const auto owners = owners_of(name); !owners.empty())
    return {_("'{}': {} is not for this address", into.text, name),
            _("{} is for {}", name, fmt::join(owners, ", "))};
  std::vector<std::string_view> names;
  for (const known_option& one : known)
    if (belongs_to(one, into) && one.reads != nullptr) names.push_back(one.name);
  if (names.empty())
    bad.advice = _("this address takes no options");
  else if (const auto near = nearest(name, names); !near.empty())
    bad.advice = _("did you mean {}?", near);
  else
    bad.advice = _("its options are {}", fmt::join(names, ", "));
  return bad;
}

mistake wrong_role(const place& into, std::string_view name, use when) {
  if (when == use::listening) return {_("'{}': {} is for listening", into.text, name), {}};
  return {
      _("'{}': {} is for connecting", into.text, name),
      name == "bind" && !into.is_local() ? _("to listen on one address, write it: tcp://192.0.2.7:80") : ""};
}

}  // namespace

std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t comma = text.find(',');
    parts.push_back(text.substr(0, comma));
    if (comma == text.npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

std::string unescaped(std::string_view part) {
  std::string text;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const bool is_comma = part[i] == '%' && (part.substr(i, 3) == "%2C" || part.substr(i, 3) == "%2c");
    text += is_comma ? ',' : part[i];
    if (is_comma) i += 2;
  }
  return text;
}

std::string with_option(std::string address, std::string_view option) {
  const std::string start = fmt::format(",{}", option.substr(0, option.find('=') + 1));
  if (const std::size_t at = address.find(start); at != address.npos)
    address.erase(at, std::min(address.find(',', at + 1), address.size()) - at);
  return fmt::format("{},{}", address, option);
}

std::optional<mistake> apply_option(place& into, std::string_view option, role as) {
  const std::size_t equals = option.find('=');
  const std::string_view name = option.substr(0, equals);
  const bool has_value = equals != option.npos;
  if (name.empty())
    return mistake{_("'{}': an option is missing beside a comma", into.text),
                   _("a comma that belongs to a value is written %2C")};
  const use other = as == role::listens ? use::connecting : use::listening;
  const known_option* found = nullptr;
  for (const known_option& one : known)
    if (one.name == name && belongs_to(one, into) && (found == nullptr || found->when == other)) found = &one;
  if (found == nullptr) return unknown(into, name);
  if (found->reads == nullptr)
    return mistake{_("'{}': the option {} comes in a later version of soquete", into.text, name), {}};
  if (found->when == other) return wrong_role(into, name, found->when);
  const setting given{into, has_value ? option.substr(equals + 1) : std::string_view(), has_value, as};
  if (const char* const expected = found->reads(given); expected != nullptr)
    return mistake{_("'{}': {} takes {}", into.text, name, expected), {}};
  return std::nullopt;
}

}  // namespace command
