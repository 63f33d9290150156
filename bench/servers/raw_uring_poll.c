// The ceiling with io_uring as a poller, by hand: one multishot poll a connection, and calls.  io_uring(7)
//
// It tells of every arrival once: so whoever has filled its buffer reads again, and after the end too, which
// may have come with bytes.
#include <liburing.h>
#include <poll.h>

#include "calls.h"

enum { queue_entries = 4096, completion_entries = 32768 };

static struct io_uring ring;
static uint32_t generations[descriptors_max];  // Tell a late event from one of the next connection.
static bool ended[descriptors_max];

static struct io_uring_sqe* entry(void) {
  struct io_uring_sqe* sqe = io_uring_get_sqe(&ring);
  while (!sqe) {
    io_uring_submit(&ring);
    sqe = io_uring_get_sqe(&ring);
  }
  return sqe;
}

static uint64_t name(int fd, bool is_room) {
  return (uint64_t)generations[fd] << 32 | (uint64_t)fd << 1 | is_room;
}

static void watch_input(int fd) { (void)fd; }  // Its poll goes on all the time.

static void arm(int fd) {
  struct io_uring_sqe* sqe = entry();
  io_uring_prep_poll_multishot(sqe, fd, POLLIN | POLLRDHUP);
  sqe->user_data = name(fd, false);
}

static void watch_new(int fd) {
  ended[fd] = false;
  arm(fd);
}

static void watch_room(int fd) {
  struct io_uring_sqe* sqe = entry();
  io_uring_prep_poll_add(sqe, fd, POLLOUT);
  sqe->user_data = name(fd, true);
}

// A poll holds its socket open beyond close(2), and for as long as we wait next.
static void forget(int fd) {
  shutdown(fd, SHUT_RDWR);
  for (int is_room = 0; is_room < (backlogs[fd] ? 2 : 1); ++is_room) {
    struct io_uring_sqe* sqe = entry();
    io_uring_prep_poll_remove(sqe, name(fd, is_room));
    sqe->user_data = UINT64_MAX;
  }
  ++generations[fd];
}

static void read_all(int fd) {
  uint32_t mine = generations[fd];
  bool is_full;
  do is_full = read_once(fd);
  while (generations[fd] == mine && !backlogs[fd] && (is_full || ended[fd]));
}

static void on_event(const struct io_uring_cqe* cqe, int listener) {
  int fd = (int)(cqe->user_data >> 1 & INT32_MAX);
  bool is_room = cqe->user_data & 1;
  if (cqe->user_data == UINT64_MAX || cqe->user_data >> 32 != generations[fd]) return;
  if (!is_room && !(cqe->flags & IORING_CQE_F_MORE)) arm(fd);
  if (cqe->res < 0 || cqe->res & (POLLRDHUP | POLLHUP | POLLERR)) ended[fd] = true;
  if (fd == listener) {
    accept_some(listener);
  } else if (!backlogs[fd]) {
    read_all(fd);
  } else if (is_room) {
    if (write_more(fd))
      read_all(fd);  // What came meanwhile was told and not read.
    else if (backlogs[fd])
      watch_room(fd);
  }
}

int main(int argc, char** argv) {
  role = read_arguments(argc, argv);
  int listener = listen_on(role.where);
  struct io_uring_params parameters = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                                IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE,
                                       .cq_entries = completion_entries};
  int failed = io_uring_queue_init_params(queue_entries, &ring, &parameters);
  if (failed) die("io_uring_queue_init", -failed);
  io_uring_register_ring_fd(&ring);
  watch_new(listener);
  for (;;) {
    failed = io_uring_submit_and_wait(&ring, 1);
    if (failed < 0 && failed != -EINTR && failed != -EBUSY) die("io_uring_enter", -failed);
    struct io_uring_cqe* cqe;
    unsigned head, count = 0;
    io_uring_for_each_cqe(&ring, head, cqe) {
      ++count;
      on_event(cqe, listener);
    }
    io_uring_cq_advance(&ring, count);
  }
}
