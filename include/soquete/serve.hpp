// A server: accepts within limits, keeps clients to the end, ends in order.
#pragma once

#include <functional>
#include <soquete/tcp.hpp>
#include <span>

namespace soquete::tcp {

/// Told what a server does; for logs. Called on the threads of its loops: guard what they share. Each may be
/// empty.
struct serve_watch {
  /// Once for each address, after which clients can connect.
  std::function<void(const endpoint& where)> listening;
  /// Once, when clients can connect at all addresses; loops that get listeners of their own later change
  /// nothing for them. To tell a supervisor. sd_notify(3)
  std::function<void(std::span<const endpoint> all)> ready;
  /// Before the handler. False turns the client away with a reset.
  std::function<bool(const stream& client)> admit;
  /// A handler ended with an error: the client's affair, the server goes on.
  std::function<void(const endpoint& client, const error& why)> client_failed;
  /// No connection can be accepted for now: descriptors or memory have run out.
  std::function<void(const error& why)> accept_paused;
  /// The end has been asked for, and so many clients have until the drain time.
  std::function<void(std::size_t clients)> draining;
};

/// Limits of a server. Totals count for all loops of a run together.
struct serve_options {
  std::size_t max_connections = 0;  ///< 0: as many as descriptors allow. Others wait in the backlog.
  std::size_t max_per_address = 0;  ///< 0: no limit. Others are reset. IPv4 counts alike on [::].
  std::chrono::nanoseconds drain =
      std::chrono::seconds(3);  ///< What clients get when the server is asked to end.
  listen_options listen{};      ///< Of each listener.
  /// A local name, "unix:/run/web.handover", at which a later process of the same user takes the listeners
  /// over, without a refused connection: see serve(). Empty: none. Outlives the server.
  std::string_view handover{};
  const serve_watch* watch = nullptr;  ///< Outlives the server.
};

/// What is done for one client. An error ends this client only; an exception ends the server, and is its own.
using client_handler = std::function<task<result<void>>(stream)>;

/// Serves clients on `where` until it is asked to end (by cancellation: in a run_main by SIGINT or SIGTERM).
/// Then it stops accepting, clients get the drain time, then they are cancelled, and it succeeds.
///
/// Called on several loops of a run, each gets a listener of its own, and the kernel spreads the connections;
/// a listener that is inherited ("fd:3", "systemd:") hands each connection to the loop that has the fewest.
/// While descriptors are out, it waits for some to come free. "localhost" is served on both loopback
/// addresses. Errors: as listen(); a failing listener.
///
/// With `handover`, it first asks there for a server of the same user that runs already, and takes over all
/// that one listens on, whatever `where` says. Once this one accepts, the other drains and succeeds; until
/// then the other goes on, whatever becomes of this one. Then it waits there for a successor of its own. No
/// connection is refused or lost; clients that stay longer than the drain time of the other are cut. Errors
/// also: permission_denied where another user's process answers, timed_out. There is one listener to an
/// address then, and one loop accepts for all: on two loops that costs nothing that could be measured, and
/// on many it bounds the rate at some 100,000 new connections a second.
[[nodiscard]] task<result<void>> serve(std::string_view where, client_handler handler, serve_options = {});

/// The same for functions and lambdas, which are kept until the server has ended.
template <class F>
  requires(!std::is_same_v<F, client_handler> && std::is_invocable_r_v<task<result<void>>, F&, stream>)
[[nodiscard]] task<result<void>> serve(std::string_view where, F handler, serve_options options = {}) {
  static_assert(detail::safe_closure<F>, "name the closure first: GCC 12 destroys owning captures twice");
  return serve(where, client_handler(std::move(handler)), options);
}

}  // namespace soquete::tcp
