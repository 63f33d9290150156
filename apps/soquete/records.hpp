// A side that keeps the bounds of messages: UDP, local datagrams, seqpackets.
#pragma once

#include <soquete/local_datagram.hpp>
#include <soquete/local_seqpacket.hpp>
#include <soquete/udp_serve.hpp>
#include <variant>

#include "local_session.hpp"

namespace command {

/// A message that was received. Keep it briefly.
class record {
 public:
  explicit record(soquete::udp::received one) noexcept : one_(std::move(one)) {}
  explicit record(soquete::local::message one) noexcept : one_(std::move(one)) {}
  explicit record(local_datagram one) noexcept : one_(std::move(one)) {}

  soquete::bytes payload() const noexcept;
  /// No message, but the end of all.
  bool is_end() const noexcept;
  /// Is the end of it lost?
  bool is_truncated() const noexcept;

 private:
  std::variant<soquete::udp::received, soquete::local::message, local_datagram> one_;
};

/// Messages in and messages out, whatever carries them.
class records {
 public:
  explicit records(soquete::udp::socket connected) noexcept : carrier_(std::move(connected)) {}
  explicit records(soquete::local::datagram connected) noexcept : carrier_(std::move(connected)) {}
  explicit records(soquete::local::seqpacket connection) noexcept : carrier_(std::move(connection)) {}
  /// A peer of our server. The session outlives it.
  explicit records(soquete::udp::session& of) noexcept : carrier_(&of) {}
  explicit records(local_session& of) noexcept : carrier_(&of) {}

  /// Cancelled, nothing is lost.
  soquete::task<soquete::result<record>> receive();
  /// `message` stays in place.
  soquete::task<soquete::result<void>> send(soquete::bytes message);
  /// Tells the other side that nothing more comes, if it can be told.
  soquete::result<void> finish();
  void close() noexcept;

  /// A connection: each side can tell the other that it has finished. Else silence must tell.
  bool is_connection() const noexcept;
  /// May a message be empty? In a connection that would be its end.
  bool takes_empty() const noexcept { return !is_connection(); }
  /// Bytes in the largest message.
  std::size_t size_max();
  /// Their end and ours; nothing where it has none.
  soquete::endpoint remote() const;
  soquete::endpoint local() const;
  /// Who is there, where that is another process of this machine.
  std::optional<soquete::credentials> process() const;
  /// What the system has learned since the last send, such as a refusal.
  std::error_code take_error();

 private:
  std::variant<soquete::udp::socket, soquete::local::datagram, soquete::local::seqpacket,
               soquete::udp::session*, local_session*>
      carrier_;
};

}  // namespace command
