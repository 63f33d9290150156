// Local connections that keep the bounds of records: SOCK_SEQPACKET.  unix(7)
#pragma once

#include <soquete/local.hpp>

namespace soquete::local {

/// A connection: records arrive whole and in order, perhaps with descriptors beside them.
///
/// One receive and one send may be pending at a time. There are no empty records: they would read as the end.
class seqpacket {
 public:
  seqpacket() = default;
  explicit seqpacket(socket connected) noexcept : socket_(std::move(connected)) {}

  /// Takes over a connected descriptor.
  /// Errors: bad_file_descriptor, invalid_argument for what is no local seqpacket.
  static result<seqpacket> adopt(loop& here, owned_descriptor descriptor);

  /// Receives one record; at the end `is_end`. What exceeds 256 KiB of it is lost, see message::length.
  /// Cancelled, nothing is lost.
  /// Errors: connection_reset, timed_out, operation_canceled, no_buffer_space when memory is out.  recvmsg(2)
  [[nodiscard]] detail::receive_message receive() noexcept {
    return detail::receive_message(socket_.block());
  }
  /// Sends one record, all of it or none, with copies of up to 253 descriptors. All of it stays in place
  /// until the end of the await. Waits for a peer that is slow to receive. Errors: message_size above the
  /// send buffer, broken_pipe, invalid_argument.  sendmsg(2)
  [[nodiscard]] detail::send_message send(bytes record,
                                          std::span<const owned_descriptor> handles = {}) noexcept {
    return {socket_.block(), record, handles};
  }
  [[nodiscard]] detail::send_message send(std::string_view text,
                                          std::span<const owned_descriptor> handles = {}) noexcept {
    return send(as_bytes(text), handles);
  }

  /// Waits until a receive would not wait.  poll(2)
  [[nodiscard]] detail::wait_readable readable() noexcept { return detail::wait_readable(socket_.block()); }
  /// Ends our side: the peer receives the end after what was sent.  shutdown(2)
  result<void> finish();
  /// Lets go of the open connection, for another loop or process.
  [[nodiscard]] owned_descriptor release() { return socket_.release(); }
  void close() noexcept { socket_.close(); }

  /// As stream's.  SO_PEERCRED
  credentials peer_credentials() const { return detail::credentials_of_peer(socket_.block()); }
  /// Records from now on tell who has sent them.  SO_PASSCRED
  result<void> tell_sender(bool on) { return options().set_tell_sender(on); }

  bool is_open() const noexcept { return socket_.is_open(); }
  int descriptor() const noexcept { return socket_.descriptor(); }
  result<endpoint> local() const { return socket_.local(); }
  /// Nothing where the peer has no name.
  endpoint peer() const noexcept { return socket_.peer(); }
  socket_options options() noexcept { return socket_options(socket_.block()); }

 private:
  socket socket_;
};

/// Accepts seqpackets.
using seqpacket_listener = listener_of<seqpacket>;

/// As connect(), listen() and pair() of streams.
[[nodiscard]] task<result<seqpacket>> connect_seqpacket(std::string_view to, connect_options = {});
[[nodiscard]] task<result<seqpacket>> connect_seqpacket(endpoint to, connect_options = {});
[[nodiscard]] task<result<seqpacket_listener>> listen_seqpacket(std::string_view on, listen_options = {});
[[nodiscard]] task<result<seqpacket_listener>> listen_seqpacket(endpoint on, listen_options = {});
[[nodiscard]] task<result<std::pair<seqpacket, seqpacket>>> seqpacket_pair();

}  // namespace soquete::local
