// The system calls under the drivers, as a table of our own: the linker leads each call of the library here
// (--wrap, see CMakeLists.txt), and from here to the real one. The library itself knows nothing of it.
#include "torture/calls.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <cstdarg>
#include <map>
#include <utility>

#include "torture/mischief.hpp"

namespace soquete::test {
namespace {

// Which epoll watches a descriptor, and how.
struct registration {
  int epoll;
  epoll_event how;
};
thread_local std::map<int, registration> registered;
thread_local std::map<int, unsigned> edges;

// Of something that is ready and was denied, an edge-triggered epoll would not tell again: the kernel has an
// edge whenever it has said EAGAIN before.
void tell_again(int descriptor) {
  ++edges[descriptor];
  const auto found = registered.find(descriptor);
  if (found == registered.end()) return;
  epoll_event how = found->second.how;
  __real_epoll_ctl(found->second.epoll, EPOLL_CTL_MOD, descriptor, &how);
}

// What fails as a whole does so here; else `call(h)` has to see to the harm.
template <class Call>
auto harmed(harm_site site, int descriptor, Call call) -> decltype(call(nullptr)) {
  const harm* const h = mischief::at(site);
  if (h == nullptr) return call(nullptr);
  switch (h->what) {
    case harm::kind::fails: return errno = h->why, -1;
    case harm::kind::fails_later: {
      const auto got = call(nullptr);
      return got == 0 ? (errno = h->why, -1) : got;
    }
    case harm::kind::not_yet: return tell_again(descriptor), errno = EAGAIN, -1;
    default: {
      const auto got = call(h);
      tell_again(descriptor);
      return got;
    }
  }
}

// A read, after which what comes to an empty descriptor is news.
template <class Call>
auto harmed_read(harm_site site, int descriptor, Call call) -> decltype(call(nullptr)) {
  const auto got = harmed(site, descriptor, call);
  const int why = errno;
  pollfd one{descriptor, POLLIN, 0};
  if (__real_poll(&one, 1, 0) == 0) ++edges[descriptor];
  errno = why;
  return got;
}

std::size_t shortened(const harm* h, std::size_t size) { return h != nullptr && size != 0 ? 1 : size; }

// -1: of what is no socket.
int type_of(int descriptor) {
  int type = 0;
  socklen_t size = sizeof type;
  return __real_getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 ? type : -1;
}

bool is_socket(int descriptor) { return type_of(descriptor) >= 0; }
bool is_stream(int descriptor) { return !is_socket(descriptor) || type_of(descriptor) == SOCK_STREAM; }

}  // namespace

unsigned edges_of(int descriptor) { return edges[descriptor]; }

}  // namespace soquete::test

using namespace soquete::test;

