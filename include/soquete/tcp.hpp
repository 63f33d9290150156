// TCP: connected streams and the listeners that accept them.  RFC 9293, tcp(7).
#pragma once

#include <soquete/transfer.hpp>
#include <soquete/where.hpp>

namespace soquete {
class loop;
}

namespace soquete::tcp {

/// A connected stream: bytes arrive whole and in order, or an error tells that they do not.
///
/// One receive and one send may be pending at a time. Sends ask for immediate delivery: TCP_NODELAY is on.
class stream {
 public:
  stream() = default;
  explicit stream(socket connected) noexcept : socket_(std::move(connected)) {}

  /// Takes over a connected descriptor, in this loop or in the one that awaits it.
  /// Errors: bad_file_descriptor, invalid_argument for what is no stream.
  static result<stream> adopt(loop& here, owned_descriptor descriptor);
  static result<stream> adopt(loop& here, int descriptor) {
    return adopt(here, owned_descriptor(descriptor));
  }
  [[nodiscard]] static task<result<stream>> adopt(owned_descriptor descriptor);

  /// Receives 1 byte or more, or an empty lease once the peer has finished sending.
  ///
  /// No buffer is held while it waits. Cancelled, nothing is lost: the next receive gets what comes.
  /// Errors: connection_reset, timed_out, operation_canceled.  recv(2)
  [[nodiscard]] detail::receive_lease receive() noexcept { return detail::receive_lease(socket_.block()); }

  /// Receives 1 to `into.size()` bytes, or 0 once the peer has finished sending. `into` is not touched after
  /// the end of the await, on any path. An empty `into` is an invalid_argument.
  /// Errors: as receive().
  [[nodiscard]] detail::receive_into receive(mutable_bytes into) noexcept {
    return detail::receive_into(socket_.block(), into);
  }

  /// Sends all of it. `from` stays in place until the end of the await. Nothing to send succeeds at once.
  ///
  /// Ended part-way by an error or a cancellation, the stream cannot go on: later sends give stream_broken.
  /// Errors: broken_pipe, connection_reset, timed_out, operation_canceled.  send(2)
  [[nodiscard]] detail::send_all send(bytes from) noexcept {
    return detail::send_all(socket_.block(), opcode::send, from.data(), from.size());
  }
  [[nodiscard]] detail::send_all send(std::string_view text) noexcept { return send(as_bytes(text)); }
  /// Sends the parts one after the other, as one. The parts and the array of them stay in place.  sendmsg(2)
  [[nodiscard]] detail::send_all send(std::span<const bytes> parts) noexcept {
    return detail::send_all(socket_.block(), opcode::send_parts, parts.data(), parts.size());
  }

  /// Sends 1 to `from.size()` bytes and tells how many. Breaks no stream.
  [[nodiscard]] detail::send_part send_some(bytes from) noexcept {
    return detail::send_part(socket_.block(), opcode::send_some, from.data(), from.size());
  }

  /// Waits until a receive would not wait.  poll(2)
  [[nodiscard]] detail::wait_readable readable() noexcept { return detail::wait_readable(socket_.block()); }

  /// Ends our side: the peer receives the end after the bytes already sent; we may go on receiving.
  /// Errors: not_connected.  shutdown(2)
  result<void> finish();

  /// Closes at once with a reset: the peer is told that something went wrong, unsent bytes are dropped.
  /// SO_LINGER, socket(7)
  void abort() noexcept;
  /// Lets go of the open connection, for another loop or process, with what has arrived and was not received.
  [[nodiscard]] owned_descriptor release() { return socket_.release(); }
  /// Closes; unsent bytes are delivered in the background. Unread bytes turn it into a reset.  close(2)
  void close() noexcept { socket_.close(); }

  bool is_open() const noexcept { return socket_.is_open(); }
  int descriptor() const noexcept { return socket_.descriptor(); }
  result<endpoint> local() const { return socket_.local(); }
  /// Nothing if the peer was gone before it was accepted.
  endpoint peer() const noexcept { return socket_.peer(); }
  /// Valid while the stream is open.
  socket_options options() noexcept { return socket_options(socket_.block()); }
  socket_block& block() const noexcept { return socket_.block(); }  ///< Of the library.
  /// Round trips, losses, queues.  TCP_INFO, tcp(7)
  result<tcp_info> info() const { return socket_.net().info(socket_.block()); }

