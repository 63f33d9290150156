// What the ends of conversations are called.
#include "end_name.hpp"

#include "locale.hpp"

namespace command {

using namespace soquete;

std::string address_of(const endpoint& name) {
  std::string text = to_string(name);
  constexpr std::string_view scheme = "unix:";
  if (text.size() > scheme.size() && (text[scheme.size()] == '/' || text[scheme.size()] == '@'))
    text.insert(scheme.size(), "//");
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '%' && (text.substr(i, 3) == "%2C" || text.substr(i, 3) == "%2c");
    escaped += is_escape ? "\\x25" : text[i] == ',' ? "%2C" : std::string(1, text[i]);
  }
  return escaped;
}

std::string address_of(const endpoint& name, carrier type) {
  const std::string_view option = type == carrier::datagrams ? ",dgram"
                                  : type == carrier::records ? ",seqpacket"
                                                             : "";
  return address_of(name).append(option);
}

std::string shown(const endpoint& end) {
  if (end.is_ip()) return to_string(endpoint(end.addr().unmapped(), end.port()));
  if (end == endpoint::local_unnamed()) return _("a sender without a name");
  return end.is_local() ? address_of(end) : std::string();
}

std::string shown(const credentials& who) {
  constexpr std::uint32_t no_one = ~0U;
  if (who.uid == no_one) return _("a program of this machine");
  if (who.pid == 0) return _("a process of user {}", who.uid);
  return _("process {} of user {}", who.pid, who.uid);
}

}  // namespace command
