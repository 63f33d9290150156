// A plain UDP socket on 127.0.0.1 that waits, but not for ever.
#pragma once

#include <optional>

#include "process.hpp"

namespace soquete::test {

class udp_wire {
 public:
  /// On any port.
  udp_wire() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const timeval limit{patience.count(), 0};
    ::setsockopt(number(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const sockaddr_in at = loopback(0);
    if (::bind(number(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) std::abort();
  }
  /// That sends there, and receives from there only.
  explicit udp_wire(std::uint16_t port) : udp_wire() { answer(loopback(port)); }

  int number() const noexcept { return socket_.number(); }
  std::uint16_t port() const {
    sockaddr_in at{};
    socklen_t size = sizeof at;
    ::getsockname(number(), reinterpret_cast<sockaddr*>(&at), &size);
    return ntohs(at.sin_port);
  }
  std::string address() const { return "udp://127.0.0.1:" + std::to_string(port()); }

  /// To whom it is connected.
  bool send(std::string_view one) const {
    return ::send(number(), one.data(), one.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(one.size());
  }
  bool send_to(const sockaddr_in& whom, std::string_view one) const {
    return ::sendto(number(), one.data(), one.size(), 0, reinterpret_cast<const sockaddr*>(&whom),
                    sizeof whom) == static_cast<ssize_t>(one.size());
  }
  void answer(const sockaddr_in& whom) const {
    if (::connect(number(), reinterpret_cast<const sockaddr*>(&whom), sizeof whom) != 0) std::abort();
  }
  /// One datagram; nothing at the deadline. `from` is told who has sent it.
  std::optional<std::string> receive(sockaddr_in* from = nullptr) const {
    std::string one(65'536, '\0');
    sockaddr_in sender{};
    socklen_t size = sizeof sender;
    const ssize_t got =
        ::recvfrom(number(), one.data(), one.size(), 0, reinterpret_cast<sockaddr*>(&sender), &size);
    if (got < 0) return std::nullopt;
    if (from != nullptr) *from = sender;
    one.resize(static_cast<std::size_t>(got));
    return one;
  }
  bool is_silent(std::chrono::milliseconds span) const {
    pollfd one{number(), POLLIN, 0};
    return ::poll(&one, 1, static_cast<int>(span.count())) == 0;
  }

 private:
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
  }
  handle socket_;
};

}  // namespace soquete::test
