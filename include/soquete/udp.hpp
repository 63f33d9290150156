// UDP sockets.  RFC 768, udp(7).
#pragma once

#include <soquete/datagram.hpp>
#include <soquete/datagram_options.hpp>
#include <soquete/owned.hpp>
#include <soquete/where.hpp>

namespace soquete {
class loop;
}

namespace soquete::udp {

class socket;

/// A datagram that was received alone, with its bytes. Move-only.
class received {
 public:
  received() = default;
  explicit received(batch all) noexcept : all_(std::move(all)) {}  ///< The first of `all`.
  /// One of several, in memory of its own.
  explicit received(const datagram& one);

  /// Its bytes. Valid while this lives and is not moved.
  bytes payload() const noexcept { return all_.empty() ? of_kept().payload : all_.front().payload; }
  /// The same as text.
  std::string_view text() const noexcept { return as_text(payload()); }
  /// All that is known of it. Valid while this lives and is not moved.
  datagram about() const noexcept { return all_.empty() ? of_kept() : all_.front(); }
  /// Who sent it.
  const endpoint& from() const noexcept { return about().from(); }
  bool truncated() const noexcept { return about().truncated; }

 private:
  struct kept {
    received_message about;
    std::vector<std::byte> payload;
  };

  datagram of_kept() const noexcept;

  batch all_;
  owned<kept> kept_;
};

/// What was received into memory of the caller's.
struct arrival {
  endpoint from{};         ///< Who sent it.
  std::size_t size = 0;    ///< Bytes that were put there.
  std::size_t length = 0;  ///< Bytes that were sent: more, if there was no room for the end, which is lost.

  bool truncated() const noexcept { return length > size; }
};

/// How a datagram travels.
struct send_options {
  address from{};               ///< Our address; unspecified: the system chooses.  IP_PKTINFO
  std::uint32_t interface = 0;  ///< By number; 0: the system chooses.  IP_PKTINFO
  int hops = -1;                ///< 1 to 255; -1: as the socket's option says.  IP_TTL
  int traffic_class = -1;       ///< DSCP * 4 + ECN; -1: as the socket's option says.  IP_TOS
};

/// What flush() did.
struct flushed {
  std::size_t sent = 0;           ///< Datagrams that the system has taken.
  std::size_t failed = 0;         ///< Those it refused; the others went out all the same.
  std::error_code first_cause{};  ///< Why it refused the first of them.
};

namespace detail {

/// What receives of datagrams have in common: one may be pending at a time.
class receive_operation {
 public:
  receive_operation(socket& on, std::size_t most) noexcept : on_(on), most_(most) {}
  bool begin(environment env, waiter* then) noexcept;
  bool failed() const noexcept;
  void describe(suspension_report& report) const;

 protected:
  result<batch> taken();
  bool is_rest() const noexcept { return is_rest_; }
  socket& on_;

 private:
  std::size_t most_;
  bool is_rest_ = false;
};

class receive_batch : public receive_operation {
 public:
  using awaiter = receive_batch;
  using receive_operation::receive_operation;
  result<batch> take() { return taken(); }
};

class receive_one : public receive_operation {
 public:
  using awaiter = receive_one;
  explicit receive_one(socket& on) noexcept : receive_operation(on, 1) {}
  result<received> take();
};

class receive_into : public receive_operation {
 public:
  using awaiter = receive_into;
  receive_into(socket& on, mutable_bytes into) noexcept : receive_operation(on, 1), into_(into) {}
  result<arrival> take();

 private:
  mutable_bytes into_;
};

class send_one {
 public:
  using awaiter = send_one;
  send_one(socket_block& on, const endpoint* to, bytes payload, const send_options& how) noexcept;
  send_one(send_one&& other) noexcept;
  bool begin(environment env, waiter* then) noexcept;
  bool failed() const noexcept { return slot_.failed() || message_.outcome < 0; }
  result<void> take() const;
  void describe(suspension_report& report) const { slot_.describe(report); }

