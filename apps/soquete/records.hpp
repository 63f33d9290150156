// A side that keeps the bounds of messages: UDP.
#pragma once

#include <soquete/udp_serve.hpp>
#include <variant>

namespace command {

/// A message that was received. Keep it briefly.
class record {
 public:
  explicit record(soquete::udp::received one) noexcept : one_(std::move(one)) {}

  soquete::bytes payload() const noexcept { return one_.payload(); }
  /// No message, but the end of all.
  bool is_end() const noexcept { return false; }
  /// Is the end of it lost?
  bool is_truncated() const noexcept { return one_.truncated(); }

 private:
  soquete::udp::received one_;
};

/// Messages in and messages out, whatever carries them.
class records {
 public:
  explicit records(soquete::udp::socket connected) noexcept : carrier_(std::move(connected)) {}
  /// A peer of our server. The session outlives it.
  explicit records(soquete::udp::session& of) noexcept : carrier_(&of) {}

  /// Cancelled, nothing is lost.
  soquete::task<soquete::result<record>> receive();
  /// `message` stays in place.
  soquete::task<soquete::result<void>> send(soquete::bytes message);
  void close() noexcept;

  /// Can a side tell the other that it has finished? Else silence must tell.
  bool has_end() const noexcept { return false; }
  /// Bytes in the largest message.
  std::size_t size_max() const noexcept;
  /// Their end and ours; nothing where it has none.
  soquete::endpoint remote() const;
  soquete::endpoint local() const;
  /// What the system has learned since the last send, such as a refusal.
  std::error_code take_error();

 private:
  std::variant<soquete::udp::socket, soquete::udp::session*> carrier_;
};

}  // namespace command
