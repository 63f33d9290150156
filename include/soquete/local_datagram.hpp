// Local datagrams: each by itself, none lost, none out of order.  SOCK_DGRAM, unix(7)
#pragma once

#include <soquete/local.hpp>

namespace soquete::local {

/// A socket of datagrams: with a name to be sent to, without one, or connected to one peer.
///
/// One receive and one send may be pending at a time.
class datagram {
 public:
  datagram() = default;
  explicit datagram(socket open) noexcept : socket_(std::move(open)) {}

  /// Takes over a descriptor. Errors: bad_file_descriptor, invalid_argument for what has no local datagrams.
  static result<datagram> adopt(loop& here, owned_descriptor descriptor);

  /// Receives one datagram, which may be empty. What exceeds 256 KiB of it is lost, see message::length.
  /// Cancelled, nothing is lost.
  /// Errors: timed_out, operation_canceled, no_buffer_space when memory is out, connection_reset where the
  /// peer of a connected socket has closed.  recvmsg(2)
  [[nodiscard]] detail::receive_message receive() noexcept {
    return detail::receive_message(socket_.block());
  }

  /// Sends to the peer that it is connected to, with copies of up to 253 descriptors; may be empty. A peer
  /// that is slow to receive is waited for. All stays in place until the end of the await. Errors:
  /// message_size above the send buffer, connection_refused, not_connected, invalid_argument.
  [[nodiscard]] detail::send_message send(bytes payload,
                                          std::span<const owned_descriptor> handles = {}) noexcept {
    return {socket_.block(), payload, handles};
  }
  [[nodiscard]] detail::send_message send(std::string_view text,
                                          std::span<const owned_descriptor> handles = {}) noexcept {
    return send(as_bytes(text), handles);
  }
  /// Sends to a name. A full receiver is told at once, for the kernel does not say when it has room again.
  /// Errors: as send(); resource_unavailable_try_again, no_such_file_or_directory, permission_denied.
  [[nodiscard]] detail::send_message send_to(const endpoint& whom, bytes payload,
                                             std::span<const owned_descriptor> handles = {}) noexcept {
    return {socket_.block(), payload, handles, whom};
  }
  /// The same with text.
  [[nodiscard]] detail::send_message send_to(const endpoint& whom, std::string_view text,
                                             std::span<const owned_descriptor> handles = {}) noexcept {
    return send_to(whom, as_bytes(text), handles);
  }

  /// Sends go there, and receives come from there only, from now on. What others had sent before is still
  /// received.
  /// Errors: no_such_file_or_directory, connection_refused, permission_denied.  connect(2)
  result<void> connect(const endpoint& to);

  /// Waits until a receive would not wait.  poll(2)
  [[nodiscard]] detail::wait_readable readable() noexcept { return detail::wait_readable(socket_.block()); }
  /// Lets go of it, open.
  [[nodiscard]] owned_descriptor release() { return socket_.release(); }
  /// Closes, and removes the path to which bind() has bound it.
  void close() noexcept { socket_.close(); }

  /// Datagrams from now on tell who has sent them.  SO_PASSCRED
  result<void> tell_sender(bool on) { return options().set_tell_sender(on); }

  bool is_open() const noexcept { return socket_.is_open(); }
  int descriptor() const noexcept { return socket_.descriptor(); }
  result<endpoint> local() const { return socket_.local(); }
  /// Nothing unless connected.
  endpoint peer() const noexcept { return socket_.peer(); }
  socket_options options() noexcept { return socket_options(socket_.block()); }

 private:
  socket socket_;
};

/// Options of bind().
struct bind_options {
  std::uint32_t mode = 0660;  ///< Permissions of the path, whatever the umask: who may write may send.
  bool replace_stale = true;  ///< Takes the path over from a socket that no process has open.
};

/// A socket with a name, taken as listen() takes it; with endpoint::local_unnamed() the system chooses an
/// abstract one. Errors: as listen().
[[nodiscard]] task<result<datagram>> bind(std::string_view to, bind_options = {});
[[nodiscard]] task<result<datagram>> bind(endpoint to, bind_options = {});
/// A socket without a name, to send with send_to(); nobody can answer it.
[[nodiscard]] task<result<datagram>> open_datagram();
/// A socket that is connected to a peer: sends go there, and receives come from there only. It has no name.
/// Errors: as connect().
[[nodiscard]] task<result<datagram>> connect_datagram(std::string_view to, connect_options = {});
[[nodiscard]] task<result<datagram>> connect_datagram(endpoint to, connect_options = {});
/// Two sockets, connected to each other.  socketpair(2)
[[nodiscard]] task<result<std::pair<datagram, datagram>>> datagram_pair();

}  // namespace soquete::local
