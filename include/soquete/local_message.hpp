// Messages of local (Unix-domain) sockets: bytes, open descriptors, and who sent them.  unix(7), cmsg(3)
#pragma once

#include <optional>
#include <soquete/socket.hpp>

namespace soquete::local {

/// What a local socket has received. Owns all of it; end it on the loop that received it, like a lease. Those
/// that are kept have memory of their own, up to 256 KiB each: keep them briefly.
struct message {
  lease payload{};  ///< Of a stream or seqpacket, empty at the end.
  std::vector<owned_descriptor>
      handles{};  ///< Descriptors that came along, close-on-exec; closed with the message.
  std::optional<credentials> sender{};  ///< Where it was asked for: see tell_sender().
  endpoint from{};                      ///< Of a datagram: who sent it, "unix:" if that has no name.
  std::size_t length = 0;               ///< As it was sent: more than the payload if its end is missing.
  bool handles_lost = false;            ///< More descriptors came than we may have open; they are closed.
  bool is_end = false;                  ///< The peer has finished sending.
};

}  // namespace soquete::local

namespace soquete::detail {

credentials credentials_of_peer(const socket_block& block);

/// Receives one message.
class receive_message {
 public:
  using awaiter = receive_message;
  explicit receive_message(socket_block& on) noexcept : slot_(on.reader) {}
  bool begin(environment env, waiter* then) noexcept {
    slot_.code = opcode::receive_messages;
    slot_.size = 1;
    return slot_.begin(env, then);
  }
  bool failed() const noexcept { return slot_.failed(); }
  result<local::message> take();
  void describe(suspension_report& report) const { slot_.describe(report); }

 private:
  slot& slot_;
};

/// Sends one message.
class send_message {
 public:
  using awaiter = send_message;
  send_message(socket_block& on, bytes payload, std::span<const owned_descriptor> handles) noexcept
      : slot_(on.writer), payload_(payload), handles_(handles) {}
  send_message(socket_block& on, bytes payload, std::span<const owned_descriptor> handles,
               const endpoint& to) noexcept
      : slot_(on.writer), payload_(payload), handles_(handles), to_(to) {}
  bool begin(environment env, waiter* then) noexcept;
  bool failed() const noexcept { return refused_ != nullptr || slot_.failed() || message_.outcome < 0; }
  result<void> take() const;
  void describe(suspension_report& report) const { slot_.describe(report); }

 private:
  slot& slot_;
  bytes payload_;
  std::span<const owned_descriptor> handles_;
  endpoint to_;
  const char* refused_ = nullptr;
  outgoing_message message_;
};

}  // namespace soquete::detail
