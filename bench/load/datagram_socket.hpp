// A client of a server of datagrams.  udp(7)
#pragma once

#include <netinet/udp.h>
#include <unistd.h>

#include <string_view>

#include "../servers/datagrams.h"
#include "place.hpp"

namespace load {

// It is not connected, so that an answer from elsewhere than the server is seen and not dropped.
class datagram_socket {
 public:
  // What one receive brought: one datagram, or several of `segment` bytes, the last perhaps of fewer.
  struct run {
    std::string_view bytes;
    std::size_t segment = 0;
    bool is_there = false;
  };

  explicit datagram_socket(const place& server)
      : server_(server), fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    if (fd_ < 0) fail_errno("socket");
    int size = receive_buffer;
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    sockaddr_in any{
        .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    if (bind(fd_, reinterpret_cast<sockaddr*>(&any), sizeof any) < 0) fail_errno("bind");
  }
  datagram_socket(datagram_socket&& other) noexcept : server_(other.server_), fd_(other.fd_) {
    other.fd_ = -1;
  }
  ~datagram_socket() {
    if (fd_ >= 0) close(fd_);
  }

  int descriptor() const { return fd_; }
  // Datagrams that fit into the receive buffer that the system has allowed, here and so at the server. It
  // counts memory and not bytes: these are more than enough for each.
  std::size_t room_for(std::size_t size) const {
    int bytes = 0;
    socklen_t length = sizeof bytes;
    if (getsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, &length) < 0) fail_errno("SO_RCVBUF");
    return static_cast<std::size_t>(bytes) / (1024 + 2 * size);
  }
  void receive_runs() {
    int one = 1;
    if (setsockopt(fd_, IPPROTO_UDP, UDP_GRO, &one, sizeof one) < 0) fail_errno("UDP_GRO");
  }

  // With a segment size the kernel cuts it into datagrams.
  void send(std::string_view bytes, std::size_t segment = 0) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(std::uint16_t))];
    msghdr header{};
    header.msg_name = const_cast<sockaddr*>(server_.name());
    header.msg_namelen = server_.size();
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (segment != 0 && segment < bytes.size()) {
      auto size = static_cast<std::uint16_t>(segment);
      header.msg_control = control;
      header.msg_controllen = sizeof control;
      cmsghdr* c = CMSG_FIRSTHDR(&header);
      c->cmsg_level = IPPROTO_UDP;
      c->cmsg_type = UDP_SEGMENT;
      c->cmsg_len = CMSG_LEN(sizeof size);
      std::memcpy(CMSG_DATA(c), &size, sizeof size);
    }
    if (sendmsg(fd_, &header, 0) != static_cast<ssize_t>(bytes.size())) fail_errno("send");
  }

  // Valid until the next receive of any of them.
  run receive() {
    static char buffer[64 * 1024];
    sockaddr_in from{};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    iovec part{buffer, sizeof buffer};
    msghdr header{};
    header.msg_name = &from;
    header.msg_namelen = sizeof from;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    ssize_t n = recvmsg(fd_, &header, 0);
    if (n < 0 && errno == EAGAIN) return {};
    if (n < 0) fail_errno("recv");
    const auto* server = reinterpret_cast<const sockaddr_in*>(server_.name());
    if (from.sin_port != server->sin_port || from.sin_addr.s_addr != server->sin_addr.s_addr)
      fail("an answer from somebody else");
    run got{{buffer, static_cast<std::size_t>(n)}, static_cast<std::size_t>(n), true};
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c))
      if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
        int segment;
        std::memcpy(&segment, CMSG_DATA(c), sizeof segment);
        got.segment = static_cast<std::size_t>(segment);
      }
    return got;
  }

 private:
  place server_;
  int fd_;
};

}  // namespace load
