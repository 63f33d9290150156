// One run of the command: what it says of itself.
#include "session.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "locale.hpp"

namespace command {
namespace {

// "78 B", or "78 B/3" in three messages.
std::string moved(std::uint64_t size, std::uint64_t messages) {
  return messages == 0 ? shown_size(size) : fmt::format("{}/{}", shown_size(size), messages);
}

const place& side_of(const options& how, conversation::side which) {
  return which == conversation::side::address ? how.address : how.peer;
}

std::string who(const options& how, conversation::side whose) {
  const place& p = side_of(how, whose);
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
    if (is_ended_with_server(how, what)) return _("ended with the server");
    if (why == std::errc::operation_canceled || what.failed == conversation::side::none) return _("cut off");
    if (why == std::errc::destination_address_required)
      return _("{} has no name to be answered at", who(how, what.failed));
    if (what.was_unanswered) return _("{}: no answer", who(how, what.failed));
    if (why == std::errc::connection_reset)
      return side_of(how, what.failed).is_local()
                 ? _("{} closed before it had read everything", who(how, what.failed))
                 : _("{} reset the connection (RST)", who(how, what.failed));
    return fmt::format("{}: {}", who(how, what.failed), cause_of(why.code()));
  }
  if (what.ended_first == conversation::side::none) return _("ended");
  const std::string one = who(how, what.ended_first);
  return side_of(how, what.ended_first).is_tcp() ? _("{} closed first (FIN)", one) : _("{} ended first", one);
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

void session::report(std::uint64_t number, std::string_view address, std::string_view peer,
                     std::chrono::nanoseconds took, const conversation& what) {
  if (what.why && !is_ended_with_server(how, what)) ++failed;
  if (!out.is_told_progress()) return;
  // The arrow up is what the client of this conversation has sent.
  const bool listens = how.what == verb::listen;
  std::string more;
  if (what.status && what.status->signal != 0)
    more = _(", killed by signal {}", what.status->signal);
  else if (what.status && what.status->code != 0)
    more = _(", exit status {}", what.status->code);
  if (what.left_out != 0)
    more += _n(", {} empty message left out", ", {} empty messages left out", what.left_out, what.left_out);
  const std::string up = moved(what.up, what.up_messages);
  const std::string down = moved(what.down, what.down_messages);
  out.report(fmt::format("{}{} → {}  {}  ↑{} ↓{}  {}{}", listens ? fmt::format("#{} ", number) : "",
                         listens ? address : peer, listens ? peer : address, shown(took), listens ? up : down,
                         listens ? down : up, end_of(how, what), more));
}

void session::half_closed(conversation::side first) {
  const place& one = side_of(how, first);
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
             moved(received, messages_received), moved(sent, messages_sent), failed.load()));
}

}  // namespace command
