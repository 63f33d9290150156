// A socket without the library: for peers that behave as no program of ours would.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace soquete::test {

/// Blocking, IPv4, on 127.0.0.1. Calls that fail throw.
class raw_socket {
 public:
  raw_socket() = default;
  static raw_socket connected(std::uint16_t port);
  /// Listens on any port; `backlog` as in listen(2).
  static raw_socket listening(int backlog);
  static raw_socket bound();

  raw_socket(raw_socket&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  raw_socket& operator=(raw_socket&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~raw_socket() { close(); }

  int number() const noexcept { return number_; }
  std::uint16_t port() const;
  int release() noexcept { return std::exchange(number_, -1); }
  void close() noexcept;
  /// Closes with a reset.
  void reset() noexcept;
  void send(std::string_view text, int flags = 0) const;
  /// What one recv(2) gives, with its `flags`; "" at the end, "!" and the number of the error if it fails.
  std::string receive(int flags = 0) const;
  /// Bytes that wait to be received.
  int waiting() const;

 private:
  explicit raw_socket(int number) noexcept : number_(number) {}
  int number_ = -1;
};

}  // namespace soquete::test
