// Values of options of an address.
#include "option_values.hpp"

#include <fmt/format.h>
#include <climits>
#include <filesystem>
#include <soquete/driver.hpp>
#include <soquete/where.hpp>

#include "locale.hpp"

namespace command {
namespace {

constexpr unsigned dscp_max = 63;
constexpr unsigned mode_max = 0777;

const char* switch_into(const setting& s, bool& flag) {
  if (s.has_value && s.value != "on" && s.value != "off") return _("on or off");
  flag = s.value != "off";
  return nullptr;
}

const char* text_into(const setting& s, std::string& into, const char* expected) {
  if (s.value.empty()) return expected;
  into = s.value;
  return nullptr;
}

const char* buffer_into(const setting& s, int& size) {
  const auto got = size_from(s.value);
  if (!got || *got == 0 || *got > INT_MAX) return _("a size, as in 64KiB");
  size = static_cast<int>(*got);
  return nullptr;
}

const char* count_into(const setting& s, std::uint64_t highest, std::uint64_t& into) {
  const auto got = number_from(s.value, highest);
  if (!got || *got == 0) return _("a number above 0");
  into = *got;
  return nullptr;
}

const char* family_into(const setting& s, bool v6) {
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

const char* traffic_class_into(const setting& s, unsigned& dscp, bool as_tos) {
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

}  // namespace

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

// "/run/name", "@name". Whoever answers may be in another folder, so the path is told in full.
const char* read_own_name(const setting& s) {
  auto name = soquete::endpoint::parse(fmt::format("unix:{}", s.value));
  if (name && !name->is_abstract() && !name->local_name().starts_with('/')) {
    std::error_code none;
    name = soquete::endpoint::local_path((std::filesystem::current_path(none) / name->local_name()).string());
  }
  if (!name) return _("a path of at most 108 bytes or an abstract name, as in /run/name or @name");
  s.into.from_name = *name;
  return nullptr;
}

const char* read_mode(const setting& s) {
  unsigned mode = 0;
  for (const char digit : s.value) {
    if (digit < '0' || digit > '7' || mode > mode_max) return _("an octal number up to 0777, as in 0660");
    mode = mode * 8 + static_cast<unsigned>(digit - '0');
  }
  if (s.value.empty() || mode > mode_max) return _("an octal number up to 0777, as in 0660");
  s.into.mode = mode;
  return nullptr;
}

// The word itself has decided, see local_from().
const char* read_type(const setting& s) { return s.has_value ? _("no value") : nullptr; }

const char* read_no_delay(const setting& s) {
  bool on = true;
  const char* const bad = switch_into(s, on);
  s.into.no_delay = on;
  return bad;
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

const char* read_count(const setting& s) { return count_into(s, UINT64_MAX, s.into.count); }

const char* read_max(const setting& s) {
  std::uint64_t most = 0;
  const char* const bad = count_into(s, 10'000'000, most);
  s.into.max_sessions = most;
  return bad;
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

const char* read_device(const setting& s) {
  return text_into(s, s.into.device, _("the name of an interface, as in eth0"));
}

const char* read_congestion(const setting& s) {
  return text_into(s, s.into.congestion, _("a name, as in cubic or bbr"));
}

const char* read_receive_buffer(const setting& s) { return buffer_into(s, s.into.receive_buffer); }
const char* read_send_buffer(const setting& s) { return buffer_into(s, s.into.send_buffer); }
const char* read_tos(const setting& s) { return traffic_class_into(s, s.into.dscp.emplace(), true); }
const char* read_dscp(const setting& s) { return traffic_class_into(s, s.into.dscp.emplace(), false); }
const char* read_broadcast(const setting& s) { return switch_into(s, s.into.broadcast); }
const char* read_multipath(const setting& s) { return switch_into(s, s.into.multipath); }
const char* read_fast_open(const setting& s) { return switch_into(s, s.into.fast_open); }
const char* read_v4(const setting& s) { return family_into(s, false); }
const char* read_v6(const setting& s) { return family_into(s, true); }
const char* read_crlf(const setting& s) { return switch_into(s, s.into.crlf); }
const char* read_errors(const setting& s) { return switch_into(s, s.into.takes_errors); }

}  // namespace command
