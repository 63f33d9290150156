// One run of the command: what all its conversations share.
#pragma once

#include <atomic>
#include <expected>
#include <mutex>
#include <soquete/loop.hpp>
#include <span>
#include <vector>

#include "console.hpp"
#include "failure.hpp"

namespace command {

/// Used by all loops of a run.
class session {
 public:
  session(const options& o, console& c);

  const options& how;
  console& out;

  std::atomic<std::uint64_t> connections = 0;
  std::atomic<std::uint64_t> received = 0;  ///< Bytes from clients.
  std::atomic<std::uint64_t> sent = 0;      ///< Bytes to clients.
  std::atomic<std::uint64_t> messages_received = 0;
  std::atomic<std::uint64_t> messages_sent = 0;
  std::atomic<std::uint64_t> messages_dropped = 0;  ///< Of clients whose peer was too slow.
  std::atomic<std::uint64_t> turned_away = 0;       ///< Datagrams of new clients, when there were too many.
  std::atomic<std::uint64_t> failed = 0;            ///< Conversations that did not end in order.
  std::atomic<bool> is_ending = false;
  std::atomic<bool> is_output_closed = false;  ///< Whoever read our output has gone.
  std::atomic<int> status = exit_in_order;     ///< Of the program in a single run.

  /// The run has failed. The first failure counts.
  void fail(failure why);
  const std::optional<failure>& why_failed() const noexcept { return failure_; }

  /// Says where clients can connect, in the ways that were asked for.
  void announce(soquete::loop& here, const std::vector<soquete::endpoint>& at);
  /// One of the places of the address is ready; says so once all are.
  void place_ready(soquete::loop& here, std::span<const soquete::endpoint> at);
  /// What one conversation has come to.
  void report(std::uint64_t number, std::string_view address, std::string_view peer,
              std::chrono::nanoseconds took, const conversation& what);
  /// One side has finished sending, the other goes on: whoever types there wants to know.
  void half_closed(conversation::side first);
  void report_total(std::chrono::nanoseconds took);
  /// Of one of many conversations, which others do not wait for: at most one a second.
  void complain_of(const failure& why);

 private:
  std::mutex mutex_;
  std::optional<failure> failure_;
  std::optional<std::chrono::steady_clock::time_point> last_complaint_;
  std::vector<soquete::endpoint> ready_at_;
  std::size_t places_ready_ = 0;
  bool is_typed_;  // Standard input is a terminal, as found before anybody takes it.
};

/// Opens what an address says. `client` is whom a program shall serve, or null.
using opened = std::expected<peer, failure>;
soquete::task<opened> open_peer(const place& what, peer* client, std::uint64_t number);

/// Options of a place for a connection that is there already.
soquete::result<void> prepare(soquete::tcp::stream& connection, const place& what);
soquete::result<void> prepare(soquete::local::stream& connection, const place& what);
soquete::result<void> prepare(soquete::local::seqpacket& connection, const place& what);
/// Buffers of a place for a socket that is open.
soquete::result<void> set_buffers(soquete::socket_options of, const place& what);

/// Joins `address` with a PEER of its own, to the end.
soquete::task<void> converse(session& all, peer address, std::uint64_t number);

/// Serves datagrams: a session for each sender; of `listen` a part.
soquete::task<soquete::result<void>> serve_datagrams(session& all);

/// The verbs. The program for soquete::run().
soquete::task<soquete::result<void>> connect(session& all);
soquete::task<soquete::result<void>> listen(session& all);

}  // namespace command
