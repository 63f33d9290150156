// The ceiling for datagrams on io_uring, by hand: one multishot receive into a ring of buffers, each of which
// is kept until what is sent from it has gone; one system call a batch.  io_uring(7), udp(7)
#include <liburing.h>

#include "bind.h"

enum {
  queue_entries = 1024,
  completion_entries = 4096,
  buffers_max = 256,
  orders_max = 16,
  runs_max = 32,
  name_size = sizeof(struct sockaddr_in),
  control_size = CMSG_SPACE(sizeof(int)),
};

enum kind { receiving, sending, ordered };

// A datagram on its way out.
struct reply {
  struct msghdr header;
  struct iovec part;
  struct sockaddr_in to;
  struct tally seen;
};

// An order being sent: its runs leave from `all`.
struct job {
  char* all;
  unsigned left;  // Runs.
  struct sockaddr_in to;
  struct msghdr headers[runs_max];
  struct iovec parts[runs_max];
  struct segment_size words[runs_max];
};

static struct io_uring ring;
static struct io_uring_buf_ring* buffers;
static char* memory;
static size_t buffer_size;
static unsigned buffer_count;
static int returned;  // Buffers, not yet published.
static struct reply replies[buffers_max];
static struct job jobs[orders_max];
static struct tally seen;
static enum role role;
static struct msghdr shape = {.msg_namelen = name_size};  // What a received datagram brings.

static struct io_uring_sqe* entry(enum kind kind, unsigned which) {
  struct io_uring_sqe* sqe = io_uring_get_sqe(&ring);
  while (!sqe) {
    io_uring_submit(&ring);
    sqe = io_uring_get_sqe(&ring);
  }
  sqe->user_data = (uint64_t)which << 2 | kind;
  return sqe;
}

static void arm(void) {
  struct io_uring_sqe* sqe = entry(receiving, 0);
  io_uring_prep_recvmsg_multishot(sqe, 0, &shape, 0);
  sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
}

static void send_header(enum kind kind, unsigned which, struct msghdr* header) {
  struct io_uring_sqe* sqe = entry(kind, which);
  io_uring_prep_sendmsg(sqe, 0, header, 0);
  sqe->flags |= IOSQE_FIXED_FILE;
}

static void return_buffer(unsigned id) {
  io_uring_buf_ring_add(buffers, memory + id * buffer_size, (unsigned)buffer_size, (unsigned short)id,
                        io_uring_buf_ring_mask(buffers_max), returned++);
}

static void reply(unsigned id, const struct sockaddr_in* to, void* data, size_t size) {
  struct reply* r = &replies[id];
  r->to = *to;
  r->part = (struct iovec){.iov_base = data, .iov_len = size};
  r->header =
      (struct msghdr){.msg_name = &r->to, .msg_namelen = name_size, .msg_iov = &r->part, .msg_iovlen = 1};
  send_header(sending, id, &r->header);
}

static void send_order(const struct order* wish, const struct sockaddr_in* to) {
  unsigned which = 0;
  while (which < orders_max && jobs[which].left) ++which;
  if (which == orders_max) return;  // Lost, as datagrams may be.
  struct job* j = &jobs[which];
  j->to = *to;
  number_datagrams(j->all, wish);
  for (size_t at = 0; at < wish->count && j->left < runs_max;) {
    size_t count = datagrams_in_run(wish->size);
    if (count > wish->count - at) count = wish->count - at;
    unsigned run = j->left++;
    j->parts[run] = (struct iovec){.iov_base = j->all + at * wish->size, .iov_len = count * wish->size};
    j->headers[run] = (struct msghdr){
        .msg_name = &j->to, .msg_namelen = name_size, .msg_iov = &j->parts[run], .msg_iovlen = 1};
    cut_into(&j->headers[run], &j->words[run], (uint16_t)wish->size);
    send_header(ordered, which, &j->headers[run]);
    at += count;
  }
}

