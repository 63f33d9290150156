// Local (Unix-domain) streams: bytes between processes of one machine, and open descriptors.  unix(7)
#pragma once

#include <soquete/local_listener.hpp>
#include <soquete/local_message.hpp>
#include <soquete/transfer.hpp>

namespace soquete::local {

/// A connected stream: bytes arrive whole and in order, perhaps with descriptors beside them.
///
/// One receive and one send may be pending at a time.
class stream {
 public:
  stream() = default;
  explicit stream(socket connected) noexcept : socket_(std::move(connected)) {}

  /// Takes over a connected descriptor.
  /// Errors: bad_file_descriptor, invalid_argument for what is no local stream.
  static result<stream> adopt(loop& here, owned_descriptor descriptor);
  [[nodiscard]] static task<result<stream>> adopt(owned_descriptor descriptor);

  /// Receives 1 byte or more, or an empty lease once the peer has finished sending. Descriptors that come
  /// with the bytes are closed. Cancelled, nothing is lost: the next receive gets what comes. Errors:
  /// connection_reset, timed_out, operation_canceled.  recv(2)
  [[nodiscard]] detail::receive_lease receive() noexcept { return detail::receive_lease(socket_.block()); }
  /// Receives 1 to `into.size()` bytes, or 0 once the peer has finished sending. `into` is not touched after
  /// the end of the await, on any path. An empty `into` is an invalid_argument. Errors: as receive().
  [[nodiscard]] detail::receive_into receive(mutable_bytes into) noexcept {
    return detail::receive_into(socket_.block(), into);
  }
  /// Receives 1 byte or more, and the descriptors that came with the first of them: bytes that were sent
  /// after descriptors are for the next call.  recvmsg(2) Errors: as receive(); no_buffer_space when
  /// memory is out.
  [[nodiscard]] detail::receive_message receive_message() noexcept {
    return detail::receive_message(socket_.block());
  }

  /// Sends all of it. `from` stays in place until the end of the await. Nothing to send succeeds at once.
  ///
  /// Ended part-way by an error or a cancellation, the stream cannot go on: later sends give stream_broken.
  /// Errors: broken_pipe, timed_out, operation_canceled.  send(2)
  [[nodiscard]] detail::send_all send(bytes from) noexcept {
    return detail::send_all(socket_.block(), opcode::send, from.data(), from.size());
  }
  [[nodiscard]] detail::send_all send(std::string_view text) noexcept { return send(as_bytes(text)); }
  /// Sends the parts one after the other, as one. The parts and the array of them stay in place.  sendmsg(2)
  [[nodiscard]] detail::send_all send(std::span<const bytes> parts) noexcept {
    return detail::send_all(socket_.block(), opcode::send_parts, parts.data(), parts.size());
  }
  /// Sends all of it, at least one byte, with copies of up to 253 descriptors. Yours stay open, and in
  /// place until the end of the await.
  /// Errors: as send(); invalid_argument also for a descriptor with unread bytes; too_many_references where
  /// too many descriptors are on their way already.  SCM_RIGHTS
  [[nodiscard]] detail::send_message send(bytes from, std::span<const owned_descriptor> handles) noexcept {
    return {socket_.block(), from, handles};
  }
  [[nodiscard]] detail::send_message send(std::string_view text,
                                          std::span<const owned_descriptor> handles) noexcept {
    return send(as_bytes(text), handles);
  }
  /// Sends 1 to `from.size()` bytes and tells how many. Breaks no stream.
  [[nodiscard]] detail::send_part send_some(bytes from) noexcept {
    return detail::send_part(socket_.block(), opcode::send_some, from.data(), from.size());
  }

  /// Waits until a receive would not wait.  poll(2)
  [[nodiscard]] detail::wait_readable readable() noexcept { return detail::wait_readable(socket_.block()); }

  /// Ends our side: the peer receives the end after the bytes already sent; we may go on receiving.
  /// shutdown(2)
  result<void> finish();
  /// Lets go of the open connection, for another loop or process, with what has arrived and was not received.
  [[nodiscard]] owned_descriptor release() { return socket_.release(); }
  /// Closes. The peer still receives what was sent; if we have not received all of its bytes, it gets a
  /// connection_reset afterwards. Descriptors that nobody has received are closed.  close(2)
  void close() noexcept { socket_.close(); }

  /// Who connected, or who listened: as it was at the time, whatever has become of it. Where the system does
  /// not tell, user and group are -1, which nobody has.  SO_PEERCRED
  credentials peer_credentials() const { return detail::credentials_of_peer(socket_.block()); }
  /// Messages from now on tell who has sent them.  SO_PASSCRED
  result<void> tell_sender(bool on) { return options().set_tell_sender(on); }

  bool is_open() const noexcept { return socket_.is_open(); }
  int descriptor() const noexcept { return socket_.descriptor(); }
  result<endpoint> local() const { return socket_.local(); }
  /// "unix:" for a client without a name, as most are.
  endpoint peer() const noexcept { return socket_.peer(); }
  /// Valid while the stream is open.
  socket_options options() noexcept { return socket_options(socket_.block()); }
  socket_block& block() const noexcept { return socket_.block(); }  ///< Of the library.

 private:
  socket socket_;
};

/// Accepts streams.
using listener = listener_of<stream>;

/// Options of connect() and bind().
struct connect_options {
  int receive_buffer = 0;  ///< Bytes; 0: the system's.  SO_RCVBUF
  int send_buffer = 0;     ///< Bytes; 0: the system's.  SO_SNDBUF
};

/// Connects to the first name that answers: "unix:/run/x", "unix:@name", "fd:3"; see where.
///
/// A server whose backlog is full is waited for, asked again after 1 ms and then ever less often, up to 50
/// ms; bound it with within(). Errors: bad_address, no_such_file_or_directory, connection_refused,
/// permission_denied, timed_out. connect(2)
[[nodiscard]] task<result<stream>> connect(std::string_view to, connect_options = {});
[[nodiscard]] task<result<stream>> connect(endpoint to, connect_options = {});

/// Opens, binds and listens. `on`: "unix:/run/x", "unix:@name", "fd:3", "systemd:web"; the first alternative
/// that can be had, see where.
///
/// A path has its permissions before anybody can connect. A socket that stands there is replaced if no
/// process has it open; anything else that stands there is never touched. Of two servers that start at once
/// one gets it: the directory is locked meanwhile (flock(2)), for which this may wait up to a second. Errors:
/// bad_address, address_in_use, permission_denied, no_such_file_or_directory.  bind(2), listen(2)
[[nodiscard]] task<result<listener>> listen(std::string_view on, listen_options = {});
[[nodiscard]] task<result<listener>> listen(endpoint on, listen_options = {});

/// Two streams, each other's peers.  socketpair(2)
[[nodiscard]] task<result<std::pair<stream, stream>>> pair();

}  // namespace soquete::local
