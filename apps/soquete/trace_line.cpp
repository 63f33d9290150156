// One line of the trace. The names of the calls are those of the manual pages, whatever the driver makes of
// them.
#include "trace_line.hpp"

#include <fmt/format.h>

#include "end_name.hpp"
#include "failure.hpp"
#include "locale.hpp"

namespace command {
namespace {

using soquete::endpoint;
using soquete::step;
using soquete::trace_event;

std::string where(const trace_event& e) { return e.subject == nullptr ? _("the peer") : shown(*e.subject); }

std::string_view meaning_of_option(std::string_view name) {
  if (name == "SO_REUSEADDR") return _("the port can be taken again at once after a restart");
  if (name == "SO_REUSEPORT")
    return _("several sockets of ours may listen on one port; the kernel spreads clients");
  if (name == "IPV6_V6ONLY") return _("0: an IPv6 socket that serves IPv4 too; 1: IPv6 alone");
  if (name == "TCP_NODELAY") return _("small pieces are sent at once, not collected");
  if (name == "SO_KEEPALIVE") return _("a silent peer is asked now and then whether it is still there");
  if (name == "TCP_KEEPIDLE") return _("seconds of silence before the first such question");
  if (name == "TCP_KEEPINTVL") return _("seconds between questions that nobody answers");
  if (name == "TCP_KEEPCNT") return _("unanswered questions before the connection is given up");
  if (name == "SO_RCVBUF" || name == "SO_SNDBUF") return _("bytes that the kernel holds for this socket");
  if (name == "IP_TOS") return _("how routers on the way should treat these packets (DSCP * 4)");
  if (name == "SO_BINDTODEVICE") return _("only this network interface is used");
  if (name == "TCP_CONGESTION") return _("how fast TCP dares to send");
  if (name == "SO_PASSCRED") return _("each message tells which process has sent it");
  if (name == "TCP_FASTOPEN" || name == "TCP_FASTOPEN_CONNECT")
    return _("the first bytes travel with the SYN");
  return _("an option of the socket");
}

std::string meaning_of_opening(const trace_event& e, const socket_kind& kind) {
  const bool are_datagrams = kind.what == carrier::datagrams;
  if (kind.over != network::local)
    return are_datagrams ? _("an endpoint for UDP over {}, not yet anywhere", e.note)
                         : _("an endpoint for TCP over {}, not yet anywhere", e.note);
  if (are_datagrams) return _("an endpoint for datagrams on this machine (AF_UNIX), not yet anywhere");
  return kind.what == carrier::records
             ? _("an endpoint for seqpackets on this machine (AF_UNIX), not yet anywhere")
             : _("an endpoint for streams on this machine (AF_UNIX), not yet anywhere");
}

std::string meaning_of_binding(const trace_event& e, const options& how) {
  const endpoint name = e.subject != nullptr ? *e.subject : endpoint();
  if (!name.is_local()) return _("this address and port are ours now");
  unsigned mode = private_mode;
  bool is_asked_for = false;
  for (const place* const one : {&how.address, &how.peer}) {
    if (one->name != name && one->from_name != name) continue;
    is_asked_for = true;
    mode = one->mode.value_or(private_mode);
  }
  if (!is_asked_for) return _("the system has given us a name, so that we can be answered");
  if (name.is_abstract()) return _("this name is ours now; it is in no folder, and ends with us");
  return _("this path is ours now, with mode {:04o}: who may write to it may connect", mode);
}

std::string meaning_of_connecting(const socket_kind& kind) {
  if (kind.what == carrier::datagrams)
    return _("nothing is sent; from now on datagrams go there, and come from there only");
  if (kind.over == network::local)
    return _("we stand in the server's queue: on one machine that is a connection, without any packets");
  return _("SYN, SYN-ACK, ACK: both ends agree that there is a connection");
}

trace_line of_receiving(const trace_event& e, const socket_kind& kind) {
  const bool are_messages = kind.is_socket() && kind.what != carrier::bytes;
  const std::string call = fmt::format("{}({})", are_messages ? "recvmsg" : "recv", e.descriptor);
  if (e.amount == 0 && kind.what != carrier::datagrams)
    return {call, "0", _("the other side has finished sending (end of stream)")};
  const bool is_nameless = e.subject == nullptr && kind.over == network::local;
  std::string meaning = kind.what == carrier::datagrams
                            ? _("a datagram, whole, has come from {}",
                                is_nameless ? shown(endpoint::local_unnamed()) : where(e))
                        : kind.what == carrier::records ? _("a record, whole, has come from {}", where(e))
                                                        : _("bytes have come from {}", where(e));
  return {call, fmt::format("{}", e.amount), std::move(meaning)};
}

trace_line of_sending(const trace_event& e, const socket_kind& kind) {
  const bool are_messages = kind.is_socket() && kind.what != carrier::bytes;
  const std::string call = fmt::format("{}({})", are_messages ? "sendmsg" : "send", e.descriptor);
  std::string meaning =
      !are_messages ? _("bytes for {} are with the kernel, which delivers them", where(e))
      : kind.over == network::local
          ? _("a message for {} stands in its queue, whole", where(e))
          : _("a datagram for {}: it arrives whole, or not at all, and nobody tells us", where(e));
  return {call, fmt::format("{}", e.amount), std::move(meaning)};
}

std::string meaning_of_closing(const socket_kind& kind, const options& how) {
  const bool goes_with_path =
      kind.has_path && !how.address.is_open() && (kind.is_listening || kind.what == carrier::datagrams);
  return goes_with_path ? _("this endpoint is gone, and its path is removed") : _("this endpoint is gone");
}

trace_line of_success(const trace_event& e, const socket_kind& kind, const options& how) {
  const int d = e.descriptor;
  const bool is_local = kind.over == network::local;
  switch (e.what) {
    case step::open: return {"socket()", fmt::format("{}", d), meaning_of_opening(e, kind)};
    case step::set_option:
      return {fmt::format("setsockopt({}, {}, {})", d, e.note, e.amount), "0",
              std::string(meaning_of_option(e.note))};
    case step::bind: return {fmt::format("bind({}, {})", d, where(e)), "0", meaning_of_binding(e, how)};
    case step::listen:
      return {fmt::format("listen({}, {})", d, e.amount), "0",
              _("clients can connect; the kernel lets up to {} wait for us", e.amount)};
    case step::connect:
      return {fmt::format("connect({}, {})", d, where(e)), "0", meaning_of_connecting(kind)};
    case step::accept:
      return {fmt::format("accept({})", d), fmt::format("{}", e.amount),
              is_local ? _("a connection from a program of this machine, with a socket of its own")
                       : _("a connection from {}, with a socket of its own", where(e))};
    case step::receive: return of_receiving(e, kind);
    case step::send: return of_sending(e, kind);
    case step::shutdown:
      return {fmt::format("shutdown({}, SHUT_WR)", d), "0",
              is_local ? _("we have finished sending; receiving goes on")
                       : _("we have finished sending (FIN); receiving goes on")};
    case step::wait: return {fmt::format("poll({})", d), _("ready"), _("what we waited for is there")};
    case step::none:
      if (e.note == "reset")
        return {fmt::format("close({})", d), "0",
                _("with SO_LINGER 0: a reset (RST), the peer learns that something is wrong")};
      return {fmt::format("close({})", d), "0", meaning_of_closing(kind, how)};
    default: return {fmt::format("{}({})", to_string(e.what), d), "", ""};
  }
}

// Standard streams, pipes and the like have no peer and are read and written, not received and sent.
void say_file_calls(trace_line& l, const trace_event& e) {
  if (e.what != step::receive && e.what != step::send) return;
  const bool reads = e.what == step::receive;
  l.call = fmt::format("{}({})", reads ? "read" : "write", e.descriptor);
  l.meaning = !reads ? _("bytes of output") : e.amount == 0 ? _("the end of the input") : _("bytes of input");
}

std::string meaning_of_failure(const trace_event& e, const socket_kind& kind) {
  if (e.cause == std::errc::operation_canceled) return _("we no longer wait for it");
  const std::string cause = cause_of(e.cause);
  if (kind.over != network::local || e.cause != std::errc::resource_unavailable_try_again) return cause;
  return e.what == step::connect ? _("{}: as many clients wait as its backlog lets; we ask again", cause)
                                 : _("{}: its queue is full; we ask again", cause);
}

}  // namespace

trace_line line_of(const trace_event& e, const socket_kind& kind, const options& how) {
  trace_line l = of_success(e, kind, how);
  if (!kind.is_socket()) say_file_calls(l, e);
  if (!e.cause) return l;
  l.result = "-1";
  l.meaning = meaning_of_failure(e, kind);
  return l;
}

}  // namespace command
