// The real system calls, past our table of them.
#pragma once

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <csignal>
#include <cstddef>
#include <ctime>

namespace soquete::test {

/// How often what waits on this descriptor, or will, has become news: it was denied, or all has been read.
unsigned edges_of(int descriptor);

}  // namespace soquete::test

// Names that the linker gives: `--wrap=recv` leads calls of recv to __wrap_recv, and of __real_recv to recv.
extern "C" {
int __real_socket(int domain, int type, int protocol);
int __real_socketpair(int domain, int type, int protocol, int* ends);
int __real_pipe2(int* ends, int flags);
int __real_accept4(int on, sockaddr* from, socklen_t* size, int flags);
int __real_connect(int on, const sockaddr* to, socklen_t size);
int __real_bind(int on, const sockaddr* to, socklen_t size);
int __real_listen(int on, int backlog);
int __real_getsockname(int on, sockaddr* name, socklen_t* size);
int __real_getpeername(int on, sockaddr* name, socklen_t* size);
int __real_setsockopt(int on, int level, int which, const void* value, socklen_t size);
int __real_getsockopt(int on, int level, int which, void* value, socklen_t* size);
int __real_shutdown(int on, int how);
int __real_close(int descriptor);
ssize_t __real_recv(int on, void* into, std::size_t size, int flags);
ssize_t __real_recvfrom(int on, void* into, std::size_t size, int flags, sockaddr* from,
                        socklen_t* from_size);
ssize_t __real_recvmsg(int on, msghdr* message, int flags);
int __real_recvmmsg(int on, mmsghdr* all, unsigned count, int flags, timespec* limit);
ssize_t __real_read(int from, void* into, std::size_t size);
ssize_t __real_send(int on, const void* data, std::size_t size, int flags);
ssize_t __real_sendto(int on, const void* data, std::size_t size, int flags, const sockaddr* to,
                      socklen_t to_size);
ssize_t __real_sendmsg(int on, const msghdr* message, int flags);
int __real_sendmmsg(int on, mmsghdr* all, unsigned count, int flags);
ssize_t __real_splice(int from, off_t* from_at, int to, off_t* to_at, std::size_t size, unsigned flags);
ssize_t __real_write(int to, const void* data, std::size_t size);
int __real_epoll_create1(int flags);
int __real_epoll_ctl(int epoll, int what, int descriptor, epoll_event* how);
int __real_epoll_wait(int epoll, epoll_event* all, int count, int limit);
int __real_poll(pollfd* all, nfds_t count, int limit);
int __real_ppoll(pollfd* all, nfds_t count, const timespec* limit, const sigset_t* mask);
int __real_eventfd(unsigned count, int flags);
void* __real_mmap(void* at, std::size_t size, int protection, int flags, int descriptor, off_t offset);
long __real_syscall(long number, ...);
}
