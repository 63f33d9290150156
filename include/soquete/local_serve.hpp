// A server of local connections: accepts within limits, keeps clients to the end, ends in order.  unix(7)
#pragma once

#include <functional>
#include <soquete/local_seqpacket.hpp>
#include <span>

namespace soquete::local {

/// Told what a server does; for logs. Called on the threads of its loops: guard what they share. Each may be
/// empty.
struct serve_watch {
  /// Once, after which clients can connect.
  std::function<void(const endpoint& where)> listening;
  /// The same, as other servers have it.
  std::function<void(std::span<const endpoint> all)> ready;
  /// Before the handler. False turns the client away: it is closed.
  std::function<bool(const credentials& client)> admit;
  /// A handler ended with an error: the client's affair, the server goes on.
  std::function<void(const credentials& client, const error& why)> client_failed;
  /// No connection can be accepted for now: descriptors or memory have run out.
  std::function<void(const error& why)> accept_paused;
  /// The end has been asked for, and so many clients have until the drain time.
  std::function<void(std::size_t clients)> draining;
};

/// Limits of a server. Totals count for all loops of a run together.
struct serve_options {
  std::size_t max_connections = 0;  ///< 0: as many as descriptors allow. Others wait in the backlog.
  std::size_t max_per_user = 0;     ///< 0: no limit. Others are closed.
  std::chrono::nanoseconds drain =
      std::chrono::seconds(3);         ///< What clients get when the server is asked to end.
  listen_options listen{};             ///< How the listener is opened.
  std::string_view handover{};         ///< As tcp::serve_options'.
  const serve_watch* watch = nullptr;  ///< Outlives the server.
};

/// What is done for one client. An error ends this client only; an exception ends the server, and is its own.
using client_handler = std::function<task<result<void>>(stream)>;
/// The same for one of serve_seqpacket().
using seqpacket_handler = std::function<task<result<void>>(seqpacket)>;

/// Serves clients on `where` ("unix:/run/x", "unix:@name", "fd:3", "systemd:web") until it is asked to end
/// (by cancellation: in a run_main by SIGINT or SIGTERM). Then it stops accepting, clients get the drain
/// time, then they are cancelled, and it succeeds.
///
/// Called on several loops of a run, the first listens and hands each connection to the loop that has the
/// fewest. While descriptors are out, it waits for some to come free. Errors: as listen().
[[nodiscard]] task<result<void>> serve(std::string_view where, client_handler handler, serve_options = {});

/// The same for functions and lambdas, which are kept until the server has ended.
template <class F>
  requires(!std::is_same_v<F, client_handler> && std::is_invocable_r_v<task<result<void>>, F&, stream>)
[[nodiscard]] task<result<void>> serve(std::string_view where, F handler, serve_options options = {}) {
  static_assert(detail::safe_closure<F>, "name the closure first: GCC 12 destroys owning captures twice");
  return serve(where, client_handler(std::move(handler)), options);
}

/// The same for clients that send records.
[[nodiscard]] task<result<void>> serve_seqpacket(std::string_view where, seqpacket_handler handler,
                                                 serve_options = {});

/// The same for functions and lambdas, which are kept until the server has ended.
template <class F>
  requires(!std::is_same_v<F, seqpacket_handler> && std::is_invocable_r_v<task<result<void>>, F&, seqpacket>)
[[nodiscard]] task<result<void>> serve_seqpacket(std::string_view where, F handler,
                                                 serve_options options = {}) {
  static_assert(detail::safe_closure<F>, "name the closure first: GCC 12 destroys owning captures twice");
  return serve_seqpacket(where, seqpacket_handler(std::move(handler)), options);
}

}  // namespace soquete::local