 private:
  slot& slot_;
  endpoint to_;
  outgoing_message message_;
};

class flush_queue {
 public:
  using awaiter = flush_queue;
  explicit flush_queue(socket& on) noexcept : on_(on) {}
  bool begin(environment env, waiter* then) noexcept;
  bool failed() const noexcept;
  result<flushed> take();
  void describe(suspension_report& report) const;

 private:
  socket& on_;
  bool is_empty_ = false;
};

}  // namespace detail

/// A socket of datagrams, which may be lost, doubled or overtaken; but each arrives whole or not at all.
///
/// One receive and one send may be pending at a time.
class socket {
 public:
  /// The most datagrams that wait for flush().
  static constexpr std::size_t queue_max = 4096;
  /// Bytes in the largest payload over IPv4.  RFC 768, RFC 791
  static constexpr std::size_t payload_max = 65'507;

  socket() = default;
  explicit socket(soquete::socket opened) noexcept : socket_(std::move(opened)) {}

  /// Takes over a descriptor.  Errors: bad_file_descriptor, invalid_argument for what has no datagrams.
  static result<socket> adopt(loop& here, owned_descriptor descriptor);
  [[nodiscard]] static task<result<socket>> adopt(owned_descriptor descriptor);

  /// Receives the next datagram, from whomever; of a connected socket, from the peer. An empty one is no end.
  /// Where many come, a call to the kernel takes up to 32, and they share memory: keep each briefly.
  ///
  /// Cancelled, nothing is lost. Errors: connection_refused on a connected socket, when the peer's host said
  /// so of one sent before; no_buffer_space when memory is out; operation_canceled.  recvmsg(2)
  [[nodiscard]] detail::receive_one receive() noexcept { return detail::receive_one(*this); }
  /// Receives the next datagram into `into`, as far as it fits. `into` is not touched after the await.
  /// Errors: as receive().
  [[nodiscard]] detail::receive_into receive(mutable_bytes into) noexcept { return {*this, into}; }
  /// Receives 1 to some hundred datagrams at once: as many as there are; one by one while 64 batches are held
  /// on this loop. Errors: as receive().  recvmmsg(2), UDP_GRO
  [[nodiscard]] detail::receive_batch receive_batch() noexcept;

  /// Sends one datagram to the connected peer. It is not kept: `payload` is free after the await.
  /// Errors: message_size, not_connected, connection_refused (of one sent before), network_unreachable,
  /// operation_not_permitted.  send(2)
  [[nodiscard]] detail::send_one send(bytes payload, const send_options& how = {}) noexcept {
    return {socket_.block(), nullptr, payload, how};
  }
  [[nodiscard]] detail::send_one send(std::string_view text, const send_options& how = {}) noexcept {
    return send(as_bytes(text), how);
  }
  /// Sends one datagram to `to`.  Errors: as send(), permission_denied for a broadcast.  sendto(2)
  [[nodiscard]] detail::send_one send_to(const endpoint& to, bytes payload,
                                         const send_options& how = {}) noexcept {
    return {socket_.block(), &to, payload, how};
  }
  [[nodiscard]] detail::send_one send_to(const endpoint& to, std::string_view text,
                                         const send_options& how = {}) noexcept {
    return send_to(to, as_bytes(text), how);
  }

  /// Notes an answer to `d`, to leave from the address that `d` was sent to; flush() sends it. Both `d`'s
  /// batch and `payload` stay in place until then. False, and nothing is noted, when queue_max are waiting.
  bool queue_reply(const datagram& d, bytes payload);
  /// Notes a datagram for flush(). `to` (null: the connected peer) and `payload` stay in place until then.
  bool queue(const endpoint* to, bytes payload);
  bool queue(const endpoint* to, bytes payload, const send_options& how);  ///< Likewise, in that way.
  /// Noted, and not taken by a flush().
  std::size_t queued() const noexcept { return queue_.size(); }
  /// Sends all that is noted, in as few calls as it takes; waits while the system has no room. Afterwards
  /// nothing of it is noted, whatever happened; what is noted meanwhile is for the next flush(). One that is
  /// refused does not keep the others: see flushed. Errors:
  /// operation_canceled, timed_out.  sendmmsg(2), UDP_SEGMENT
  [[nodiscard]] detail::flush_queue flush() noexcept { return detail::flush_queue(*this); }

