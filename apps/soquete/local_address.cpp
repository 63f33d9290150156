// Addresses of sockets of this machine.
#include "local_address.hpp"

#include <fcntl.h>
#include <algorithm>

#include "address_options.hpp"
#include "borrowed.hpp"
#include "inherited.hpp"
#include "locale.hpp"

namespace command {
namespace {

constexpr int descriptor_max = 1'000'000;

// It decides on which other options there are.
read<carrier> carrier_from(std::string_view text, const std::vector<std::string_view>& options) {
  const auto has = [&](std::string_view name) { return std::ranges::find(options, name) != options.end(); };
  if (has("dgram") && has("seqpacket"))
    return wrong(_("'{}': a socket has one type, dgram or seqpacket", text),
                 _("dgram: each message by itself; seqpacket: messages of a connection; neither: a stream"));
  return has("dgram") ? carrier::datagrams : has("seqpacket") ? carrier::records : carrier::bytes;
}

// "unix://door" would be a host called door.
std::unexpected<mistake> relative_path(std::string_view text, std::string_view path) {
  return wrong(_("'{}': after unix:// a path begins with '/', and an abstract name with '@'", text),
               _("write unix:{0} for the path from here, or unix://@{0}", path));
}

std::unexpected<mistake> bad_name(std::string_view text, const soquete::error& why) {
  const bool is_long = why == std::errc::filename_too_long;
  return wrong(_("'{}': {}", text, borrowed(why.detail())),
               is_long ? _("go to its folder and write unix:NAME, or take an abstract name: unix://@NAME")
                       : _("write unix:///run/NAME for a path, or unix://@NAME"));
}

// A socket that listens, or is connected, according to its role.
std::optional<mistake> check_role(const place& p, role as) {
  const socket_kind& kind = p.kind;
  if (!kind.is_socket()) return std::nullopt;
  if (as == role::connects && kind.is_listening)
    return mistake{_("'{}' is a socket that listens: nobody is connected to it", p.text),
                   _("soquete listen {}", p.text)};
  if (as == role::connects && kind.what == carrier::datagrams && !kind.has_peer)
    return mistake{_("'{}' is a socket of datagrams that is connected to nobody", p.text),
                   _("to answer whoever sends: soquete listen {}", p.text)};
  if (as == role::listens && kind.what != carrier::datagrams && !kind.is_listening)
    return mistake{_("'{}' is a connection: nobody else can connect to it", p.text),
                   _("soquete connect {}", p.text)};
  return std::nullopt;
}

bool is_same(const socket_kind& one, const socket_kind& other) {
  return one.over == other.over && one.what == other.what && one.is_listening == other.is_listening;
}

}  // namespace

read<place> local_from(std::string_view text, std::string_view rest, role as) {
  place made;
  made.text = text;
  made.what = scheme::local;
  auto options = parts_of(rest);
  const std::string written = unescaped(options.front());
  options.erase(options.begin());
  const std::string_view path = written;
  if (path.starts_with("//") && path.size() > 2 && path[2] != '/' && path[2] != '@')
    return relative_path(text, path.substr(2));
  auto name = soquete::endpoint::parse("unix:" + written);
  if (!name) return bad_name(text, name.error());
  made.name = *name;
  const auto carries = carrier_from(text, options);
  if (!carries) return std::unexpected(carries.error());
  made.kind = {network::local, *carries};
  for (const std::string_view option : options)
    if (auto bad = apply_option(made, unescaped(option), as)) return std::unexpected(std::move(*bad));
  if (made.mode && made.name.is_abstract() && as == role::listens)
    return wrong(
        _("'{}': an abstract name has no permissions: every program of this machine may use it", text),
        _("take a path instead: unix:///run/NAME,mode={:04o}", *made.mode));
  if (made.mode && as == role::connects && (!made.from_name.is_local() || made.from_name.is_abstract()))
    return wrong(_("'{}': mode is for a path of our own, and bind= gives none", text),
                 _("bind=/run/NAME,mode={:04o}", *made.mode));
  return made;
}

read<place> descriptor_from(std::string_view text, std::string_view number, role as) {
  const auto got = number_from(number, descriptor_max);
  if (!got || number.find_first_not_of("0123456789") != number.npos)
    return wrong(_("'{}': after fd: the number of a descriptor is expected", text), _("write fd:3"));
  place made;
  made.text = text;
  made.what = scheme::descriptor;
  made.descriptors = {static_cast<int>(*got)};
  made.kind = kind_of(made.descriptors.front());
  // Asked now: later that may be the number of a descriptor of our own.
  if (::fcntl(made.descriptors.front(), F_GETFD) < 0)
    made.missing = mistake{_("no descriptor of that number was passed to soquete."),
                           _("soquete connect fd:{0} {0}<>FILE, as a shell opens descriptor {0}", *got)};
  if (auto bad = check_role(made, as)) return std::unexpected(std::move(*bad));
  return made;
}

read<place> passed_from(std::string_view text, std::string_view name, role as) {
  place made;
  made.text = text;
  made.what = scheme::inherited;
  auto found = inherited_descriptors(name);
  if (!found) {
    made.missing = std::move(found.error());
    return made;
  }
  made.descriptors = std::move(*found);
  made.kind = kind_of(made.descriptors.front());
  for (const int one : made.descriptors)
    if (!is_same(kind_of(one), made.kind))
      return wrong(
          _("'{}' stands for {} sockets of different kinds", text, made.descriptors.size()),
          _("give them names, FileDescriptorName= in the .socket unit, and each a soquete of its own"));
  if (as == role::connects && made.descriptors.size() > 1)
    return wrong(_("'{}' stands for {} sockets, and one is joined", text, made.descriptors.size()),
                 _("write fd:3"));
  if (auto bad = check_role(made, as)) return std::unexpected(std::move(*bad));
  return made;
}

}  // namespace command
