// Linux's own: flags at birth, signalfd(2), pwritev2(2).
#include "kernel/system.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <string>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x00000008
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

namespace soquete::kernel {
namespace {

constexpr unsigned permission_bits = 0777;

// Of what is there, whatever it is called by now. The descriptor is only good for this.  O_PATH
int change_mode(int place, unsigned mode) noexcept {
  struct stat about{};
  if (::fstat(place, &about) != 0) return -1;
  if (!S_ISSOCK(about.st_mode)) return errno = ENOENT, -1;
  if ((about.st_mode & permission_bits) == mode) return 0;
  // Linux 6.6. Before, the only way to it leads through /proc, which a small root need not have.
  if (::syscall(SYS_fchmodat2, place, "", mode, AT_EMPTY_PATH) == 0) return 0;
  if (errno != ENOSYS && errno != EPERM) return -1;
  if (::chmod(("/proc/self/fd/" + std::to_string(place)).c_str(), mode) == 0) return 0;
  if (errno == ENOENT) errno = ENOSYS;
  return -1;
}

}  // namespace

const int send_flags = MSG_DONTWAIT | MSG_NOSIGNAL;
const int message_flags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
const int multipath_protocol = IPPROTO_MPTCP;

int open_socket(int domain, int type, int protocol) noexcept {
  return ::socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

int open_pair(int type, int (&ends)[2]) noexcept {
  return ::socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
}

int open_pipe(int (&ends)[2]) noexcept { return ::pipe2(ends, O_CLOEXEC); }

int open_waiting_pair(int (&ends)[2]) noexcept {
  return ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

int open_conduit(int (&ends)[2]) noexcept {
  constexpr int largest = 1024 * 1024;  // That anybody may have.  pipe(7)
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
  ::fcntl(ends[0], F_SETPIPE_SZ, largest);  // A user who has many gets no more; it works all the same.
  return 0;
}

ssize_t splice_in(int socket, int pipe, std::size_t size) noexcept {
  return ::splice(socket, nullptr, pipe, nullptr, size, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
}

// Of all ways to send it alone cannot be told to raise no signal.
ssize_t splice_out(int pipe, int socket, std::size_t size) noexcept {
  sigset_t broken_pipe, before;
  ::sigemptyset(&broken_pipe);
  ::sigaddset(&broken_pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
  const ssize_t sent = ::splice(pipe, nullptr, socket, nullptr, size, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  const int why = errno;
  constexpr timespec at_once{};
  if (sent < 0 && why == EPIPE) ::sigtimedwait(&broken_pipe, nullptr, &at_once);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = why;
  return sent;
}

int accept_socket(int listener, sockaddr* from, socklen_t* size) noexcept {
  return ::accept4(listener, from, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int forget_peer(int descriptor) noexcept {
  sockaddr nobody{};
  nobody.sa_family = AF_UNSPEC;
  return ::connect(descriptor, &nobody, sizeof nobody);
}

void silence_broken_pipe(int) noexcept {}  // MSG_NOSIGNAL does.

int receive_batch(int descriptor, std::span<mmsghdr> all, int flags) noexcept {
  return ::recvmmsg(descriptor, all.data(), static_cast<unsigned>(all.size()), flags, nullptr);
}

int send_batch(int descriptor, std::span<mmsghdr> all, int flags) noexcept {
  return ::sendmmsg(descriptor, all.data(), static_cast<unsigned>(all.size()), flags);
}

int peer_credentials_of(int descriptor, credentials& told) noexcept {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return -1;
  told = {who.pid, who.uid, who.gid};
  return 0;
}

bool is_listening(int descriptor) noexcept {
  int answer = 0;
  socklen_t size = sizeof answer;
  return ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &answer, &size) == 0 && answer != 0;
}

int domain_of(int descriptor) noexcept {
  int domain = -1;
  socklen_t size = sizeof domain;
  return ::getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 ? domain : -1;
}

bool needs_reset(int) noexcept { return false; }

int refusal_of(const endpoint&) noexcept { return 0; }

int set_mode_before_bind(int descriptor, unsigned mode) noexcept { return ::fchmod(descriptor, mode); }

int set_socket_mode(const char* path, unsigned mode) noexcept {
  const int place = ::open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (place < 0) return -1;
  const int done = change_mode(place, mode);
  const int why = errno;
  ::close(place);
  errno = why;
  return done;
}

ssize_t write_at_once(int descriptor, const void* data, std::size_t size) noexcept {
  iovec whole{const_cast<void*>(data), size};
  // By number: musl before 1.2.5 has no pwritev2(). The position is -1, in two halves.
  const auto sent = ::syscall(SYS_pwritev2, descriptor, &whole, 1L, -1L, -1L, RWF_NOWAIT);
  if (sent < 0 && (errno == EINVAL || errno == ENOSYS || errno == ESPIPE)) errno = EOPNOTSUPP;
  return sent;
}

int poll_for(pollfd* all, std::size_t count, const timespec* span) noexcept {
  return ::ppoll(all, count, span, nullptr);
}

int open_signal_watch(std::span<const int> signals) noexcept {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : signals) sigaddset(&set, number);
  return ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int next_signal(int watch) noexcept {
  signalfd_siginfo told;
  return ::read(watch, &told, sizeof told) < 0 ? -1 : static_cast<int>(told.ssi_signo);
}

}  // namespace soquete::kernel

const char* soquete::program_name() noexcept { return program_invocation_short_name; }
