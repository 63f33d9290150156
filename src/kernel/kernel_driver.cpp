// What all kernel drivers share: the control plane.
#include "kernel/kernel_driver.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <string>

#include "kernel/sockaddr.hpp"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

namespace soquete::kernel {

error system_error(step during) noexcept { return {std::error_code(errno, std::generic_category()), during}; }

result<socket_block*> kernel_driver::open(family where, transport how) {
  const int domain = where == family::v4 ? AF_INET : where == family::v6 ? AF_INET6 : AF_UNIX;
  const int type = how == transport::datagram    ? SOCK_DGRAM
                   : how == transport::sequenced ? SOCK_SEQPACKET
                                                 : SOCK_STREAM;
  const int protocol = how == transport::multipath_stream ? IPPROTO_MPTCP : 0;
  const int descriptor = ::socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (descriptor < 0) return fail(system_error(step::open));
  socket_block& block = make_block();
  block.descriptor = descriptor;
  block.kind = how == transport::datagram ? descriptor_kind::datagram : descriptor_kind::stream;
  return &block;
}

result<socket_block*> kernel_driver::adopt(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFD);
  if (flags < 0) return fail(system_error(step::adopt));
  ::fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC);

  socket_block& block = make_block();
  block.descriptor = descriptor;
  int type = 0;
  int listening = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
    struct stat about{};
    const bool is_file = ::fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
    block.kind = is_file ? descriptor_kind::file : descriptor_kind::other;
    return &block;
  }
  size = sizeof listening;
  ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size);
  block.kind = listening != 0        ? descriptor_kind::listener
               : type != SOCK_STREAM ? descriptor_kind::datagram
                                     : descriptor_kind::stream;
  // A connection that is gone again when we come to accept it must not hold the loop.
  if (block.kind == descriptor_kind::listener)
    ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  socket_address peer;
  if (::getpeername(descriptor, peer.get(), &peer.size) == 0) {
    if (const endpoint who = peer.to_endpoint(); who.is_ip()) {
      block.peer_address = who.addr();
      block.peer_port = who.port();
      block.has_peer = true;
    }
  }
  return &block;
}

result<socket_block*> kernel_driver::watch_signals(std::span<const int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : signals) sigaddset(&set, number);
  const int descriptor = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (descriptor < 0) return fail(system_error(step::open));
  socket_block& block = make_block();
  block.descriptor = descriptor;
  block.kind = descriptor_kind::other;
  return &block;
}

result<void> kernel_driver::bind(socket_block& block, const endpoint& where) {
  const socket_address to(where);
  if (::bind(block.descriptor, to.get(), to.size) != 0) return fail(system_error(step::bind));
  return {};
}

result<void> kernel_driver::listen(socket_block& block, int backlog) {
  if (::listen(block.descriptor, backlog) != 0) return fail(system_error(step::listen));
  block.kind = descriptor_kind::listener;
  return {};
}

result<endpoint> kernel_driver::local(const socket_block& block) const {
  socket_address ours;
  if (::getsockname(block.descriptor, ours.get(), &ours.size) != 0)
    return fail(system_error(step::get_option));
  return ours.to_endpoint();
}

result<void> kernel_driver::shutdown(socket_block& block, direction which) {
  const int how = which == direction::receiving ? SHUT_RD : which == direction::sending ? SHUT_WR : SHUT_RDWR;
  if (::shutdown(block.descriptor, how) != 0) return fail(system_error(step::shutdown));
  return {};
}

time_point kernel_driver::now() const noexcept { return clock::now(); }

socket_block& kernel_driver::accepted(int descriptor, const endpoint& peer) {
  socket_block& block = make_block();
  block.descriptor = descriptor;
  block.kind = descriptor_kind::stream;
  if (peer.is_ip()) {
    block.peer_address = peer.addr();
    block.peer_port = peer.port();
    block.has_peer = true;
  }
  return block;
}

void kernel_driver::close_descriptor(const socket_block& block) noexcept {
  if (block.reset_on_close) return reset_descriptor(block.descriptor);
  ::close(block.descriptor);  // After EINTR the descriptor is gone too, on Linux: never repeated.
}

void kernel_driver::reset_descriptor(int descriptor) noexcept {
  const linger at_once{1, 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(descriptor);
}

}  // namespace soquete::kernel

namespace soquete {

std::uint32_t zone_number(std::string_view name) noexcept {
  if (name.empty() || name.size() >= IF_NAMESIZE) return 0;
  char terminated[IF_NAMESIZE] = {};
  name.copy(terminated, name.size());
  return ::if_nametoindex(terminated);
}

}  // namespace soquete
