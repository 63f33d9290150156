// A server of datagrams: a session for each peer, with limits and an end.  RFC 768.
#pragma once

#include <deque>
#include <functional>
#include <soquete/event.hpp>
#include <soquete/udp.hpp>
#include <span>

namespace soquete::udp {

namespace detail {
class server;
}

/// What one peer and a server have exchanged.
struct session_counts {
  std::uint64_t received = 0;        ///< Datagrams from the peer, those that were dropped among them.
  std::uint64_t received_bytes = 0;  ///< Payload.
  std::uint64_t sent = 0;            ///< Datagrams to the peer.
  std::uint64_t sent_bytes = 0;      ///< Payload.
  std::uint64_t dropped = 0;         ///< From the peer, because too many were waiting to be received.
};

/// One peer of a server, from its first datagram until the handler ends or the idle time passes: then what
/// the handler waits for ends with timed_out, and what the peer sends from then on begins another session.
/// Lives as long as the handler.
class session {
 public:
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  /// The next datagram of this peer, in order of arrival, the one that began the session first.
  /// Errors: operation_canceled, timed_out after the idle time.
  [[nodiscard]] task<result<received>> receive();
  /// Sends to this peer, from the address that it has asked. `payload` stays in place until the end of the
  /// await.
  /// Errors: message_size, network_unreachable, operation_not_permitted beyond serve_options::answer_factor.
  [[nodiscard]] task<result<void>> send(bytes payload);
  [[nodiscard]] task<result<void>> send(std::string_view text) { return send(as_bytes(text)); }

  /// Who it is.
  const endpoint& peer() const noexcept { return peer_; }
  /// Which address of ours it has asked; unspecified where the server is bound to one.
  const address& asked() const noexcept { return asked_; }
  /// Our end.
  result<endpoint> local() const { return from_.local(); }
  /// From here on the peer is known to be where it says: serve_options::answer_factor no longer counts.
  void trust() noexcept { is_trusted_ = true; }
  /// What it has received, sent and lost so far.
  const session_counts& counts() const noexcept { return counts_; }

 protected:
  /// Made by the server, for the peer of its first datagram.
  session(detail::server& of, socket& from, const datagram& first);
  ~session() = default;

 private:
  friend detail::server;

  detail::server& of_;
  socket& from_;
  endpoint peer_;
  address asked_;
  address answer_from_;
  std::uint32_t interface_;
  std::deque<received> waiting_;
  event arrived_;
  session_counts counts_;
  time_point last_active_{};
  bool is_trusted_ = false;
  bool has_received_ = false;
};

/// Told what a server does; for logs. Called on the threads of its loops: guard what they share. Each may be
/// empty.
struct serve_watch {
  /// Once for each address, after which datagrams are received.
  std::function<void(const endpoint& where)> listening;
  /// Once, when the sockets of all addresses and loops are bound. To tell a supervisor. sd_notify(3)
  std::function<void(std::span<const endpoint> all)> ready;
  /// Before the handler. False: the datagram is dropped.
  std::function<bool(const session& begun)> admit;
  /// A session is over; `why` is null if its handler succeeded or its idle time passed.
  std::function<void(const session& ended, const error* why)> ended;
  /// A datagram of a new peer was dropped, because there are as many sessions as there may be.
  std::function<void(const endpoint& peer)> refused;
};

/// Limits of a server. Totals count for all loops of a run together.
struct serve_options {
  std::chrono::nanoseconds idle = std::chrono::seconds(60);  ///< Silence in both directions ends a session.
  std::size_t max_sessions = 10'000;  ///< Datagrams of further peers are dropped; at least 1.
  std::size_t max_per_address = 0;    ///< 0: no limit. IPv4 counts alike on [::].
  std::size_t queue = 64;             ///< Datagrams of a session that wait; further ones are dropped.
  unsigned answer_factor = 0;        ///< Bytes sent for each received, to a peer that is not trusted; 0: any.
  std::chrono::nanoseconds drain{};  ///< What sessions get when the server is asked to end.
  bind_options bind{};               ///< Of the socket.
  const serve_watch* watch = nullptr;  ///< Outlives the server.
};

/// What is done for one peer. An error ends this session only; an exception ends the server, and is its own.
/// Datagrams that still wait when it ends begin the next session, but for the one that has begun this.
using session_handler = std::function<task<result<void>>(session&)>;

/// Serves peers on `where` until it is asked to end (by cancellation: in a run_main by SIGINT or SIGTERM).
/// Then no session begins any more; those that there are go on for the drain time, are cancelled, and it
/// succeeds. "localhost" is served on both loopback addresses. Errors: as bind(); a failing
/// socket, but for want of memory, which is waited for, and what is told of single datagrams.
///
/// Called on several loops of a run, each gets a socket of its own, all bound at once, and the kernel spreads
/// the peers. An inherited socket ("fd:3", "systemd:") is received from on one loop, and each session begins
/// on the loop that has the fewest. A peer has one session, whichever loop its datagrams come to: they are
/// passed on. So loops may begin to serve later than others, or not at all, and end earlier: their sockets
/// are received from elsewhere.
///
/// Sessions cannot be handed over to a later process. An inherited socket keeps what comes until it is there.
[[nodiscard]] task<result<void>> serve(std::string_view where, session_handler handler, serve_options = {});

/// The same for functions and lambdas, which are kept until the server has ended.
template <class F>
  requires(!std::is_same_v<F, session_handler> && std::is_invocable_r_v<task<result<void>>, F&, session&>)
[[nodiscard]] task<result<void>> serve(std::string_view where, F handler, serve_options options = {}) {
  static_assert(soquete::detail::safe_closure<F>,
                "name the closure first: GCC 12 destroys owning captures twice");
  return serve(where, session_handler(std::move(handler)), options);
}

}  // namespace soquete::udp
