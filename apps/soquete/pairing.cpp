// Which addresses can be joined.
#include "pairing.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>

#include "locale.hpp"

namespace command {
namespace {

// '-' stands for 0 and 1.
bool has(const place& p, int number) {
  if (p.what == scheme::stdio) return number == STDIN_FILENO || number == STDOUT_FILENO;
  return std::ranges::find(p.descriptors, number) != p.descriptors.end();
}

bool is_one_descriptor(const place& one, const place& other) {
  return std::ranges::any_of(one.descriptors, [&](int number) { return has(other, number); }) ||
         std::ranges::any_of(other.descriptors, [&](int number) { return has(one, number); });
}

// A server of datagrams, which learns from the first of them where answers go. Our end has an address that
// nobody can know before, unless it was asked for.
bool waits_to_be_asked(const place& p) {
  return p.has_sessions() && !p.is_open() && p.from.empty() && !p.from_name.is_local();
}

mistake nobody_begins(const place& address, const place& peer) {
  const place& server = address.is_service() ? peer : address;
  return {_("'{}' and '{}': nobody can send the first datagram", address.text, peer.text),
          server.is_local() ? _("give our end a name that is known: {},bind=/run/NAME", server.text)
                            : _("give our end a port that is known: {},bind=ADDRESS:PORT", server.text)};
}

}  // namespace

std::optional<mistake> check_pair(const options& o) {
  const place& address = o.address;
  const place& peer = o.peer;
  // What is missing is not known to be anything else.
  const bool can_listen = address.kind.is_socket() || address.missing;
  if (o.what == verb::listen && !can_listen)
    return mistake{_("nobody can connect to '{}', so it is nothing to listen on", address.text),
                   _("soquete listen tcp://:8080 {}", address.text)};
  if (address.is_service() && peer.is_service())
    return mistake{_("'{}' and '{}' are both services of this program", address.text, peer.text),
                   _("one side must be somebody else")};
  if (address.what == scheme::stdio && peer.what == scheme::stdio)
    return mistake{_("both sides are '-', the standard streams"), _("one side must be somebody else")};
  if (is_one_descriptor(address, peer))
    return mistake{_("'{}' and '{}' are the same descriptor", address.text, peer.text),
                   _("one side must be somebody else")};
  for (const place* const one : {&address, &peer})
    if (o.ready_descriptor >= 0 && has(*one, o.ready_descriptor))
      return mistake{_("--ready-fd {}: '{}' is that descriptor", o.ready_descriptor, one->text),
                     _("take another number")};
  if (o.ready_descriptor >= 0 && ::fcntl(o.ready_descriptor, F_GETFD) < 0)
    return mistake{
        _("--ready-fd {}: no descriptor of that number was passed to soquete", o.ready_descriptor),
        _("soquete listen … --ready-fd {0} {0}>FILE, as a shell opens descriptor {0}", o.ready_descriptor)};
  if (o.what == verb::connect && waits_to_be_asked(address) && (waits_to_be_asked(peer) || peer.is_service()))
    return nobody_begins(address, peer);
  if (o.what == verb::connect && address.is_service() && waits_to_be_asked(peer))
    return nobody_begins(address, peer);
  const place& framed = address.frame != framing::none ? address : peer;
  if (framed.frame != framing::none && address.keeps_bounds() && peer.keeps_bounds())
    return mistake{_("'{}': both sides keep messages apart by themselves", framed.text),
                   _("leave frame= out; it says how a stream holds messages")};
  if (o.max_per_address != 0 && address.is_local())
    return mistake{_("--per-ip: clients of '{}' have no IP address", address.text),
                   _("--max-conns N limits all clients together")};
  if (o.what == verb::listen && address.descriptors.size() > 1 &&
      (o.max_connections | o.max_per_address) != 0)
    return mistake{
        _("'{}' stands for {} sockets, and --max-conns and --per-ip count for one", address.text,
          address.descriptors.size()),
        _("give them names, FileDescriptorName= in the .socket unit, and each a soquete of its own")};
  return {};
}

}  // namespace command
