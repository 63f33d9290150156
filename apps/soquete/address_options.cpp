// Options of an address.
#include "address_options.hpp"

#include <fmt/ranges.h>
#include <algorithm>
#include <array>
#include <climits>
#include <soquete/driver.hpp>
#include <soquete/where.hpp>

#include "locale.hpp"

namespace command {
namespace {

// What stands behind an option: its value as text, and where it goes.
struct setting {
  place& into;
  std::string_view value;
  bool has_value;
  role as;
};

// Null: well. Else what is expected as a value.
using reader = const char* (*)(const setting&);

constexpr unsigned dscp_max = 63;

const char* read_switch(const setting& s, bool& flag) {
  if (s.has_value && s.value != "on" && s.value != "off") return _("on or off");
  flag = s.value != "off";
  return nullptr;
}

const char* read_buffer(const setting& s, int& size) {
  const auto got = size_from(s.value);
  if (!got || *got == 0 || *got > INT_MAX) return _("a size, as in 64KiB");
  size = static_cast<int>(*got);
  return nullptr;
}

// "192.0.2.7", "::1", "192.0.2.7:4000"
const char* read_bind(const setting& s) {
  const std::string given(s.value);
  for (const std::string& text : {given, given + ":0", "[" + given + "]:0"}) {
    if (!soquete::endpoint::parse(text, &soquete::zone_number)) continue;
    s.into.from = text;
    return nullptr;
  }
  return _("an address of this machine, as in 192.0.2.7 or 192.0.2.7:4000");
}

const char* read_family(const setting& s, bool v6) {
  auto where = soquete::where::parse(s.into.where);
  if (!where || where->alternatives().size() != 1) return _("one host");
  const auto& one = where->alternatives().front();
  using kind = soquete::where::kind;
  const auto with_port = [&](std::string_view host) { return fmt::format("{}:{}", host, one.port); };
  if (one.what == kind::ip) {
    if (one.at.addr().is_v6() != v6) return _("no address of the other family");
    s.into.v6_only = v6;
  } else if (one.what == kind::any_host && s.as == role::listens) {
    s.into.v6_only = v6;
    s.into.where = with_port(v6 ? "[::]" : "0.0.0.0");
  } else if (one.what == kind::any_host || one.name == "localhost") {
    s.into.where = with_port(v6 ? "[::1]" : "127.0.0.1");
  }
  return nullptr;
}

const char* read_traffic_class(const setting& s, unsigned& dscp, bool as_tos) {
  if (s.value == "ef") return dscp = 46, nullptr;
  if (s.value.size() == 3 && s.value.starts_with("cs") && s.value[2] >= '0' && s.value[2] <= '7')
    return dscp = static_cast<unsigned>(s.value[2] - '0') * 8, nullptr;
  const auto got = number_from(s.value, as_tos ? dscp_max * 4 : dscp_max);
  if (!got || (as_tos && *got % 4 != 0))
    return as_tos ? _("a multiple of 4 from 0 to 252; the last two bits belong to ECN")
                  : _("a number from 0 to 63, ef, or cs0 to cs7");
  dscp = static_cast<unsigned>(as_tos ? *got / 4 : *got);
  return nullptr;
}

const char* read_keep_alive(const setting& s) {
  const auto got = s.has_value ? duration_from(s.value) : std::chrono::seconds(60);
  if (!got || *got < std::chrono::seconds(1)) return _("a time of at least 1s, as in 30s");
  s.into.keep_alive = std::chrono::duration_cast<std::chrono::seconds>(*got);
  return nullptr;
}

const char* read_connect_timeout(const setting& s) {
  const auto got = duration_from(s.value);
  if (!got || got->count() == 0) return _("a time, as in 10s");
  s.into.connect_timeout = *got;
  return nullptr;
}

const char* read_idle(const setting& s) {
  const auto got = duration_from(s.value);
  if (!got) return _("a time, as in 60s; 0 for never");
  s.into.idle = *got;
  return nullptr;
}

const char* read_patience(const setting& s) {
  const auto got = duration_from(s.value);
  if (!got) return _("a time, as in 2s");
  s.into.patience = *got;
  return nullptr;
}

const char* read_count(const setting& s, std::uint64_t highest, std::uint64_t& into) {
  const auto got = number_from(s.value, highest);
  if (!got || *got == 0) return _("a number above 0");
  into = *got;
  return nullptr;
}

const char* read_hops(const setting& s) {
  const auto got = number_from(s.value, 255);
  if (!got || *got == 0) return _("a number from 1 to 255");
  s.into.hops = static_cast<unsigned>(*got);
  return nullptr;
}

const char* read_frame(const setting& s) {
  constexpr std::pair<std::string_view, framing> names[] = {{"none", framing::none},
                                                            {"line", framing::line},
                                                            {"nul", framing::nul},
                                                            {"len16", framing::len16},
                                                            {"len32", framing::len32}};
  for (const auto& [name, how] : names)
    if (name == s.value) return s.into.frame = how, nullptr;
  return _("none, line, nul, len16 or len32");
}

const char* read_backlog(const setting& s) {
  const auto got = number_from(s.value, INT_MAX);
  if (!got || *got == 0) return _("a number of connections above 0");
  s.into.backlog = static_cast<int>(*got);
  return nullptr;
}

const char* read_mark(const setting& s) {
  const auto got = number_from(s.value, UINT32_MAX);
  if (!got) return _("a number, as in 7 or 0x7");
  s.into.mark = static_cast<std::uint32_t>(*got);
  return nullptr;
}

const char* read_text(const setting& s, std::string& into, const char* expected) {
  if (s.value.empty()) return expected;
  into = s.value;
  return nullptr;
}

constexpr unsigned of_tcp = 1;
constexpr unsigned of_stdio = 2;
constexpr unsigned of_exec = 4;
constexpr unsigned of_udp = 8;
constexpr unsigned of_descriptor = 16;
constexpr unsigned of_any_host = of_tcp | of_udp;
constexpr unsigned of_streams = of_tcp | of_stdio | of_exec | of_descriptor;
enum class use : std::uint8_t { both, listening, connecting };

struct known_option {
  std::string_view name;
  unsigned schemes;
  use when;
  reader reads;  // Null: comes in a later version.
};

const char* read_max(const setting& s) {
  std::uint64_t most = 0;
  const char* const bad = read_count(s, 10'000'000, most);
  s.into.max_sessions = most;
  return bad;
}

const char* read_tos(const setting& s) { return read_traffic_class(s, s.into.dscp.emplace(), true); }
const char* read_dscp(const setting& s) { return read_traffic_class(s, s.into.dscp.emplace(), false); }

constexpr known_option known[] = {
    {"nodelay", of_tcp, use::both,
     [](const setting& s) {
       bool on = true;
       const char* const bad = read_switch(s, on);
       s.into.no_delay = on;
       return bad;
     }},
    {"keepalive", of_tcp, use::both, &read_keep_alive},
    {"bind", of_any_host, use::connecting, &read_bind},
    {"dev", of_any_host, use::both,
     [](const setting& s) { return read_text(s, s.into.device, _("the name of an interface, as in eth0")); }},
    {"rcvbuf", of_any_host, use::both,
     [](const setting& s) { return read_buffer(s, s.into.receive_buffer); }},
    {"sndbuf", of_any_host, use::both, [](const setting& s) { return read_buffer(s, s.into.send_buffer); }},
    {"tos", of_tcp, use::both, &read_tos},
    {"dscp", of_tcp, use::both, &read_dscp},
    {"tos", of_udp, use::connecting, &read_tos},
    {"dscp", of_udp, use::connecting, &read_dscp},
    {"ttl", of_udp, use::connecting, &read_hops},
    {"broadcast", of_udp, use::connecting, [](const setting& s) { return read_switch(s, s.into.broadcast); }},
    {"idle", of_udp, use::listening, &read_idle},
    {"max", of_udp, use::listening, &read_max},
    {"wait", of_udp, use::both, &read_patience},
    {"count", of_udp, use::both, [](const setting& s) { return read_count(s, UINT64_MAX, s.into.count); }},
    {"frame", of_streams | of_udp, use::both, &read_frame},
    {"mark", of_any_host, use::both, &read_mark},
    {"congestion", of_tcp, use::both,
     [](const setting& s) { return read_text(s, s.into.congestion, _("a name, as in cubic or bbr")); }},
    {"mptcp", of_tcp, use::both, [](const setting& s) { return read_switch(s, s.into.multipath); }},
    {"fastopen", of_tcp, use::both, [](const setting& s) { return read_switch(s, s.into.fast_open); }},
    {"backlog", of_tcp, use::listening, &read_backlog},
    {"4", of_any_host, use::both, [](const setting& s) { return read_family(s, false); }},
    {"6", of_any_host, use::both, [](const setting& s) { return read_family(s, true); }},
    {"connect-timeout", of_tcp, use::connecting, &read_connect_timeout},
    {"crlf", of_any_host | of_stdio, use::both, [](const setting& s) { return read_switch(s, s.into.crlf); }},
    {"stderr", of_exec, use::both, [](const setting& s) { return read_switch(s, s.into.takes_errors); }},
    {"pty", of_exec, use::both, nullptr},
    {"ttl", of_tcp, use::both, nullptr},
    {"send-proxy", of_tcp, use::both, nullptr},
    {"accept-proxy", of_tcp, use::both, nullptr},
    {"allow", of_tcp, use::both, nullptr},
    {"deny", of_tcp, use::both, nullptr},
};

unsigned scheme_of(const place& p) {
  switch (p.what) {
    case scheme::tcp: return of_tcp;
    case scheme::udp: return of_udp;
    case scheme::descriptor: return of_descriptor;
    case scheme::stdio: return of_stdio;
    case scheme::exec: return of_exec;
    default: return 0;
  }
}

mistake unknown(const place& into, std::string_view name) {
  std::vector<std::string_view> names;
  for (const known_option& one : known)
    if ((one.schemes & scheme_of(into)) != 0 && one.reads != nullptr) names.push_back(one.name);
  mistake bad{_("'{}': there is no option '{}'", into.text, name), {}};
  if (names.empty())
    bad.advice = _("this address takes no options");
  else if (const auto near = nearest(name, names); !near.empty())
    bad.advice = _("did you mean {}?", near);
  else
    bad.advice = _("its options are {}", fmt::join(names, ", "));
  return bad;
}

}  // namespace

std::optional<mistake> apply_option(place& into, std::string_view option, role as) {
  const std::size_t equals = option.find('=');
  const std::string_view name = option.substr(0, equals);
  const bool has_value = equals != option.npos;
  if (name.empty())
    return mistake{_("'{}': an option is missing beside a comma", into.text),
                   _("a comma that belongs to a value is written %2C")};
  const auto* const found = std::find_if(std::begin(known), std::end(known), [&](const known_option& one) {
    return one.name == name && (one.schemes & scheme_of(into)) != 0;
  });
  if (found == std::end(known)) return unknown(into, name);
  if (found->reads == nullptr)
    return mistake{_("'{}': the option {} comes in a later version of soquete", into.text, name), {}};
  if (found->when == use::listening && as != role::listens)
    return mistake{_("'{}': {} is for listening", into.text, name), {}};
  if (found->when == use::connecting && as != role::connects)
    return mistake{_("'{}': {} is for connecting", into.text, name),
                   name == "bind" ? _("to listen on one address, write it: tcp://192.0.2.7:80") : ""};
  const setting given{into, has_value ? option.substr(equals + 1) : std::string_view(), has_value, as};
  if (const char* const expected = found->reads(given); expected != nullptr)
    return mistake{_("'{}': {} takes {}", into.text, name, expected), {}};
  return std::nullopt;
}

}  // namespace command
