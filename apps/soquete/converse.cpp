// One conversation: an address and a PEER of its own, joined to the end.
#include <fmt/format.h>

#include "end_name.hpp"
#include "session.hpp"

namespace command {
namespace {

using namespace soquete;

// Whoever is there, as far as they have a name; of a client, else which process it is.
std::string name_of(const peer& one, const place& written, bool is_client) {
  const endpoint at = one.remote();
  if (at.is_ip() || !at.local_name().empty()) return shown(at);
  if (!is_client) return written.text;
  const auto process = one.process();
  return process ? shown(*process) : at.is_local() ? shown(at) : written.text;
}

// A single run tells by its exit status how the conversation went; of a server's many, only errors that are
// ours or that somebody waits to see are told.
void conclude(session& all, const conversation& what) {
  if (what.status) all.status = what.status->as_in_shell();
  if (!what.why || all.is_ending) return;
  const error& why = *what.why;
  const place& where = what.failed == conversation::side::peer ? all.how.peer : all.how.address;
  if (where.what == scheme::stdio && why == std::errc::broken_pipe) {
    all.is_output_closed = true;
    return;
  }
  if (why == std::errc::operation_canceled && !what.was_idle) return;
  all.fail(broken(all.how, what));
}

// Of one of many, and yet to be known: datagrams that were refused after they were sent, so that no opening
// has failed; or a sender that has no name to be answered at, or none that leads to it.
bool is_telling(const options& how, const conversation& what) {
  if (!what.why) return false;
  if (what.failed == conversation::side::peer)
    return how.peer.has_sessions() && *what.why == std::errc::connection_refused;
  return *what.why == std::errc::destination_address_required ||
         *what.why == std::errc::no_such_file_or_directory;
}

task<void> hold(session& all, peer& address, std::uint64_t number, conversation& told) {
  loop& here = co_await this_loop();
  const time_point begun = here.net().now();
  const bool is_client = all.how.what == verb::listen;
  const std::string name =
      all.out.is_told_progress() ? name_of(address, all.how.address, is_client) : std::string();
  std::string other_name = all.how.peer.text;
  if (all.how.peer.is_service()) {
    co_await serve_here(all.how.peer.what, address, all.how.how, told);
  } else {
    auto other = co_await open_peer(all.how.peer, is_client ? &address : nullptr, number);
    if (!other) {
      address.abort();
      ++all.failed;
      if (all.how.is_single())
        all.fail(std::move(other.error()));
      else if (!all.is_ending && address.keeps_bounds())
        all.complain_of(other.error());
      else if (!all.is_ending)
        all.out.complain(other.error().text);
      co_return;
    }
    if (all.out.is_told_progress()) other_name = name_of(*other, all.how.peer, false);
    if (all.how.address.is_service()) {
      conversation turned;
      join_options how = all.how.how;
      how.address = how.peer;
      co_await serve_here(all.how.address.what, *other, how, turned);
      told = turned;
      std::swap(told.up, told.down);
      std::swap(told.up_messages, told.down_messages);
      if (told.failed != conversation::side::none) told.failed = conversation::side::peer;
      if (told.ended_first != conversation::side::none) told.ended_first = conversation::side::peer;
    } else {
      const half_closed watch = [&all](conversation::side first) { all.half_closed(first); };
      co_await join(address, *other, all.how.how, watch, told);
    }
  }
  all.report(number, name, other_name, here.net().now() - begun, told);
}

}  // namespace

task<void> converse(session& all, peer address, std::uint64_t number) {
  conversation told;
  co_await hold(all, address, number, told);
  all.received += told.up;
  all.sent += told.down;
  all.messages_received += told.up_messages;
  all.messages_sent += told.down_messages;
  if (all.how.is_single())
    conclude(all, told);
  else if (is_telling(all.how, told) && !all.is_ending)
    all.complain_of(broken(all.how, told));
}

}  // namespace command
