// One run of the command: what it says of itself.
#include "session.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <cerrno>

namespace command {
namespace {

using soquete::endpoint;

// An address that a client on this machine can use.
std::string for_clients(const endpoint& at) {
  if (!at.is_ip()) return to_string(at);
  if (at.addr().is_unspecified() || at.addr().is_loopback()) return fmt::format("localhost:{}", at.port());
  return to_string(at);
}

std::string with_space(std::string text) {
  if (const auto colon = text.rfind(':'); colon != text.npos) text[colon] = ' ';
  std::erase(text, '[');
  std::erase(text, ']');
  return text;
}

std::string_view reach_of(const endpoint& at) {
  if (!at.is_ip()) return "";
  if (at.addr() == soquete::address::any_v6()) return ": every address of this machine, IPv4 and IPv6";
  if (at.addr().is_unspecified()) return ": every IPv4 address of this machine";
  if (at.addr().is_loopback()) return ": for clients on this machine only";
  return "";
}

std::string purpose_of(const options& how) {
  switch (how.peer.what) {
    case scheme::echo: return "each client is sent back what it sends (echo:)";
    case scheme::discard: return "what clients send is thrown away (discard:)";
    case scheme::zero: return "each client is sent zeros until it leaves (zero:)";
    case scheme::exec: return fmt::format("each client talks to a program of its own ({})", how.peer.text);
    case scheme::tcp: return fmt::format("each client is connected to {}", how.peer.text);
    default:
      return fmt::format("one client is joined with {}",
                         how.peer.what == scheme::stdio ? "standard input and output" : how.peer.text);
  }
}

std::string sockets_of(std::size_t addresses, unsigned loops) {
  if (addresses * loops == 1) return "a socket was";
  if (loops == 1) return fmt::format("{} sockets were", addresses);
  return fmt::format("{} sockets, for {} event loops, were", addresses * loops, loops);
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

bool is_tcp(const place& p) { return p.what == scheme::tcp || p.what == scheme::descriptor; }

std::string who(const options& how, conversation::side whose) {
  const place& p = whose == conversation::side::address ? how.address : how.peer;
  if (p.what == scheme::exec) return "program";
  if (p.what == scheme::stdio) return "standard input";
  return how.what == verb::listen && whose == conversation::side::address ? "client" : "server";
}

std::string end_of(const options& how, const conversation& what) {
  if (what.was_idle) return fmt::format("nothing moved for {}", shown(how.how.idle));
  if (what.why) {
    const soquete::error& why = *what.why;
    if (why == std::errc::operation_canceled || what.failed == conversation::side::none) return "cut off";
    if (why == std::errc::connection_reset) return who(how, what.failed) + " reset the connection (RST)";
    return fmt::format("{}: {}", who(how, what.failed), cause_of(why.code()));
  }
  if (what.ended_first == conversation::side::none) return "ended";
  const place& first = what.ended_first == conversation::side::address ? how.address : how.peer;
  return fmt::format("{} {}", who(how, what.ended_first),
                     is_tcp(first) ? "closed first (FIN)" : "ended first");
}

}  // namespace

session::session(const options& o, console& c) : how(o), out(c), is_typed_(::isatty(STDIN_FILENO) == 1) {}

void session::fail(failure why) {
  std::lock_guard lock(mutex_);
  if (!failure_) failure_ = std::move(why);
}

void session::announce(soquete::loop& here, const std::vector<endpoint>& at) {
  if (at.empty()) return;
  std::string places;
  std::string lines;
  for (const endpoint& one : at) {
    places.append(places.empty() ? "" : " and ").append(to_string(one));
    lines += fmt::format("tcp://{}\n", to_string(one));
  }
  if (how.ready_descriptor >= 0) write_ready(how.ready_descriptor, lines);
  const bool was_chosen = how.address.what == scheme::tcp && how.address.where.ends_with(":0");
  if (how.peer.what == scheme::exec && at.front().is_ip() && at.front().addr().is_unspecified())
    out.tell(
        fmt::format("warning: whoever can reach this machine can run {}\n"
                    "  for this machine only: tcp://localhost:{}",
                    how.peer.text, at.front().port()));
  if (!out.is_told_progress()) {
    // Nobody could connect to a port that nobody knows.
    if (was_chosen && !(out.is_quiet() && how.ready_descriptor >= 0))
      out.complain(fmt::format("listening on {}", places));
    return;
  }
  const unsigned loops = here.group().size();
  const std::string target = for_clients(at.front());
  const std::string origin =
      how.address.what == scheme::descriptor
          ? fmt::format("{} was opened and told to listen by whoever started this program", how.address.text)
          : fmt::format("{} created, bound to {} and told to listen", sockets_of(at.size(), loops),
                        at.size() == 1 ? "it" : "these");
  out.say(
      fmt::format("listening on {}{}\n"
                  "  {} ({})\n"
                  "  {}{}\n"
                  "  to talk to it:  soquete connect tcp://{}     or: nc {}",
                  places, reach_of(at.front()), origin, here.net().name(), purpose_of(how),
                  how.is_single() ? "" : ", until Ctrl-C", target, with_space(target)));
  out.detail(fmt::format("driver {}: {}", here.net().name(), here.driver_reason()));
}

void session::report(std::uint64_t number, std::string_view address, std::string_view peer,
                     std::chrono::nanoseconds took, const conversation& what) {
  if (what.why) ++failed;
  if (!out.is_told_progress()) return;
  // The arrow up is what the client of this conversation has sent.
  const bool listens = how.what == verb::listen;
  std::string program;
  if (what.status && what.status->signal != 0)
    program = fmt::format(", killed by signal {}", what.status->signal);
  else if (what.status && what.status->code != 0)
    program = fmt::format(", exit status {}", what.status->code);
  out.report(fmt::format("{}{} → {}  {}  ↑{} ↓{}  {}{}", listens ? fmt::format("#{} ", number) : "",
                         listens ? address : peer, listens ? peer : address, shown(took),
                         shown_size(listens ? what.up : what.down), shown_size(listens ? what.down : what.up),
                         end_of(how, what), program));
}

void session::half_closed(conversation::side first) {
  const place& one = first == conversation::side::address ? how.address : how.peer;
  const place& other = first == conversation::side::address ? how.peer : how.address;
  // A program that has finished mostly ends as well, and all with it.
  if (is_typed_ && other.what == scheme::stdio && one.what != scheme::exec)
    out.say(fmt::format("the {} has finished sending; Ctrl-D ends your side", who(how, first)));
}

void session::report_total(std::chrono::nanoseconds took) {
  const std::uint64_t count = connections;
  out.say(fmt::format("served {} connection{} in {}: {} received, {} sent, {} failed", count,
                      count == 1 ? "" : "s", shown(took), shown_size(received), shown_size(sent),
                      failed.load()));
}

std::string plan_of(const options& how) {
  std::string text;
  if (how.what == verb::listen) {
    text = fmt::format("1. create a TCP socket, bind it to {}, and listen", how.address.text);
    text += how.is_single() ? "\n2. accept one connection, then stop listening"
                            : "\n2. accept connections until Ctrl-C";
    text += fmt::format("\n3. {}", purpose_of(how));
  } else {
    text = fmt::format("1. open {}\n2. join it with {}", how.address.text, how.peer.text);
  }
  text += how.how.at_end == on_eof::close ? "\n4. end everything when one direction ends"
          : how.how.at_end == on_eof::ignore
              ? "\n4. not tell a side that the other has finished sending"
              : "\n4. tell each side when the other has finished sending, and wait for both";
  if (how.what == verb::connect) text[text.rfind("\n4.") + 1] = '3';
  if (how.timeout) text += fmt::format("\n- end after {} at the latest", shown(*how.timeout));
  if (how.how.idle.count() != 0)
    text += fmt::format("\n- end a connection in which nothing moves for {}", shown(how.how.idle));
  return text;
}

}  // namespace command
