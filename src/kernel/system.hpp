// What differs from one system to the next: one header, and a folder for each system, linux/ and darwin/.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <csignal>
#include <ctime>
#include <soquete/driver.hpp>

#if !defined(__linux__)
/// A message of several. Linux has calls for several at once; elsewhere they are imitated.  sendmmsg(2)
struct mmsghdr {
  msghdr msg_hdr;
  unsigned msg_len;
};
#endif

namespace soquete::kernel {

#if defined(__linux__)
inline constexpr bool is_linux = true;
#else
inline constexpr bool is_linux = false;
#endif

/// The kinds of hang-up that poll(2) must be asked for. Where there are none, they come as readable bytes do.
#if defined(POLLRDHUP)
inline constexpr short poll_hang_up = POLLRDHUP;
#else
inline constexpr short poll_hang_up = 0;
#endif

/// A socket that neither waits, nor reaches programs that are run, nor raises SIGPIPE.  socket(2)
int open_socket(int domain, int type, int protocol) noexcept;
/// Two local ones, connected to each other.  socketpair(2)
int open_pair(int type, int (&ends)[2]) noexcept;
/// The ends of a pipe, and of a stream, in blocking mode: one of them is for a program that is run.  pipe(2)
int open_pipe(int (&ends)[2]) noexcept;
int open_waiting_pair(int (&ends)[2]) noexcept;
/// A large pipe that does not wait, for the next two. Gives 0, or -1: with EOPNOTSUPP where there is no
/// splice(2).
int open_conduit(int (&ends)[2]) noexcept;
/// Moves bytes from a socket into a pipe, and on into another socket: their number, or -1. The latter raises
/// no SIGPIPE.  splice(2)
ssize_t splice_in(int socket, int pipe, std::size_t size) noexcept;
ssize_t splice_out(int pipe, int socket, std::size_t size) noexcept;
/// The next connection's descriptor, of the same kind.  accept(2)
int accept_socket(int listener, sockaddr* from, socklen_t* size) noexcept;
/// Ends the connection of a datagram socket. Gives 0 or -1.  connect(2), AF_UNSPEC
int forget_peer(int descriptor) noexcept;
/// Makes the sends of a socket that others have opened fail without SIGPIPE. Harmless on anything else.
void silence_broken_pipe(int descriptor) noexcept;
/// For each send(2), and for each recvmsg(2): descriptors that come stay in this program.
extern const int send_flags;
extern const int message_flags;
/// Does the next one cost less than a call for each?
inline constexpr bool batch_is_one_call = is_linux;
/// As many messages as go at once; their number, or -1.  recvmmsg(2), sendmmsg(2)
int receive_batch(int descriptor, std::span<mmsghdr> all, int flags) noexcept;
int send_batch(int descriptor, std::span<mmsghdr> all, int flags) noexcept;
/// Who is at the other end of a local socket, or -1.  SO_PEERCRED, LOCAL_PEERCRED
int peer_credentials_of(int descriptor, credentials& told) noexcept;
bool is_listening(int descriptor) noexcept;
/// AF_INET, AF_INET6, AF_UNIX; -1 for what is no socket.
int domain_of(int descriptor) noexcept;
/// The protocol of TCP over several paths for socket(2), or -1.  RFC 8684
extern const int multipath_protocol;
/// Must closing it be made a reset, because bytes wait that nobody has read? Linux sees to it itself.
bool needs_reset(int descriptor) noexcept;
/// 0, or why no socket here can have this name: EOPNOTSUPP, ENAMETOOLONG.
int refusal_of(const endpoint&) noexcept;

/// Sets the permissions that the path of a local socket will be born with, as far as the umask lets it, where
/// they can be set. Gives 0 or -1.  bind(2)
int set_mode_before_bind(int descriptor, unsigned mode) noexcept;
/// Sets those of the socket at this path, and of nothing else. Gives 0 or -1.
int set_socket_mode(const char* path, unsigned mode) noexcept;

/// Writes what a pipe or a terminal in blocking mode takes at once. Gives -1 with EOPNOTSUPP where the system
/// cannot be asked that.
ssize_t write_at_once(int descriptor, const void* data, std::size_t size) noexcept;
/// poll(2) with nanoseconds where there are; null: for ever.
int poll_for(pollfd* all, std::size_t count, const timespec* span) noexcept;

/// A descriptor that is readable while one of these has come. They must be blocked.  signalfd(2), kqueue(2)
int open_signal_watch(std::span<const int> signals) noexcept;
/// The next one's number, or -1 with EAGAIN.
int next_signal(int watch) noexcept;

/// What is missing here, told.
error only_on_linux(step during, std::string_view what);

}  // namespace soquete::kernel
