// A server of datagrams: what it is on one loop, and what it shares with those of the other loops.
#pragma once

#include <deque>
#include <mutex>
#include <soquete/loop.hpp>
#include <soquete/scope.hpp>
#include <soquete/udp_serve.hpp>
#include <unordered_map>
#include <vector>

#include "udp_open.hpp"

namespace soquete::udp::detail {

/// A peer, as one address of the server sees it.
struct session_key {
  std::uint32_t door;  ///< Which of the server's addresses: "localhost" has two.
  endpoint peer;
  address asked;

  friend bool operator==(const session_key&, const session_key&) = default;
};
struct session_key_hash {
  std::size_t operator()(const session_key& k) const noexcept {
    return (std::hash<endpoint>()(k.peer) * 31 + std::hash<address>()(k.asked)) * 31 + k.door;
  }
};

/// What the servers of all loops share.
///
/// The kernel gives a peer to another socket when their number changes, and an inherited socket is received
/// from on one loop only. So all loops know where a session is, and datagrams that come elsewhere are passed
/// on to it.
struct serve_share : group_share {
  /// Where a session is, or will be once its first datagram has got there.
  struct place {
    server* on = nullptr;
    std::uint64_t dropped = 0;  ///< Of its datagrams, on the way.
  };
  using places = std::unordered_map<session_key, place, session_key_hash>;

  std::mutex mutex;
  std::optional<error> failure;
  std::vector<server*> all;  ///< Those that have sockets.
  /// For each loop that has not come yet, by door.
  std::vector<std::vector<owned_descriptor>> unclaimed;
  std::size_t without_sockets = 0;  ///< Of those that serve: the kernel cannot choose them.
  places sessions;
  std::unordered_map<address, std::size_t> of_address;

  /// Does `what` on that server's thread, or on another's if it has left by then, or not at all if all have.
  /// Under the lock.
  void post_to(server& whom, std::function<void(server&)> what);
  /// Takes a session out. Under the lock.
  void forget(places::iterator one);
};

/// The sockets and sessions of one loop.
///
///     serving --asked to end, a socket fails, a handler throws--> draining --no session is left--> over
///
/// Sessions begin while it serves, and receive until the end. Then its sockets go to another loop that
/// serves.
class server {
 public:
  server(loop& here, serve_share& share, const serve_options& options, session_handler& handler)
      : here_(here),
        share_(share),
        options_(options),
        handler_(handler),
        receivers_({&here, nullptr}),
        sessions_({&here, nullptr}) {
    patience_.of = this;
  }

  task<result<void>> run(where on);

  task<result<received>> next_of(session& s);
  task<result<void>> send(session& s, bytes payload);

 private:
  friend serve_share;
  struct entry;
  // On its way to the loop that has its session.
  struct passed {
    std::uint32_t door;
    received what;
  };
  // Received from for a loop that has not come, or has left.
  struct foster {
    std::uint32_t door;
    socket it;
  };
  struct bequest {
    std::uint32_t door;
    owned_descriptor it;
  };
  struct patience : timer {
    server* of = nullptr;
  };

  // udp_server.cpp: sessions.
  task<result<void>> receive_from(std::uint32_t door, socket& on);
  void deliver(std::uint32_t door, const datagram& d, received* own);
  entry* begin(const session_key& key, const datagram& d);
  void ended(entry& e, result<void> how);
  void end_with(error why);

  // udp_server_loops.cpp: among the loops.
  result<void> open(const where& on);
  result<void> open_first(const where& on);
  result<void> claim_sockets();
  server* place_of(const session_key& key);
  bool has_room(const address& peer);
  server* least_busy();
  void give_place_back(entry& e, bool has_more);
  void give_place_back(const session_key& key);
  void pass_on();
  void receive_for_others(std::vector<bequest> all);
  std::vector<bequest> take_unclaimed();
  void stop_serving();
  void leave();

  loop& here_;
  serve_share& share_;
  const serve_options& options_;
  session_handler& handler_;
  std::vector<socket> sockets_;  // By door.
  std::deque<foster> fosters_;
  std::unordered_map<session_key, entry*, session_key_hash> open_;
  std::unordered_map<server*, std::vector<passed>> away_;
  event writer_free_;
  event woken_;
  std::optional<error> failure_;
  std::exception_ptr thrown_;
  patience patience_;
  scope receivers_;
  scope sessions_;

  // Guarded by the share's lock.
  bool is_serving_ = false;
  bool has_own_sockets_ = false;
  std::size_t load_ = 0;    // Sessions, those on their way here included.
  std::size_t coming_ = 0;  // Datagrams on their way here.
};

/// A session, its handler's task and its idle time.
struct server::entry final : soquete::detail::scope_child, session, timer {
  entry(server& s, const session_key& k, const datagram& first);
  ~entry() { of_.here_.timers().disarm(*this); }

  void arm();
  void check_idle() noexcept;
  static void over(waiter* w) noexcept;

  session_key key;
  std::optional<task<result<void>>::awaiter> work;
  bool is_idle = false;

 private:
  friend server;
};

}  // namespace soquete::udp::detail