extern "C" {

int __wrap_socket(int domain, int type, int protocol) {
  return harmed("socket", -1, [&](const harm*) { return __real_socket(domain, type, protocol); });
}
int __wrap_socketpair(int domain, int type, int protocol, int* ends) {
  return harmed("socketpair", -1,
                [&](const harm*) { return __real_socketpair(domain, type, protocol, ends); });
}
int __wrap_pipe2(int* ends, int flags) {
  return harmed("pipe2", -1, [&](const harm*) { return __real_pipe2(ends, flags); });
}
int __wrap_accept4(int on, sockaddr* from, socklen_t* size, int flags) {
  return harmed("accept4", on, [&](const harm*) { return __real_accept4(on, from, size, flags); });
}
int __wrap_connect(int on, const sockaddr* to, socklen_t size) {
  const harm* const h = mischief::at("connect");
  if (h != nullptr && h->what == harm::kind::fails) return errno = h->why, -1;
  const int done = __real_connect(on, to, size);
  // Only one that waits can be interrupted.
  if (done != 0 && errno == EINPROGRESS && h != nullptr) errno = h->why;
  return done;
}
int __wrap_bind(int on, const sockaddr* to, socklen_t size) {
  return harmed("bind", on, [&](const harm*) { return __real_bind(on, to, size); });
}
int __wrap_listen(int on, int backlog) {
  return harmed("listen", on, [&](const harm*) { return __real_listen(on, backlog); });
}
int __wrap_getsockname(int on, sockaddr* name, socklen_t* size) {
  return harmed("getsockname", on, [&](const harm*) { return __real_getsockname(on, name, size); });
}
int __wrap_getpeername(int on, sockaddr* name, socklen_t* size) {
  return harmed("getpeername", on, [&](const harm*) { return __real_getpeername(on, name, size); });
}
int __wrap_setsockopt(int on, int level, int which, const void* value, socklen_t size) {
  return harmed("setsockopt", on,
                [&](const harm*) { return __real_setsockopt(on, level, which, value, size); });
}
int __wrap_getsockopt(int on, int level, int which, void* value, socklen_t* size) {
  return harmed("getsockopt", on,
                [&](const harm*) { return __real_getsockopt(on, level, which, value, size); });
}
int __wrap_shutdown(int on, int how) {
  return harmed("shutdown", on, [&](const harm*) { return __real_shutdown(on, how); });
}
int __wrap_close(int descriptor) {
  registered.erase(descriptor);
  return harmed("close", -1, [&](const harm*) { return __real_close(descriptor); });
}

ssize_t __wrap_recv(int on, void* into, std::size_t size, int flags) {
  return harmed_read("recv", on, [&](const harm* h) {
    return __real_recv(on, into, is_stream(on) ? shortened(h, size) : size, flags);
  });
}
ssize_t __wrap_recvfrom(int on, void* into, std::size_t size, int flags, sockaddr* from,
                        socklen_t* from_size) {
  return harmed_read("recvfrom", on,
                     [&](const harm*) { return __real_recvfrom(on, into, size, flags, from, from_size); });
}
ssize_t __wrap_recvmsg(int on, msghdr* message, int flags) {
  return harmed_read("recvmsg", on, [&](const harm*) { return __real_recvmsg(on, message, flags); });
}
int __wrap_recvmmsg(int on, mmsghdr* all, unsigned count, int flags, timespec* limit) {
  return harmed_read("recvmmsg", on,
                     [&](const harm*) { return __real_recvmmsg(on, all, count, flags, limit); });
}
ssize_t __wrap_read(int from, void* into, std::size_t size) {
  // The counter of an eventfd is read whole or not at all, and is the driver's own affair. Another thread may
  // write the next before anybody looks.
  if (size == sizeof(std::uint64_t)) {
    const ssize_t got = __real_read(from, into, size);
    if (got > 0) ++edges[from];
    return got;
  }
  return harmed_read("read", from,
                     [&](const harm* h) { return __real_read(from, into, shortened(h, size)); });
}

ssize_t __wrap_send(int on, const void* data, std::size_t size, int flags) {
  return harmed("send", on, [&](const harm* h) {
    return __real_send(on, data, is_stream(on) ? shortened(h, size) : size, flags);
  });
}
ssize_t __wrap_sendto(int on, const void* data, std::size_t size, int flags, const sockaddr* to,
                      socklen_t to_size) {
  return harmed("sendto", on, [&](const harm*) { return __real_sendto(on, data, size, flags, to, to_size); });
}
ssize_t __wrap_sendmsg(int on, const msghdr* message, int flags) {
  return harmed("sendmsg", on, [&](const harm* h) {
    if (h == nullptr || !is_stream(on) || message->msg_iovlen == 0) return __real_sendmsg(on, message, flags);
    iovec first = message->msg_iov[0];
    first.iov_len = shortened(h, first.iov_len);
    msghdr less = *message;
    less.msg_iov = &first;
    less.msg_iovlen = 1;
    return __real_sendmsg(on, &less, flags);
  });
}
int __wrap_sendmmsg(int on, mmsghdr* all, unsigned count, int flags) {
  return harmed("sendmmsg", on, [&](const harm*) { return __real_sendmmsg(on, all, count, flags); });
}
ssize_t __wrap_splice(int from, off_t* from_at, int to, off_t* to_at, std::size_t size, unsigned flags) {
  const auto call = [&](const harm* h) {
    return __real_splice(from, from_at, to, to_at, shortened(h, size), flags);
  };
  return is_socket(from) ? harmed_read("splice in", from, call) : harmed("splice out", to, call);
}
ssize_t __wrap_write(int to, const void* data, std::size_t size) {
  if (size == sizeof(std::uint64_t)) return __real_write(to, data, size);
  return harmed("write", to, [&](const harm* h) { return __real_write(to, data, shortened(h, size)); });
}

int __wrap_epoll_create1(int flags) {
  return harmed("epoll_create1", -1, [&](const harm*) { return __real_epoll_create1(flags); });
}
int __wrap_epoll_ctl(int epoll, int what, int descriptor, epoll_event* how) {
  // A change of what is watched allocates nothing, so it does not fail.
  const auto call = [&](const harm*) { return __real_epoll_ctl(epoll, what, descriptor, how); };
  const int done = what == EPOLL_CTL_ADD ? harmed("epoll_ctl", -1, call) : call(nullptr);
  if (done == 0 && what != EPOLL_CTL_DEL) registered[descriptor] = {epoll, *how};
  if (done == 0 && what == EPOLL_CTL_DEL) registered.erase(descriptor);
  return done;
}
int __wrap_epoll_wait(int epoll, epoll_event* all, int count, int limit) {
  return harmed("epoll_wait", -1, [&](const harm* h) {
    return __real_epoll_wait(epoll, all, h == nullptr ? count : 1, limit);
  });
}
// What is called by number: epoll_pwait2(2), pwritev2(2).
long __wrap_syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& one : a) one = va_arg(list, long);
  va_end(list);
  const auto call = [&](const harm* h) {
    if (h != nullptr && number == SYS_epoll_pwait2) a[2] = 1;
    return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  };
  if (number == SYS_epoll_pwait2) return harmed("epoll_wait", -1, call);
  if (number == SYS_pwritev2) return harmed("pwritev2", static_cast<int>(a[0]), call);
  return call(nullptr);
}
int __wrap_poll(pollfd* all, nfds_t count, int limit) {
  return harmed("poll", -1, [&](const harm*) { return __real_poll(all, count, limit); });
}
int __wrap_ppoll(pollfd* all, nfds_t count, const timespec* limit, const sigset_t* mask) {
  return harmed("ppoll", -1, [&](const harm*) { return __real_ppoll(all, count, limit, mask); });
}
int __wrap_eventfd(unsigned count, int flags) {
  return harmed("eventfd", -1, [&](const harm*) { return __real_eventfd(count, flags); });
}
void* __wrap_mmap(void* at, std::size_t size, int protection, int flags, int descriptor, off_t offset) {
  const harm* const h = mischief::at("mmap");
  if (h == nullptr) return __real_mmap(at, size, protection, flags, descriptor, offset);
  errno = h->why;
  return MAP_FAILED;
}

}  // extern "C"
