// Errors that teach.
#include "failure.hpp"

#include <fmt/format.h>

#include "address_options.hpp"
#include "advice.hpp"
#include "borrowed.hpp"
#include "error_name.hpp"
#include "locale.hpp"

namespace command {
namespace {

using soquete::error;
using soquete::fault;
using soquete::step;

failure made(int status, std::string first_line, const advice& more) {
  std::string text = std::move(first_line);
  if (!more.meaning.empty()) text.append("\n  ").append(more.meaning);
  if (!more.attempt.empty()) text.append("\n  ").append(_("try: {}", more.attempt));
  return {status, std::move(text)};
}

// What each of several addresses has said.
std::string attempts_of(const error& why) {
  std::string text;
  for (const soquete::attempt& one : why.attempts())
    text += fmt::format("\n  {}: {} ({})", one.peer, cause_of(one.cause), shown(one.took));
  return text;
}

std::string name_of(conversation::side whose, const options& of, bool wrote) {
  const place& which = whose == conversation::side::peer ? of.peer : of.address;
  if (which.what == scheme::stdio) return wrote ? _("standard output") : _("standard input");
  return which.text;
}

}  // namespace

std::string cause_of(const std::error_code& why) {
  std::string text = borrowed(why);
  const bool has_number =
      why.category() == std::generic_category() || why.category() == std::system_category();
  if (const std::string_view name = has_number ? error_name(why.value()) : ""; !name.empty())
    text.append(" (").append(name).append(")");
  return text;
}

failure usage_failure(const mistake& bad) {
  return {exit_usage, bad.advice.empty() ? bad.what : fmt::format("{}\n  {}", bad.what, bad.advice)};
}

failure cannot_connect(const place& to, const error& why) {
  const int status = why.during() == step::resolve ? exit_no_name : exit_no_connection;
  return made(status, _("cannot connect to {}: {}{}", to.text, cause_of(why.code()), attempts_of(why)),
              to.is_local() ? of_connecting_here(to, why) : of_connecting(to, why));
}

failure cannot_listen(const place& on, const error& why) {
  const int status = why == fault::name_not_found ? exit_no_name : exit_no_listener;
  return made(status, _("cannot listen on {}: {}", on.text, cause_of(why.code())),
              on.is_local() ? of_listening_here(on, why) : of_listening(on, why));
}

failure not_passed(const place& which, bool listens) {
  const std::string why = which.what == scheme::descriptor
                              ? cause_of(std::make_error_code(std::errc::bad_file_descriptor))
                              : borrowed(std::error_code(fault::not_inherited));
  return made(listens ? exit_no_listener : exit_no_connection,
              listens ? _("cannot listen on {}: {}", which.text, why)
                      : _("cannot connect to {}: {}{}", which.text, why, ""),
              {which.missing->what, which.missing->advice});
}

failure cannot_run(const place& program, const error& why) {
  const bool is_missing = why == std::errc::no_such_file_or_directory;
  advice more = of_resources(why);
  if (is_missing)
    more = {_("no program {} was found in PATH.", program.program.front()),
            _("command -v {}     or for shell syntax: 'sh:{}'", program.program.front(),
              fmt::join(program.program, " "))};
  else if (why == std::errc::permission_denied)
    more = {_("{} is not executable by this user.", program.program.front()),
            _("ls -l {0}     or: chmod +x {0}", program.program.front())};
  return made(is_missing ? exit_not_found : exit_not_runnable,
              _("cannot run {}: {}", program.text, cause_of(why.code())), more);
}

failure cannot_start(const error& why) {
  const bool is_usage = why == std::errc::invalid_argument;
  const bool has_cause = why.subject().empty();
  return made(is_usage ? exit_usage : exit_broken,
              has_cause ? _("cannot start: {}", cause_of(why.code()))
                        : _("cannot start with '{}': {}", why.subject(), cause_of(why.code())),
              {borrowed(why.detail()), is_usage ? "" : _("another driver: --driver epoll, --driver poll")});
}

failure broken(const options& of, const conversation& what) {
  const error& why = *what.why;
  if (what.was_idle)
    return made(exit_broken, _("{}: nothing moved for {} (--idle)", of.address.text, shown(of.how.idle)),
                {_("the connection was ended before its sides had finished."), {}});
  const place& side = what.failed == conversation::side::peer ? of.peer : of.address;
  if (what.was_unanswered)
    return made(exit_broken, _("{}: no answer within {}", side.text, shown(side.patience)),
                {_("what was sent, or the answer to it, may be lost; or nobody is there, or nothing is to be "
                   "answered."),
                 _("more patience: {}     or only send: soquete {} {}", with_option(side.text, "wait=10s"),
                   of.what == verb::listen ? "listen" : "connect",
                   what.failed == conversation::side::peer ? "-u" : "-U")});
  const std::uint64_t came = what.failed == conversation::side::peer ? what.down_messages : what.up_messages;
  if (side.is_udp() && why == std::errc::connection_refused && came == 0) return cannot_connect(side, why);
  if (side.is_local() && why == std::errc::destination_address_required)
    return made(exit_broken, _("{}: cannot answer a sender that has no name (EDESTADDRREQ)", side.text),
                of_sending_here(side, why));
  const bool wrote = why.during() == step::send;
  const std::string who = name_of(what.failed, of, wrote);
  if (why == std::errc::connection_reset || why == std::errc::broken_pipe)
    return made(
        exit_broken, fmt::format("{}: {}", who, cause_of(why.code())),
        {wrote ? _("the other side has closed or reset the connection; some of what was sent to it may be "
                   "lost.")
         : side.is_local()
             ? _("the other side has closed before it had read all that was sent to it.")
             : _("the other side ended the connection abruptly; what had arrived before was passed on."),
         {}});
  if (why == std::errc::timed_out)
    return made(exit_broken, fmt::format("{}: {}", who, cause_of(why.code())),
                {_("the other side no longer answers; the connection was given up."), {}});
  const std::string cause = cause_of(why.code());
  if (!why.detail().empty() && why == std::errc::message_size)
    return made(exit_broken, fmt::format("{}: {}", who, cause), {borrowed(why.detail()) + ".", {}});
  if (why == fault::end_of_stream)
    return made(exit_broken, fmt::format("{}: {}", who, cause),
                {_("its last frame is not whole; those before it were passed on."), {}});
  if (side.keeps_bounds()) {
    const advice known = side.is_local() ? of_sending_here(side, why) : of_sending(side, why);
    if (!known.meaning.empty()) return made(exit_broken, fmt::format("{}: {}", who, cause), known);
  }
  if (side.what == scheme::stdio)
    return made(
        exit_broken,
        wrote ? _("cannot write to standard output: {}", cause) : _("cannot read standard input: {}", cause),
        of_resources(why));
  return made(exit_broken,
              wrote ? _("{}: cannot send: {}", who, cause) : _("{}: cannot receive: {}", who, cause),
              of_resources(why));
}

failure timed_out(const options& of) {
  return {exit_timeout, _("{}: not finished after {} (--timeout)", of.address.text, shown(*of.timeout))};
}

}  // namespace command
