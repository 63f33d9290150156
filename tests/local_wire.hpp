// A plain local (Unix-domain) socket of any type that waits, but not for ever.  unix(7)
#pragma once

#include <sys/un.h>
#include <cstddef>
#include <cstring>
#include <optional>

#include "process.hpp"

namespace soquete::test {

/// Names are paths, or "@" and an abstract name.
class local_wire {
 public:
  explicit local_wire(int number = -1) : socket_(number) {
    const timeval limit{patience.count(), 0};
    ::setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  static local_wire of_type(int type) { return local_wire(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0)); }
  /// Of datagrams, or yet to listen.
  static local_wire bound(const std::string& name, int type = SOCK_DGRAM) {
    local_wire made = of_type(type);
    const place at(name);
    if (::bind(made.number(), at.get(), at.size) != 0) std::abort();
    return made;
  }
  static local_wire listening(const std::string& name, int type = SOCK_STREAM) {
    local_wire made = bound(name, type);
    if (::listen(made.number(), 128) != 0) std::abort();
    return made;
  }
  static local_wire connected(const std::string& name, int type = SOCK_STREAM) {
    local_wire made = of_type(type);
    if (!made.connect(name)) made.close();
    return made;
  }
  /// Two, each other's peers.
  static std::array<local_wire, 2> pair(int type) {
    std::array<int, 2> ends{-1, -1};
    if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
    return {local_wire(ends[0]), local_wire(ends[1])};
  }
  bool connect(const std::string& name) const {
    const place to(name);
    return ::connect(number(), to.get(), to.size) == 0;
  }
  local_wire accept() const {
    pollfd one{number(), POLLIN, 0};
    if (::poll(&one, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) <= 0)
      return local_wire();
    return local_wire(::accept4(number(), nullptr, nullptr, SOCK_CLOEXEC));
  }

  bool is_open() const noexcept { return socket_.is_open(); }
  int number() const noexcept { return socket_.number(); }

  /// One message, or all of these bytes.
  bool send(std::string_view data) const {
    do {
      const ssize_t gone = ::send(number(), data.data(), data.size(), MSG_NOSIGNAL);
      if (gone < 0) return false;
      data.remove_prefix(static_cast<std::size_t>(gone));
    } while (!data.empty());
    return true;
  }
  bool send_to(const std::string& name, std::string_view one) const {
    const place to(name);
    return ::sendto(number(), one.data(), one.size(), MSG_NOSIGNAL, to.get(), to.size) ==
           static_cast<ssize_t>(one.size());
  }
  /// One message, or what has come; "" at the end, nothing at an error or the deadline, which errno tells.
  /// `from` is told the name of who has sent it.
  std::optional<std::string> receive(std::string* from = nullptr) const {
    std::string one(300'000, '\0');
    place sender;
    const ssize_t got = ::recvfrom(number(), one.data(), one.size(), 0, sender.get(), &sender.size);
    if (got < 0) return std::nullopt;
    if (from != nullptr) *from = sender.name();
    one.resize(static_cast<std::size_t>(got));
    return one;
  }
  /// To the end of a stream.
  std::string receive_all() const {
    std::string all;
    for (auto more = receive(); more && !more->empty(); more = receive()) all += *more;
    return all;
  }
  bool is_silent(std::chrono::milliseconds span) const {
    pollfd one{number(), POLLIN, 0};
    return ::poll(&one, 1, static_cast<int>(span.count())) == 0;
  }
  void finish() const { ::shutdown(number(), SHUT_WR); }
  void close() { socket_.close(); }

 private:
  struct place {
    place() = default;
    explicit place(const std::string& name) {
      std::memcpy(at.sun_path, name.data(), std::min(name.size(), sizeof at.sun_path));
      const bool is_abstract = name.starts_with('@');
      if (is_abstract) at.sun_path[0] = '\0';
      size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (is_abstract ? 0 : 1));
    }
    sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&at); }
    const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&at); }
    std::string name() const {
      const std::size_t used =
          size > offsetof(sockaddr_un, sun_path) ? size - offsetof(sockaddr_un, sun_path) : 0;
      if (used == 0) return {};
      if (at.sun_path[0] == '\0') return "@" + std::string(at.sun_path + 1, used - 1);
      return at.sun_path;
    }
    sockaddr_un at{.sun_family = AF_UNIX, .sun_path = {}};
    socklen_t size = sizeof at;
  };
  handle socket_;
};

}  // namespace soquete::test