 private:
  socket socket_;
};

/// Options of connect(). The text outlives the call.
struct connect_options {
  std::string_view from{};    ///< Our own end, "192.0.2.7:0"; empty: the system chooses.
  std::string_view device{};  ///< Only through this interface.  SO_BINDTODEVICE
  std::uint32_t mark = 0;     ///< 0: none.  SO_MARK
  int receive_buffer = 0;     ///< Bytes; 0: the system's.  SO_RCVBUF
  int send_buffer = 0;        ///< Bytes; 0: the system's.  SO_SNDBUF
  bool no_delay = true;       ///< Off, small sends may wait for 40 ms.  TCP_NODELAY
  bool fast_open = false;     ///< The first send travels with the SYN, where the peer allows it.  RFC 7413
  bool multipath = false;     ///< Multipath TCP, or an error where the system has none.  RFC 8684
};

/// Connects to the first address that answers. `to`: "localhost:80", "[::1]:80", "fd:3"; see where.
///
/// Addresses are tried one after the other; the error tells what each said. A connection to itself, which
/// TCP allows when a client is given the port that it asks for, counts as refused.
/// Errors: bad_address, name_not_found, connection_refused, network_unreachable, timed_out.  connect(2)
[[nodiscard]] task<result<stream>> connect(std::string_view to, connect_options = {});
[[nodiscard]] task<result<stream>> connect(endpoint to, connect_options = {});

/// Options of listen(). The text outlives the call.
struct listen_options {
  int backlog = 4096;            ///< Connections the kernel holds for us; bounded by net.core.somaxconn.
  std::string_view device{};     ///< Only on this interface.  SO_BINDTODEVICE
  std::uint32_t mark = 0;        ///< 0: none.  SO_MARK
  int receive_buffer = 0;        ///< Bytes, inherited by connections; 0: the system's.  SO_RCVBUF
  int send_buffer = 0;           ///< Bytes, inherited by connections; 0: the system's.  SO_SNDBUF
  std::chrono::seconds defer{};  ///< Accept only once bytes have come, for so long.  TCP_DEFER_ACCEPT
  int fast_open_queue = 0;       ///< Pending fast-open requests; 0: none are taken.  RFC 7413
  bool reuse_address = true;     ///< Rebind at once after a restart.  SO_REUSEADDR
  bool reuse_port = false;       ///< Share the address with other listeners of this user.  SO_REUSEPORT
  bool v6_only = false;          ///< [::] leaves IPv4 alone.  IPV6_V6ONLY
  bool no_delay = true;          ///< Inherited by connections.  TCP_NODELAY
  bool multipath = false;        ///< Multipath TCP, or an error where the system has none.  RFC 8684
};

/// Accepts connections. One accept may be pending at a time.
class listener {
 public:
  listener() = default;
  explicit listener(socket listening) noexcept : socket_(std::move(listening)) {}

  /// Takes over a listening descriptor.  Errors: bad_file_descriptor, invalid_argument for what does not
  /// listen.
  static result<listener> adopt(loop& here, owned_descriptor descriptor);
  static result<listener> adopt(loop& here, int descriptor) {
    return adopt(here, owned_descriptor(descriptor));
  }

  class accepting;
  /// Waits for the next connection. Cancelled, nothing is lost: a connection that comes is for the next call.
  /// Errors: too_many_files_open, connection_aborted (that one connection), operation_canceled.  accept(2)
  [[nodiscard]] accepting accept() noexcept;

  bool is_open() const noexcept { return socket_.is_open(); }
  /// Lets go of it, open and listening, with connections that had been accepted and not been asked for.
  [[nodiscard]] owned_descriptor release() { return socket_.release(); }
  /// Connections not yet accepted are reset.
  void close() noexcept { socket_.close(); }
  int descriptor() const noexcept { return socket_.descriptor(); }
  /// With the real port, also where 0 was asked for.
  result<endpoint> local() const { return socket_.local(); }
  socket_options options() noexcept { return socket_options(socket_.block()); }

 private:
  socket socket_;
};

/// What accept() gives, to be awaited.
class listener::accepting {
 public:
  using awaiter = accepting;
  explicit accepting(socket_block& on) noexcept : slot_(on.reader) {}  ///< Does not wait yet.
  bool begin(environment env, waiter* then) noexcept {
    slot_.code = opcode::accept;
    return slot_.begin(env, then);
  }
  bool failed() const noexcept { return slot_.failed(); }
  result<stream> take() const;
  void describe(suspension_report& report) const { slot_.describe(report); }

 private:
  slot& slot_;
};

inline listener::accepting listener::accept() noexcept { return accepting(socket_.block()); }

/// Opens, binds and listens. `on`: ":8080" (all addresses, IPv4 and IPv6), "127.0.0.1:0" (any free port),
/// "fd:3", "systemd:web"; the first alternative that can be had, see where.
/// Errors: bad_address, address_in_use, address_not_available, permission_denied.  bind(2), listen(2)
[[nodiscard]] task<result<listener>> listen(std::string_view on, listen_options = {});
[[nodiscard]] task<result<listener>> listen(endpoint on, listen_options = {});

}  // namespace soquete::tcp
