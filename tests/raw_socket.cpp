// A socket without the library.
#include "raw_socket.hpp"

#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <system_error>

namespace soquete::test {
namespace {

int checked(int outcome, const char* what) {
  if (outcome < 0) throw std::system_error(errno, std::generic_category(), what);
  return outcome;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return at;
}

}  // namespace

raw_socket raw_socket::connected(std::uint16_t port) {
  raw_socket made(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  const sockaddr_in to = loopback(port);
  checked(::connect(made.number_, reinterpret_cast<const sockaddr*>(&to), sizeof to), "connect");
  return made;
}

raw_socket raw_socket::bound() {
  raw_socket made(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  const sockaddr_in any = loopback(0);
  checked(::bind(made.number_, reinterpret_cast<const sockaddr*>(&any), sizeof any), "bind");
  return made;
}

raw_socket raw_socket::listening(int backlog) {
  raw_socket made = bound();
  checked(::listen(made.number_, backlog), "listen");
  return made;
}

std::uint16_t raw_socket::port() const {
  sockaddr_in at{};
  socklen_t size = sizeof at;
  checked(::getsockname(number_, reinterpret_cast<sockaddr*>(&at), &size), "getsockname");
  return ntohs(at.sin_port);
}

void raw_socket::close() noexcept {
  if (number_ >= 0) ::close(std::exchange(number_, -1));
}

void raw_socket::reset() noexcept {
  const linger at_once{1, 0};
  ::setsockopt(number_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void raw_socket::send(std::string_view text, int flags) const {
  while (!text.empty()) {
    const ssize_t sent = ::send(number_, text.data(), text.size(), flags | MSG_NOSIGNAL);
    checked(static_cast<int>(sent), "send");
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string raw_socket::receive(int flags) const {
  std::array<char, 4096> room;
  const ssize_t got = ::recv(number_, room.data(), room.size(), flags);
  if (got < 0) return "!" + std::to_string(errno);
  return {room.data(), static_cast<std::size_t>(got)};
}

int raw_socket::waiting() const {
  int count = 0;
  checked(::ioctl(number_, FIONREAD, &count), "ioctl");
  return count;
}

}  // namespace soquete::test
