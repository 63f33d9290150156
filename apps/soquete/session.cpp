// One run of the command: what it says of itself.
#include "session.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <cerrno>
#include <vector>

#include "borrowed.hpp"
#include "locale.hpp"

namespace command {
namespace {

using soquete::endpoint;

// An address that a client on this machine can use.
std::string for_clients(const endpoint& at) {
  if (!at.is_ip()) return to_string(at);
  if (at.addr().is_unspecified() || at.addr().is_loopback()) return fmt::format("localhost:{}", at.port());
  return to_string(at);
}

// What others write to talk to it.
std::string_view scheme_of(const options& how) { return how.address.what == scheme::udp ? "udp" : "tcp"; }

std::string with_space(std::string text) {
  if (const auto colon = text.rfind(':'); colon != text.npos) text[colon] = ' ';
  std::erase(text, '[');
  std::erase(text, ']');
  return text;
}

std::string_view reach_of(const endpoint& at) {
  if (!at.is_ip()) return "";
  if (at.addr() == soquete::address::any_v6()) return _(": every address of this machine, IPv4 and IPv6");
  if (at.addr().is_unspecified()) return _(": every IPv4 address of this machine");
  if (at.addr().is_loopback()) return _(": for clients on this machine only");
  return "";
}

std::string purpose_of(const options& how) {
  switch (how.peer.what) {
    case scheme::echo: return _("each client is sent back what it sends (echo:)");
    case scheme::discard: return _("what clients send is thrown away (discard:)");
    case scheme::zero: return _("each client is sent zeros until it leaves (zero:)");
    case scheme::exec: return _("each client talks to a program of its own ({})", how.peer.text);
    case scheme::tcp: return _("each client is connected to {}", how.peer.text);
    case scheme::udp: return _("each client gets a socket of its own that sends to {}", how.peer.text);
    default:
      if (how.peer.what == scheme::stdio) return _("one client is joined with standard input and output");
      return _("one client is joined with {}", how.peer.text);
  }
}

// Where the listening sockets come from.
std::string origin_of(const options& how, unsigned long addresses, unsigned long loops) {
  if (how.address.what == scheme::descriptor)
    return _("{} was opened and told to listen by whoever started this program", how.address.text);
  if (how.address.what == scheme::udp)
    return _n("{} socket was created and bound: each new sender begins a session",
              "{} sockets were created and bound: each new sender begins a session", addresses * loops,
              addresses * loops);
  if (addresses * loops == 1) return _("a socket was created, bound to it and told to listen");
  if (loops == 1)
    return _n("{} socket was created, bound to these and told to listen",
              "{} sockets were created, bound to these and told to listen", addresses, addresses);
  if (addresses == 1)
    return _("{} sockets, for {} event loops, were created, bound to it and told to listen", loops, loops);
  return _("{} sockets, for {} event loops, were created, bound to these and told to listen",
           addresses * loops, loops);
}

// Told the address, so that a script can go on; the end of the file says that this was all.
void write_ready(int descriptor, const std::string& lines) {
  std::string_view rest = lines;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  ::close(descriptor);
}

// "78 B", or "78 B/3" in three messages.
std::string moved(std::uint64_t size, std::uint64_t messages) {
  return messages == 0 ? shown_size(size) : fmt::format("{}/{}", shown_size(size), messages);
}

bool is_tcp(const place& p) { return p.what == scheme::tcp || p.what == scheme::descriptor; }

std::string who(const options& how, conversation::side whose) {
  const place& p = whose == conversation::side::address ? how.address : how.peer;
  // Translators: these four begin a sentence, as in "client closed first"; the article belongs to them.
  if (p.what == scheme::exec) return _("program");
  if (p.what == scheme::stdio) return _("standard input");
  return how.what == verb::listen && whose == conversation::side::address ? _("client") : _("server");
}

// A session of datagrams has no end that it could have been given time for.
bool is_ended_with_server(const options& how, const conversation& what) {
  return how.address.has_sessions() && how.what == verb::listen && *what.why == std::errc::operation_canceled;
}

std::string end_of(const options& how, const conversation& what) {
  if (what.was_idle) return _("nothing moved for {}", shown(how.how.idle));
  if (what.why) {
    const soquete::error& why = *what.why;
    if (why == std::errc::operation_canceled || what.failed == conversation::side::none) return _("cut off");
    if (is_ended_with_server(how, what)) return _("ended with the server");
    if (what.was_unanswered) return _("{}: no answer", who(how, what.failed));
    if (why == std::errc::connection_reset) return _("{} reset the connection (RST)", who(how, what.failed));
    return fmt::format("{}: {}", who(how, what.failed), cause_of(why.code()));
  }
  if (what.ended_first == conversation::side::none) return _("ended");
  const place& first = what.ended_first == conversation::side::address ? how.address : how.peer;
  const std::string one = who(how, what.ended_first);
  return is_tcp(first) ? _("{} closed first (FIN)", one) : _("{} ended first", one);
}

}  // namespace

session::session(const options& o, console& c) : how(o), out(c), is_typed_(::isatty(STDIN_FILENO) == 1) {}

void session::fail(failure why) {
  std::lock_guard lock(mutex_);
  if (!failure_) failure_ = std::move(why);
}

void session::complain_of(const failure& why) {
  {
    std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (last_complaint_ && now - *last_complaint_ < std::chrono::seconds(1)) return;
    last_complaint_ = now;
  }
  out.complain(why.text);
}

void session::announce(soquete::loop& here, const std::vector<endpoint>& at) {
  if (at.empty()) return;
  std::string places;
  std::string lines;
  for (const endpoint& one : at) {
    places = places.empty() ? to_string(one) : _("{} and {}", places, to_string(one));
    lines += fmt::format("{}://{}\n", scheme_of(how), to_string(one));
  }
  if (how.ready_descriptor >= 0) write_ready(how.ready_descriptor, lines);
  const bool was_chosen = how.address.where.ends_with(":0");
  if (how.peer.what == scheme::exec && at.front().is_ip() && at.front().addr().is_unspecified())
    out.tell(
        _("warning: whoever can reach this machine can run {}\n"
          "  for this machine only: {}://localhost:{}",
          how.peer.text, scheme_of(how), at.front().port()));
  if (!out.is_told_progress()) {
    // Nobody could connect to a port that nobody knows.
    if (was_chosen && !(out.is_quiet() && how.ready_descriptor >= 0))
      out.complain(_("listening on {}", places));
    return;
  }
  const unsigned loops = here.group().size();
  const std::string target = for_clients(at.front());
  std::string told = _("listening on {}", places).append(reach_of(at.front()));
  told += fmt::format("\n  {} ({})", origin_of(how, at.size(), loops), here.net().name());
  const std::string purpose = purpose_of(how);
  told.append("\n  ").append(how.is_single() ? purpose : _("{}, until Ctrl-C", purpose)).append("\n  ");
  told += _("to talk to it:  soquete connect {}://{}     or: nc {}{}", scheme_of(how), target,
            how.address.has_sessions() ? "-u " : "", with_space(target));
  out.say(told);
  out.detail(_("driver {}: {}", here.net().name(), borrowed(here.driver_reason())));
}

void session::report(std::uint64_t number, std::string_view address, std::string_view peer,
                     std::chrono::nanoseconds took, const conversation& what) {
  if (what.why && !is_ended_with_server(how, what)) ++failed;
  if (!out.is_told_progress()) return;
  // The arrow up is what the client of this conversation has sent.
  const bool listens = how.what == verb::listen;
  std::string program;
  if (what.status && what.status->signal != 0)
    program = _(", killed by signal {}", what.status->signal);
  else if (what.status && what.status->code != 0)
    program = _(", exit status {}", what.status->code);
  const std::string up = moved(what.up, what.up_messages);
  const std::string down = moved(what.down, what.down_messages);
  out.report(fmt::format("{}{} → {}  {}  ↑{} ↓{}  {}{}", listens ? fmt::format("#{} ", number) : "",
                         listens ? address : peer, listens ? peer : address, shown(took), listens ? up : down,
                         listens ? down : up, end_of(how, what), program));
}

void session::half_closed(conversation::side first) {
  const place& one = first == conversation::side::address ? how.address : how.peer;
  const place& other = first == conversation::side::address ? how.peer : how.address;
  // A program that has finished mostly ends as well, and all with it.
  if (is_typed_ && other.what == scheme::stdio && one.what != scheme::exec)
    out.say(_("the {} has finished sending; Ctrl-D ends your side", who(how, first)));
}

void session::report_total(std::chrono::nanoseconds took) {
  const std::uint64_t count = connections;
  if (how.address.has_sessions()) {
    std::string told =
        _n("served {} session in {}: {} received, {} sent, {} failed",
           "served {} sessions in {}: {} received, {} sent, {} failed", count, count, shown(took),
           moved(received, messages_received), moved(sent, messages_sent), failed.load());
    if (messages_dropped + turned_away != 0)
      told.append("\n  ").append(
          _("datagrams dropped: {} of sessions that were too slow, {} of senders beyond max=",
            messages_dropped.load(), turned_away.load()));
    return out.say(told);
  }
  out.say(_n("served {} connection in {}: {} received, {} sent, {} failed",
             "served {} connections in {}: {} received, {} sent, {} failed", count, count, shown(took),
             shown_size(received), shown_size(sent), failed.load()));
}

std::string plan_of(const options& how) {
  std::vector<std::string> steps;
  if (how.what == verb::listen) {
    if (how.address.has_sessions()) {
      steps.push_back(
          _("create a UDP socket and bind it to {}: nobody connects, so there is nothing to accept",
            how.address.text));
      steps.emplace_back(how.is_single()
                             ? _("begin a session with the first who sends a datagram")
                             : _("begin a session with each new sender of a datagram, until Ctrl-C"));
    } else {
      steps.push_back(_("create a TCP socket, bind it to {}, and listen", how.address.text));
      steps.emplace_back(how.is_single() ? _("accept one connection, then stop listening")
                                         : _("accept connections until Ctrl-C"));
    }
    steps.push_back(purpose_of(how));
  } else {
    steps.push_back(_("open {}", how.address.text));
    steps.push_back(_("join it with {}", how.peer.text));
  }
  steps.emplace_back(how.how.at_end == on_eof::close ? _("end everything when one direction ends")
                     : how.how.at_end == on_eof::ignore
                         ? _("not tell a side that the other has finished sending")
                         : _("tell each side when the other has finished sending, and wait "
                             "for both"));
  const bool has_udp_peer = how.peer.what == scheme::udp;
  const place& far = has_udp_peer ? how.peer : how.address;
  if (far.what == scheme::udp && (has_udp_peer ? how.address : how.peer).what != scheme::udp)
    steps.push_back(
        _("once the other side has ended, wait for datagrams of {} until none comes for {}: UDP has no end",
          far.text, shown(far.patience)));
  std::string text;
  for (std::size_t i = 0; i < steps.size(); ++i)
    text += fmt::format("{}{}. {}", i == 0 ? "" : "\n", i + 1, steps[i]);
  if (how.timeout) text.append("\n- ").append(_("end after {} at the latest", shown(*how.timeout)));
  if (how.how.idle.count() != 0 && how.address.has_sessions() && how.what == verb::listen)
    text.append("\n- ").append(_("end a session in which nothing moves for {}", shown(how.how.idle)));
  else if (how.how.idle.count() != 0)
    text.append("\n- ").append(_("end a connection in which nothing moves for {}", shown(how.how.idle)));
  return text;
}

}  // namespace command
