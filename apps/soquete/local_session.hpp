// Datagrams of local senders: a session for each name, as UDP has one for each address.  unix(7)
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <soquete/event.hpp>
#include <soquete/local_datagram.hpp>
#include <soquete/scope.hpp>
#include <unordered_map>

namespace command {

/// A datagram that waits for its session, in memory of its own.
struct local_datagram {
  std::vector<std::byte> payload{};
  bool is_truncated = false;
};

class local_server;

/// One sender, from its first datagram until the handler ends. All senders without a name are one: nothing
/// tells them apart, and nobody can answer them.
class local_session {
 public:
  local_session(local_server& of, const soquete::local::message& first);
  local_session(const local_session&) = delete;
  local_session& operator=(const local_session&) = delete;

  /// The next datagram, in order of arrival. Errors: operation_canceled, timed_out.
  soquete::task<soquete::result<local_datagram>> receive();
  /// Sends to this sender, by our name, and waits as long as it is slow to receive. `payload` stays in place.
  /// Errors: destination_address_required for a sender without a name; connection_refused or
  /// no_such_file_or_directory for one that is gone; message_size, operation_not_permitted.
  soquete::task<soquete::result<void>> send(soquete::bytes payload);

  /// Who it is; "unix:" without a name.
  const soquete::endpoint& peer() const noexcept { return peer_; }
  /// The process that has sent the first datagram, where the system tells.
  const std::optional<soquete::credentials>& sender() const noexcept { return sender_; }
  /// Our end.
  soquete::result<soquete::endpoint> local() const;
  soquete::socket_options options() noexcept;

 private:
  friend local_server;

  bool has_room(std::size_t size) const noexcept;

  local_server& of_;
  soquete::endpoint peer_;
  std::optional<soquete::credentials> sender_;
  std::deque<local_datagram> waiting_;
  std::size_t waiting_bytes_ = 0;
  soquete::event arrived_;
  soquete::time_point last_taken_;
  bool has_taken_ = false;
  bool is_stuck_ = false;  // It has not taken anything for so long that others no longer wait for it.
};

/// What a server of local datagrams allows, and whom it tells.
struct local_limits {
  std::size_t max_sessions = 4096;  ///< Datagrams of further senders are dropped.
  std::function<void()> refused{};  ///< Told of each of those.
  std::function<void()> dropped{};  ///< Told of each datagram of a session that was too slow.
};

/// What is done for one sender.
using local_handler = std::function<soquete::task<soquete::result<void>>(local_session&)>;

/// Receives on one name, and gives each sender a session.
///
/// The kernel lets no datagram of this machine get lost: senders wait. So we wait as well for a session that
/// has 64 of them, or 4 MiB; but where there may be others, no more than a second, or one that is stuck would
/// hold up all of them.
class local_server {
 public:
  local_server(soquete::loop& here, soquete::local::datagram on, local_limits limits, local_handler handler)
      : here_(here), on_(std::move(on)), limits_(std::move(limits)), handler_(std::move(handler)) {}

  /// Until it is cancelled; then sessions are cancelled too. Errors: those of receiving.
  soquete::task<soquete::result<void>> run();

 private:
  friend local_session;

  soquete::task<soquete::result<void>> receive_all(soquete::scope& s);
  soquete::task<soquete::result<void>> deliver(soquete::scope& s, const soquete::local::message& one);
  soquete::task<soquete::result<void>> hold(soquete::scope& s, soquete::endpoint name);
  soquete::task<soquete::result<void>> send(const soquete::endpoint& to, soquete::bytes payload);
  local_session* session_of(soquete::scope& s, const soquete::local::message& one);

  soquete::loop& here_;
  soquete::local::datagram on_;
  local_limits limits_;
  local_handler handler_;
  std::unordered_map<soquete::endpoint, std::unique_ptr<local_session>> open_;
  soquete::event changed_;  // A session has taken a datagram, or ended.
  soquete::event writer_free_;
  bool is_sending_ = false;
};

}  // namespace command
