// One conversation: an address and a PEER of its own, joined to the end.
#include <fmt/format.h>

#include "session.hpp"

namespace command {
namespace {

using namespace soquete;

std::string name_of(peer& one, const place& written) {
  if (!one.is_connection() || !one.stream().peer().is_ip()) return written.text;
  const endpoint at = one.stream().peer();
  return to_string(endpoint(at.addr().unmapped(), at.port()));
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

task<void> hold(session& all, peer& address, std::uint64_t number, conversation& told) {
  loop& here = co_await this_loop();
  const time_point begun = here.net().now();
  const std::string name = all.out.is_told_progress() ? name_of(address, all.how.address) : std::string();
  std::string other_name = all.how.peer.text;
  if (all.how.peer.is_service()) {
    co_await serve_here(all.how.peer.what, address, all.how.how, told);
  } else {
    const bool is_client = all.how.what == verb::listen;
    auto other = co_await open_peer(all.how.peer, is_client ? &address.stream() : nullptr, number);
    if (!other) {
      address.abort();
      ++all.failed;
      if (all.how.is_single())
        all.fail(std::move(other.error()));
      else if (!all.is_ending)
        all.out.complain(other.error().text);
      co_return;
    }
    if (all.out.is_told_progress()) other_name = name_of(*other, all.how.peer);
    if (all.how.address.is_service()) {
      conversation turned;
      co_await serve_here(all.how.address.what, *other, all.how.how, turned);
      told = turned;
      std::swap(told.up, told.down);
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
  if (all.how.is_single()) conclude(all, told);
}

}  // namespace command
