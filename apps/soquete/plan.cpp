// What a run is going to do, in words.
#include "plan.hpp"

#include <fmt/format.h>

#include "end_name.hpp"
#include "locale.hpp"

namespace command {
namespace {

// "unix:///run/x": its options are told in words.
std::string name_of(const place& p) { return p.what == scheme::local ? address_of(p.name) : p.text; }

std::string opening_of(const place& on) {
  if (on.is_open())
    return on.has_sessions()
               ? _("take over {}, which is bound: nobody connects, so there is nothing to accept", on.text)
               : _("take over {}, which listens", on.text);
  if (on.is_udp())
    return _("create a UDP socket and bind it to {}: nobody connects, so there is nothing to accept",
             on.text);
  if (on.is_tcp()) return _("create a TCP socket, bind it to {}, and listen", on.text);
  const std::string name = name_of(on);
  switch (on.kind.what) {
    case carrier::bytes:
      return _("create a local socket (AF_UNIX) for streams, bind it to {}, and listen", name);
    case carrier::records:
      return _("create a local socket (AF_UNIX) for seqpackets, bind it to {}, and listen", name);
    default:
      return _(
          "create a local socket (AF_UNIX) for datagrams and bind it to {}: nobody connects, so there is "
          "nothing to accept",
          name);
  }
}

void add_serving(std::vector<std::string>& steps, const options& how) {
  steps.push_back(opening_of(how.address));
  if (how.address.has_sessions())
    steps.emplace_back(how.is_single()
                           ? _("begin a session with the first who sends a datagram")
                           : _("begin a session with each new sender of a datagram, until Ctrl-C"));
  else
    steps.emplace_back(how.is_single() ? _("accept one connection, then stop listening")
                                       : _("accept connections until Ctrl-C"));
  steps.push_back(purpose_of(how));
}

std::string connecting_of(const place& to) {
  if (to.what != scheme::local) return _("open {}", to.text);
  const std::string name = name_of(to);
  if (to.kind.what == carrier::bytes)
    return _("create a local socket (AF_UNIX) for streams and connect it to {}", name);
  if (to.kind.what == carrier::records)
    return _("create a local socket (AF_UNIX) for seqpackets and connect it to {}", name);
  if (!to.from_name.is_local())
    return _(
        "create a local socket (AF_UNIX) for datagrams, with a name that the system chooses, so that it can "
        "be answered, and connect it to {}",
        name);
  return _(
      "create a local socket (AF_UNIX) for datagrams, bind it to {}, where it can be answered, and connect "
      "it to {}",
      address_of(to.from_name), name);
}

// The side that is waited for a while once the other has ended, or null.
const place* endless_side(const options& how) {
  const bool has_endless_peer = how.peer.has_sessions();
  const place& far = has_endless_peer ? how.peer : how.address;
  const place& near = has_endless_peer ? how.address : how.peer;
  return far.has_sessions() && !near.has_sessions() ? &far : nullptr;
}

}  // namespace

std::string purpose_of(const options& how) {
  switch (how.peer.what) {
    case scheme::echo: return _("each client is sent back what it sends (echo:)");
    case scheme::discard: return _("what clients send is thrown away (discard:)");
    case scheme::zero: return _("each client is sent zeros until it leaves (zero:)");
    case scheme::exec: return _("each client talks to a program of its own ({})", how.peer.text);
    case scheme::stdio: return _("one client is joined with standard input and output");
    case scheme::tcp:
    case scheme::udp:
    case scheme::local:
      return how.peer.has_sessions()
                 ? _("each client gets a socket of its own that sends to {}", how.peer.text)
                 : _("each client is connected to {}", how.peer.text);
    default: return _("one client is joined with {}", how.peer.text);
  }
}

std::string plan_of(const options& how) {
  const bool listens = how.what == verb::listen;
  const bool has_path = how.address.what == scheme::local && !how.address.name.is_abstract();
  std::vector<std::string> steps;
  if (listens) {
    add_serving(steps, how);
  } else {
    steps.push_back(connecting_of(how.address));
    steps.push_back(_("join it with {}", how.peer.text));
  }
  steps.emplace_back(how.how.at_end == on_eof::close ? _("end everything when one direction ends")
                     : how.how.at_end == on_eof::ignore
                         ? _("not tell a side that the other has finished sending")
                         : _("tell each side when the other has finished sending, and wait "
                             "for both"));
  if (const place* const far = endless_side(how); far != nullptr)
    steps.push_back(
        _("once the other side has ended, wait for datagrams of {} until none comes for {}: they have no end",
          far->text, shown(far->patience)));
  if (listens && has_path) steps.push_back(_("remove {} at the end", name_of(how.address)));
  std::string text;
  for (std::size_t i = 0; i < steps.size(); ++i)
    text += fmt::format("{}{}. {}", i == 0 ? "" : "\n", i + 1, steps[i]);
  if (listens && has_path)
    text.append("\n- ").append(_("the path has mode {:04o}: who may write to it may connect",
                                 how.address.mode.value_or(private_mode)));
  if (how.timeout) text.append("\n- ").append(_("end after {} at the latest", shown(*how.timeout)));
  if (how.how.idle.count() != 0 && how.address.has_sessions() && listens)
    text.append("\n- ").append(_("end a session in which nothing moves for {}", shown(how.how.idle)));
  else if (how.how.idle.count() != 0)
    text.append("\n- ").append(_("end a connection in which nothing moves for {}", shown(how.how.idle)));
  return text;
}

}  // namespace command
