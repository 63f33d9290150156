// The ceiling for datagrams by system calls, by hand: recvfrom and sendto, recvmmsg and sendmmsg, runs.
// epoll(7), udp(7)
#include <sys/epoll.h>

#include "bind.h"

enum { together = 64, datagram_room = 2048, burst_max = 64 };

static int fd;
static char buffer[datagram_max];
static struct tally seen;

static void answer(const void* data, size_t size, const struct sockaddr_in* to) {
  // One that is not taken is lost, as datagrams may be.
  (void)!sendto(fd, data, size, 0, (const struct sockaddr*)to, sizeof *to);
}

// Each of these receives once: false when nothing is left.

static bool echo_one(void) {
  struct sockaddr_in from;
  socklen_t length = sizeof from;
  ssize_t n = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr*)&from, &length);
  if (n < 0) return errno != EAGAIN;
  answer(buffer, (size_t)n, &from);
  return true;
}

static bool count_one(void) {
  struct sockaddr_in from;
  socklen_t length = sizeof from;
  ssize_t n = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr*)&from, &length);
  if (n < 0) return errno != EAGAIN;
  if (tally_datagram(&seen, buffer, (size_t)n)) answer(&seen, sizeof seen, &from);
  return true;
}

static bool count_run(void) {
  struct sockaddr_in from;
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  struct iovec part = {.iov_base = buffer, .iov_len = sizeof buffer};
  struct msghdr header = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part, .msg_iovlen = 1};
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t n = recvmsg(fd, &header, 0);
  if (n < 0) return errno != EAGAIN;
  if (tally_run(&seen, buffer, (size_t)n, segment_of(&header))) answer(&seen, sizeof seen, &from);
  return true;
}

static bool echo_batch(void) {
  static char room[together][datagram_room];
  static struct sockaddr_in names[together];
  static struct iovec parts[together];
  static struct mmsghdr all[together];
  for (int i = 0; i < together; ++i) {
    parts[i] = (struct iovec){.iov_base = room[i], .iov_len = datagram_room};
    all[i].msg_hdr = (struct msghdr){
        .msg_name = &names[i], .msg_namelen = sizeof names[i], .msg_iov = &parts[i], .msg_iovlen = 1};
  }
  int got = recvmmsg(fd, all, together, 0, NULL);
  if (got < 0) return errno != EAGAIN;
  int kept = 0;
  for (int i = 0; i < got; ++i) {
    if (all[i].msg_hdr.msg_flags & MSG_TRUNC) continue;  // Whole or not at all.
    parts[i].iov_len = all[i].msg_len;
    all[kept++].msg_hdr = all[i].msg_hdr;
  }
  for (int sent = 0; sent < kept;) {
    int n = sendmmsg(fd, all + sent, (unsigned)(kept - sent), 0);
    sent += n > 0 ? n : 1;  // One that is refused is lost.
  }
  return got == together;
}

static bool send_order(void) {
  static char all[order_max];
  static bool is_written;
  if (!is_written) write_pattern(all);
  is_written = true;
  struct sockaddr_in from;
  socklen_t length = sizeof from;
  struct order wish;
  ssize_t n = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr*)&from, &length);
  if (n < 0) return errno != EAGAIN;
  if (!read_order(&wish, buffer, (size_t)n)) return true;
  number_datagrams(all, &wish);
  for (size_t at = 0; at < wish.count;) {
    size_t count = datagrams_in_run(wish.size);
    if (count > wish.count - at) count = wish.count - at;
    struct segment_size words;
    struct iovec part = {.iov_base = all + at * wish.size, .iov_len = count * wish.size};
    struct msghdr header = {.msg_name = &from, .msg_namelen = length, .msg_iov = &part, .msg_iovlen = 1};
    cut_into(&header, &words, (uint16_t)wish.size);
    (void)!sendmsg(fd, &header, 0);
    at += count;
  }
  return true;
}

int main(int argc, char** argv) {
  enum role role = read_role(argc, argv);
  fd = bind_to((uint16_t)atoi(argv[1]), role);
  bool (*const once[])(void) = {echo_one, echo_batch, count_one, count_run, send_order};
  int poller = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event e = {.events = EPOLLIN};
  if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e) < 0) die("epoll", errno);
  // Receiving again costs a call that finds nothing, unless datagrams come in crowds. That is found out with
  // every 16th event.
  bool crowded = false;
  for (unsigned event = 0;; ++event) {
    if (epoll_wait(poller, &e, 1, -1) < 0 && errno != EINTR) die("epoll_wait", errno);
    int count = 0, most = crowded || event % 16 == 0 ? burst_max : 1;
    while (count < most && once[role]()) ++count;
    if (most > 1) crowded = count > 1;
  }
}