// False: the buffer is still needed.
static bool on_datagram(struct io_uring_recvmsg_out* got, unsigned id, int total) {
  struct sockaddr_in* from = io_uring_recvmsg_name(got);
  char* data = io_uring_recvmsg_payload(got, &shape);
  size_t size = io_uring_recvmsg_payload_length(got, total, &shape);
  struct order wish;
  if (got->flags & MSG_TRUNC) return true;  // Whole or not at all.
  if (role == role_gso) {
    if (read_order(&wish, data, size)) send_order(&wish, from);
    return true;
  }
  if (role == role_echo || role == role_batch) {
    reply(id, from, data, size);
    return false;
  }
  struct msghdr control = {.msg_control = (char*)from + name_size, .msg_controllen = got->controllen};
  if (!tally_run(&seen, data, size, got->controllen ? segment_of(&control) : 0)) return true;
  replies[id].seen = seen;
  reply(id, from, &replies[id].seen, sizeof seen);
  return false;
}

static void on_receive(const struct io_uring_cqe* cqe) {
  if (cqe->flags & IORING_CQE_F_BUFFER) {
    unsigned id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
    struct io_uring_recvmsg_out* got = NULL;
    if (cqe->res > 0) got = io_uring_recvmsg_validate(memory + id * buffer_size, cqe->res, &shape);
    if (!got || on_datagram(got, id, cqe->res)) return_buffer(id);
  }
  if (!(cqe->flags & IORING_CQE_F_MORE)) arm();
}

static void make_buffers(void) {
  bool runs = role == role_gro;
  size_t head = sizeof(struct io_uring_recvmsg_out) + name_size + (runs ? control_size : 0);
  // Few where they are large, so that they stay in the cache.
  buffer_size = (head + (runs ? datagram_max : 2048) + 63) / 64 * 64;
  buffer_count = runs ? 16 : buffers_max;
  memory = aligned_alloc(4096, (buffer_count * buffer_size + 4095) / 4096 * 4096);
  buffers = aligned_alloc(4096, buffers_max * sizeof(struct io_uring_buf));
  if (!memory || !buffers) die("aligned_alloc", ENOMEM);
  struct io_uring_buf_reg request = {.ring_addr = (uintptr_t)buffers, .ring_entries = buffers_max};
  int failed = io_uring_register_buf_ring(&ring, &request, 0);
  if (failed) die("io_uring_register_buf_ring", -failed);
  io_uring_buf_ring_init(buffers);
  for (unsigned id = 0; id < buffer_count; ++id) return_buffer(id);
  if (runs) shape.msg_controllen = control_size;
}

static void set_up(int fd) {
  struct io_uring_params parameters = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                                IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE,
                                       .cq_entries = completion_entries};
  int failed = io_uring_queue_init_params(queue_entries, &ring, &parameters);
  if (failed) die("io_uring_queue_init", -failed);
  io_uring_register_ring_fd(&ring);
  failed = io_uring_register_files(&ring, &fd, 1);
  if (failed) die("io_uring_register_files", -failed);
  make_buffers();
  for (int i = 0; role == role_gso && i < orders_max; ++i) {
    jobs[i].all = malloc(order_max);
    if (!jobs[i].all) die("malloc", ENOMEM);
    write_pattern(jobs[i].all);
  }
}

int main(int argc, char** argv) {
  role = read_role(argc, argv);
  set_up(bind_to((uint16_t)atoi(argv[1]), role));
  arm();
  for (;;) {
    if (returned) io_uring_buf_ring_advance(buffers, returned);
    returned = 0;
    int failed = io_uring_submit_and_wait(&ring, 1);
    if (failed < 0 && failed != -EINTR && failed != -EBUSY) die("io_uring_enter", -failed);
    struct io_uring_cqe* cqe;
    unsigned head, count = 0;
    io_uring_for_each_cqe(&ring, head, cqe) {
      unsigned which = (unsigned)(cqe->user_data >> 2);
      ++count;
      switch ((enum kind)(cqe->user_data & 3)) {
        case receiving: on_receive(cqe); break;
        case sending: return_buffer(which); break;
        case ordered: --jobs[which].left; break;
      }
    }
    io_uring_cq_advance(&ring, count);
  }
}
