// --trace: the names of the calls are those of the manual pages, whatever the driver makes of them.
#include "trace.hpp"

#include <fmt/format.h>

#include "failure.hpp"
#include "locale.hpp"

namespace command {
namespace {

using soquete::step;
using soquete::trace_event;

// A call as a program would write it, its result, and a sentence.
struct line {
  std::string call;
  std::string result;
  std::string meaning;
};

std::string where(const trace_event& e) {
  return e.subject != nullptr ? to_string(*e.subject) : _("the peer");
}

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
  if (name == "TCP_FASTOPEN" || name == "TCP_FASTOPEN_CONNECT")
    return _("the first bytes travel with the SYN");
  return _("an option of the socket");
}

line told(const trace_event& e, bool is_datagram) {
  const int d = e.descriptor;
  switch (e.what) {
    case step::open:
      return {"socket()", fmt::format("{}", d),
              is_datagram ? _("an endpoint for UDP over {}, not yet anywhere", e.note)
                          : _("an endpoint for TCP over {}, not yet anywhere", e.note)};
    case step::set_option:
      return {fmt::format("setsockopt({}, {}, {})", d, e.note, e.amount), "0",
              std::string(meaning_of_option(e.note))};
    case step::bind:
      return {fmt::format("bind({}, {})", d, where(e)), "0", _("this address and port are ours now")};
    case step::listen:
      return {fmt::format("listen({}, {})", d, e.amount), "0",
              _("clients can connect; the kernel lets up to {} wait for us", e.amount)};
    case step::connect:
      if (is_datagram)
        return {fmt::format("connect({}, {})", d, where(e)), "0",
                _("nothing is sent; from now on datagrams go there, and come from there only")};
      return {fmt::format("connect({}, {})", d, where(e)), "0",
              _("SYN, SYN-ACK, ACK: both ends agree that there is a connection")};
    case step::accept:
      return {fmt::format("accept({})", d), fmt::format("{}", e.amount),
              _("a connection from {}, with a socket of its own", where(e))};
    case step::receive:
      if (is_datagram)
        return {fmt::format("recvmsg({})", d), fmt::format("{}", e.amount),
                _("a datagram, whole, has come from {}", where(e))};
      if (e.amount == 0)
        return {fmt::format("recv({})", d), "0", _("the other side has finished sending (end of stream)")};
      return {fmt::format("recv({})", d), fmt::format("{}", e.amount),
              _("bytes have come from {}", where(e))};
    case step::send:
      if (is_datagram)
        return {fmt::format("sendmsg({})", d), fmt::format("{}", e.amount),
                _("a datagram for {}: it arrives whole, or not at all, and nobody tells us", where(e))};
      return {fmt::format("send({})", d), fmt::format("{}", e.amount),
              _("bytes for {} are with the kernel, which delivers them", where(e))};
    case step::shutdown:
      return {fmt::format("shutdown({}, SHUT_WR)", d), "0",
              _("we have finished sending (FIN); receiving goes on")};
    case step::wait: return {fmt::format("poll({})", d), _("ready"), _("what we waited for is there")};
    case step::none:
      if (e.note == "reset")
        return {fmt::format("close({})", d), "0",
                _("with SO_LINGER 0: a reset (RST), the peer learns that something is wrong")};
      return {fmt::format("close({})", d), "0", _("this endpoint is gone")};
    default: return {fmt::format("{}({})", to_string(e.what), d), "", ""};
  }
}

// Standard streams, pipes and the like have no peer and are read and written, not received and sent.
void say_file_calls(line& l, const trace_event& e) {
  if (e.subject != nullptr || (e.what != step::receive && e.what != step::send)) return;
  const bool reads = e.what == step::receive;
  l.call = fmt::format("{}({})", reads ? "read" : "write", e.descriptor);
  if (!e.cause && reads) l.meaning = e.amount == 0 ? _("the end of the input") : _("bytes of input");
  if (!e.cause && !reads) l.meaning = _("bytes of output");
}

}  // namespace

narrator::narrator(console& to) : to_(to) {
  trace_sink::told = [](soquete::trace_sink* self, const trace_event& event) noexcept {
    static_cast<narrator*>(self)->narrate(event);
  };
}

bool narrator::is_datagram(const trace_event& event) {
  const std::lock_guard lock(mutex_);
  if (event.what == step::open && event.amount == static_cast<int>(soquete::transport::datagram))
    datagrams_.insert(event.descriptor);
  if (event.note == "messages") return true;
  const bool is_known = datagrams_.contains(event.descriptor);
  if (event.what == step::none) datagrams_.erase(event.descriptor);
  return is_known;
}

void narrator::narrate(const trace_event& event) {
  // Signals and programs are waited for until the end, which is no step of any socket.
  if (event.what == step::wait && event.cause == std::errc::operation_canceled) return;
  const bool are_messages = is_datagram(event);
  line l = command::told(event, are_messages);
  if (!are_messages) say_file_calls(l, event);
  if (event.cause == std::errc::operation_canceled) {
    l.result = "-1";
    l.meaning = _("we no longer wait for it");
  } else if (event.cause) {
    l.result = "-1";
    l.meaning = cause_of(event.cause);
  }
  const double since = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  to_.trace(fmt::format("{:9.6f}  {} → {}{:{}}  {}", since, l.call, l.result, "",
                        l.call.size() + l.result.size() < 38 ? 38 - l.call.size() - l.result.size() : 0,
                        l.meaning));
}

}  // namespace command