  /// Sends go there, receives come from there only, and refusals are told. Connect again to change it. What
  /// others had sent before is still received.
  /// Errors: network_unreachable, permission_denied for a broadcast.  connect(2)
  result<void> connect(const endpoint& to);
  /// Undoes connect(). A port that the system has chosen is given up.
  result<void> disconnect() { return socket_.net().disconnect(socket_.block()); }

  /// Receives what is sent to the group, from anybody or from one source.
  /// Errors: no_such_device, address_in_use if it is a member.  RFC 3678.  MCAST_JOIN_SOURCE_GROUP, ip(7)
  result<void> join(const group_membership& which);
  result<void> leave(const group_membership& which);  ///< Undoes join().

  bool is_open() const noexcept { return socket_.is_open(); }
  /// What is noted and not flushed is not sent.
  void close() noexcept { forget(), socket_.close(); }
  /// Lets go of it, open, with all that has come and was not received: of what has left the kernel already,
  /// the bytes and who sent them. What is noted and not flushed is not sent.
  [[nodiscard]] owned_descriptor release();
  int descriptor() const noexcept { return socket_.descriptor(); }
  /// Is a send or flush pending?
  bool is_sending() const noexcept { return socket_.block().writer.is_pending(); }
  /// With the real port, also where 0 was asked for.
  result<endpoint> local() const { return socket_.local(); }
  /// Nothing unless connected.
  endpoint peer() const noexcept { return socket_.peer(); }
  datagram_options options() noexcept { return datagram_options(socket_.block()); }

 private:
  friend detail::receive_operation;
  friend detail::receive_one;
  friend detail::receive_into;
  friend detail::flush_queue;

  void forget() noexcept;

  soquete::socket socket_;
  batch rest_;  // Of a run that the kernel received as one, when only the first was asked for.
  std::vector<outgoing_message> queue_;
  std::vector<outgoing_message> leaving_;  // Those that flush() is sending.
  bool takes_runs_ = false;
};

/// Options of bind() and connect(). The text outlives the call.
struct bind_options {
  std::string_view device{};  ///< Only through this interface.  SO_BINDTODEVICE
  std::uint32_t mark = 0;     ///< 0: none.  SO_MARK
  int receive_buffer = 0;     ///< Bytes; 0: the system's.  SO_RCVBUF
  int send_buffer = 0;        ///< Bytes; 0: the system's.  SO_SNDBUF
  bool reuse_address =
      false;                ///< Shares the address with others that ask for it too: for groups.  SO_REUSEADDR
  bool reuse_port = false;  ///< Shares it, and the kernel spreads the peers.  SO_REUSEPORT
  bool v6_only = false;     ///< [::] leaves IPv4 alone.  IPV6_V6ONLY
  bool broadcast = false;   ///< May send to broadcast addresses.  SO_BROADCAST
};

/// Opens and binds. `on`: ":53" (all addresses, IPv4 and IPv6), "127.0.0.1:0" (any free port), "fd:3",
/// "systemd:web"; the first alternative that can be had, see where.
/// Errors: bad_address, address_in_use, address_not_available, permission_denied.  bind(2)
[[nodiscard]] task<result<socket>> bind(std::string_view on, bind_options = {});
[[nodiscard]] task<result<socket>> bind(endpoint on, bind_options = {});

/// Opens and connects to the first address that can be reached at all; nothing is sent yet.
/// Errors: bad_address, name_not_found, network_unreachable.  connect(2)
[[nodiscard]] task<result<socket>> connect(std::string_view to, bind_options = {});
[[nodiscard]] task<result<socket>> connect(endpoint to, bind_options = {});

}  // namespace soquete::udp
