// What all kernel drivers share: the control plane.
#include "kernel/kernel_driver.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <string>

#include "descriptors.hpp"
#include "kernel/sockaddr.hpp"
#include "kernel/system.hpp"

namespace soquete::kernel {

error system_error(step during) noexcept { return {std::error_code(errno, std::generic_category()), during}; }

namespace {

int type_of(transport how) noexcept {
  switch (how) {
    case transport::datagram: return SOCK_DGRAM;
    case transport::sequenced: return SOCK_SEQPACKET;
    default: return SOCK_STREAM;
  }
}

bool lacks(transport how) noexcept { return how == transport::sequenced && !is_linux; }

transport transport_of(int type) noexcept {
  return type == SOCK_DGRAM       ? transport::datagram
         : type == SOCK_SEQPACKET ? transport::sequenced
                                  : transport::stream;
}

descriptor_kind kind_of(transport how) noexcept {
  const bool is_of_messages = how == transport::datagram || how == transport::sequenced;
  return is_of_messages ? descriptor_kind::datagram : descriptor_kind::stream;
}

int option_of(int descriptor, int which) noexcept {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(descriptor, SOL_SOCKET, which, &value, &size) == 0 ? value : -1;
}

family family_of(int descriptor) noexcept {
  const int domain = domain_of(descriptor);
  return domain == AF_UNIX ? family::local : domain == AF_INET6 ? family::v6 : family::v4;
}

}  // namespace

result<socket_block*> kernel_driver::open(family where, transport how) {
  const int domain = where == family::v4 ? AF_INET : where == family::v6 ? AF_INET6 : AF_UNIX;
  const int type = type_of(how);
  const int protocol = how == transport::multipath_stream ? multipath_protocol : 0;
  if (protocol < 0) return fail(only_on_linux(step::open, "MPTCP"));
  if (lacks(how)) return fail(only_on_linux(step::open, "SOCK_SEQPACKET"));
  const int descriptor = open_socket(domain, type, protocol);
  if (descriptor < 0) return fail(system_error(step::open));
  socket_block& block = make_block();
  block.descriptor = descriptor;
  block.kind = kind_of(how);
  block.domain = where;
  block.carries = how;
  return &block;
}

result<socket_pair> kernel_driver::pair(transport how) {
  if (lacks(how)) return fail(only_on_linux(step::open, "SOCK_SEQPACKET"));
  int ends[2];
  if (open_pair(type_of(how), ends) != 0) return fail(system_error(step::open));
  const auto block_of = [&](int descriptor) {
    socket_block& block = make_block();
    block.descriptor = descriptor;
    block.kind = kind_of(how);
    block.domain = family::local;
    block.carries = how;
    return &block;
  };
  return socket_pair{block_of(ends[0]), block_of(ends[1])};
}

result<socket_pair> kernel_driver::pipe() {
  auto ends = make_pipe();
  if (!ends) return fail(std::move(ends.error()));
  const auto first = adopt(std::move(ends->reading));
  if (!first) return fail(first.error());
  const auto second = adopt(std::move(ends->writing));
  if (second) return socket_pair{*first, *second};
  close(**first);
  return fail(second.error());
}

result<conduit> kernel_driver::open_conduit() {
  int ends[2];
  if (kernel::open_conduit(ends) == 0) return conduit{owned_descriptor(ends[0]), owned_descriptor(ends[1])};
  if (errno == EOPNOTSUPP) return fail(fault::unsupported, step::open);
  return fail(system_error(step::open));
}

result<socket_block*> kernel_driver::adopt(owned_descriptor taken) {
  const int descriptor = taken.descriptor();
  const int flags = ::fcntl(descriptor, F_GETFD);
  if (flags < 0) return fail(system_error(step::adopt));
  ::fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC);

  socket_block& block = make_block();
  block.descriptor = taken.release();
  block.was_open = true;
  if (!taken.unread().empty() || !taken.accepted().empty())
    block.carried = new owned_descriptor(std::move(taken));
  const int type = option_of(descriptor, SO_TYPE);
  if (type < 0) {
    struct stat about{};
    const bool is_file = ::fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
    block.kind = is_file ? descriptor_kind::file : descriptor_kind::other;
    return &block;
  }
  block.domain = family_of(descriptor);
  block.carries = transport_of(type);
  block.kind = is_listening(descriptor) ? descriptor_kind::listener : kind_of(block.carries);
  block.told_beside = socket_block::told_unknown;
  silence_broken_pipe(descriptor);
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
  block_signals(signals);
  const int descriptor = open_signal_watch(signals);
  if (descriptor < 0) return fail(system_error(step::open));
  socket_block& block = make_block();
  block.descriptor = descriptor;
  block.kind = descriptor_kind::other;
  return &block;
}

result<void> kernel_driver::bind(socket_block& block, const endpoint& where) {
  if (const int why = refusal_of(where); why != 0) {
    if (where.is_abstract()) return fail(only_on_linux(step::bind, "abstract names"));
    return fail(std::error_code(why, std::generic_category()), step::bind);
  }
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

result<endpoint> kernel_driver::peer(const socket_block& block) const {
  socket_address theirs;
  if (::getpeername(block.descriptor, theirs.get(), &theirs.size) != 0)
    return fail(system_error(step::get_option));
  return theirs.to_endpoint();
}

result<credentials> kernel_driver::peer_credentials(const socket_block& block) const {
  credentials who;
  if (peer_credentials_of(block.descriptor, who) != 0) return fail(system_error(step::get_option));
  return who;
}

result<void> kernel_driver::disconnect(socket_block& block) {
  if (forget_peer(block.descriptor) != 0) return fail(system_error(step::connect));
  block.has_peer = false;
  return {};
}

result<void> kernel_driver::shutdown(socket_block& block, direction which) {
  const int how = which == direction::receiving ? SHUT_RD : which == direction::sending ? SHUT_WR : SHUT_RDWR;
  if (::shutdown(block.descriptor, how) != 0) return fail(system_error(step::shutdown));
  return {};
}

result<owned_descriptor> kernel_driver::copy_of(int descriptor) {
  constexpr int first_free = 3;  // After the standard streams.
  return soquete::copy_of(descriptor, first_free);
}

credentials kernel_driver::us() const noexcept { return {::getpid(), ::geteuid(), ::getegid()}; }

time_point kernel_driver::now() const noexcept { return clock::now(); }

socket_block& kernel_driver::accepted(const socket_block& listener, int descriptor, const endpoint& peer) {
  socket_block& block = make_block();
  block.descriptor = descriptor;
  block.kind = kind_of(listener.carries);
  block.domain = listener.domain;
  block.carries = listener.carries;
  if (peer.is_ip()) {
    block.peer_address = peer.addr();
    block.peer_port = peer.port();
    block.has_peer = true;
  }
  return block;
}

void kernel_driver::close_descriptor(const socket_block& block) noexcept {
  if (block.reset_on_close || (block.kind == descriptor_kind::stream && needs_reset(block.descriptor)))
    return reset_descriptor(block.descriptor);
  ::close(block.descriptor);  // After EINTR the descriptor is gone too: never repeated.
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
