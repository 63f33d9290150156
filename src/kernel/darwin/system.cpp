// macOS's own: flags by further calls, signals by kqueue(2).
#include "kernel/system.hpp"

#include <fcntl.h>
#include <libproc.h>
#include <sys/event.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/ucred.h>
#include <sys/un.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>

namespace soquete::kernel {
namespace {

// Between its birth and this call a program that another thread starts may inherit it: the system has no
// other way.
int made_ours(int descriptor) noexcept {
  if (descriptor < 0) return descriptor;
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  silence_broken_pipe(descriptor);
  return descriptor;
}

// Blocked, a watched signal stays pending besides being told of, and would strike once it is unblocked.
// POSIX: to ignore a pending signal discards it.
void forget_pending(int number) noexcept {
  struct sigaction ignored{};
  struct sigaction before{};
  ignored.sa_handler = SIG_IGN;
  if (::sigaction(number, &ignored, &before) == 0) ::sigaction(number, &before, nullptr);
}

}  // namespace

const int send_flags = MSG_DONTWAIT;
const int message_flags = MSG_DONTWAIT;
const int multipath_protocol = -1;

int open_socket(int domain, int type, int protocol) noexcept {
  return made_ours(::socket(domain, type, protocol));
}

int open_pair(int type, int (&ends)[2]) noexcept {
  if (::socketpair(AF_UNIX, type, 0, ends) != 0) return -1;
  for (const int end : ends) made_ours(end);
  return 0;
}

int open_pipe(int (&ends)[2]) noexcept {
  if (::pipe(ends) != 0) return -1;
  for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
  return 0;
}

int open_waiting_pair(int (&ends)[2]) noexcept {
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return -1;
  for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
  return 0;
}

int open_conduit(int (&)[2]) noexcept { return errno = EOPNOTSUPP, -1; }
ssize_t splice_in(int, int, std::size_t) noexcept { return errno = EOPNOTSUPP, -1; }
ssize_t splice_out(int, int, std::size_t) noexcept { return errno = EOPNOTSUPP, -1; }

int accept_socket(int listener, sockaddr* from, socklen_t* size) noexcept {
  return made_ours(::accept(listener, from, size));
}

// The call does it, and then fails because nobody has no address (XNU: soconnectlock).
int forget_peer(int descriptor) noexcept {
  sockaddr nobody{};
  nobody.sa_family = AF_UNSPEC;
  if (::connect(descriptor, &nobody, sizeof nobody) == 0) return 0;
  const int why = errno;
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0 && errno == ENOTCONN)
    return 0;
  errno = why;
  return -1;
}

void silence_broken_pipe(int descriptor) noexcept {
  const int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
}

int receive_batch(int descriptor, std::span<mmsghdr> all, int flags) noexcept {
  int count = 0;
  for (mmsghdr& one : all) {
    const ssize_t got = ::recvmsg(descriptor, &one.msg_hdr, flags);
    if (got < 0) return count != 0 ? count : -1;
    one.msg_len = static_cast<unsigned>(got);
    ++count;
  }
  return count;
}

int send_batch(int descriptor, std::span<mmsghdr> all, int flags) noexcept {
  int count = 0;
  for (mmsghdr& one : all) {
    const ssize_t sent = ::sendmsg(descriptor, &one.msg_hdr, flags);
    if (sent < 0) return count != 0 ? count : -1;
    one.msg_len = static_cast<unsigned>(sent);
    ++count;
  }
  return count;
}

int peer_credentials_of(int descriptor, credentials& told) noexcept {
  xucred who{};
  pid_t process = 0;
  socklen_t who_size = sizeof who;
  socklen_t process_size = sizeof process;
  if (::getsockopt(descriptor, SOL_LOCAL, LOCAL_PEERCRED, &who, &who_size) != 0) return -1;
  if (::getsockopt(descriptor, SOL_LOCAL, LOCAL_PEERPID, &process, &process_size) != 0) return -1;
  told = {process, who.cr_uid, who.cr_gid};
  return 0;
}

// getsockopt(2) does not know SO_ACCEPTCONN here.
bool is_listening(int descriptor) noexcept {
  socket_fdinfo about{};
  const int got = ::proc_pidfdinfo(::getpid(), descriptor, PROC_PIDFDSOCKETINFO, &about, sizeof about);
  return got == static_cast<int>(sizeof about) && (about.psi.soi_options & SO_ACCEPTCONN) != 0;
}

int domain_of(int descriptor) noexcept {
  sockaddr_storage ours{};
  socklen_t size = sizeof ours;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&ours), &size) != 0) return -1;
  return ours.ss_family;
}

bool needs_reset(int descriptor) noexcept {
  int waiting = 0;
  return ::ioctl(descriptor, FIONREAD, &waiting) == 0 && waiting > 0;
}

int refusal_of(const endpoint& name) noexcept {
  if (!name.is_local()) return 0;
  if (name.is_abstract()) return EOPNOTSUPP;
  return name.local_name().size() < sizeof(sockaddr_un::sun_path) ? 0 : ENAMETOOLONG;
}

// bind(2) takes all that the umask leaves (XNU: unp_bind). Until set_socket_mode() has run, more may be
// allowed than was asked for; but nobody can connect to a stream that does not listen yet.
int set_mode_before_bind(int, unsigned) noexcept { return 0; }

int set_socket_mode(const char* path, unsigned mode) noexcept {
  struct stat about{};
  if (::lstat(path, &about) != 0) return -1;
  if (!S_ISSOCK(about.st_mode)) return errno = ENOENT, -1;
  return ::fchmodat(AT_FDCWD, path, static_cast<mode_t>(mode), AT_SYMLINK_NOFOLLOW);
}

ssize_t write_at_once(int, const void*, std::size_t) noexcept {
  errno = EOPNOTSUPP;
  return -1;
}

int poll_for(pollfd* all, std::size_t count, const timespec* span) noexcept {
  int milliseconds = -1;
  // Rounded up: rounded down, the last millisecond would be spent turning in a circle.
  if (span != nullptr)
    milliseconds = static_cast<int>(
        std::min<std::int64_t>(span->tv_sec * 1000LL + (span->tv_nsec + 999'999) / 1'000'000, INT_MAX));
  return ::poll(all, static_cast<nfds_t>(count), milliseconds);
}

int open_signal_watch(std::span<const int> signals) noexcept {
  const int watch = ::kqueue();
  if (watch < 0) return watch;
  ::fcntl(watch, F_SETFD, FD_CLOEXEC);
  for (const int number : signals) {
    struct kevent change{};
    EV_SET(&change, static_cast<uintptr_t>(number), EVFILT_SIGNAL, EV_ADD, 0, 0, nullptr);
    if (::kevent(watch, &change, 1, nullptr, 0, nullptr) == 0) continue;
    const int why = errno;
    ::close(watch);
    errno = why;
    return -1;
  }
  return watch;
}

int next_signal(int watch) noexcept {
  const timespec at_once{};
  struct kevent told{};
  const int got = ::kevent(watch, nullptr, 0, &told, 1, &at_once);
  if (got == 0) errno = EAGAIN;
  if (got <= 0) return -1;
  const int number = static_cast<int>(told.ident);
  forget_pending(number);
  return number;
}

}  // namespace soquete::kernel

const char* soquete::program_name() noexcept { return ::getprogname(); }
