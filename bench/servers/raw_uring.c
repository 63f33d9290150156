// The ceiling on io_uring, by hand: multishot accept and receive, one shared buffer ring, direct descriptors,
// plain sends, one system call a batch.  io_uring(7)
#include <sys/resource.h>

#include "uring_buffers.h"

enum { connections_max = 1 << 14, pieces_max = 4, queue_entries = 4096, completion_entries = 32768 };

enum kind { accepting, receiving, sending, ignored };

struct piece {
  struct piece* next;
  const char* data;
  uint32_t length;
  uint32_t buffer;
};

// A receive stays armed until its last completion. It ends at the end of the stream, on an error, without
// buffers, or because stop_receiving() asked: more than pieces_max pieces wait for a peer that does not read.
struct connection {
  struct piece *first, **last;
  uint64_t discarded;
  uint32_t sent;  // Of the first piece.
  uint16_t pieces;
  bool armed, pausing, starved, writing, finished, broken;
  int next_starved;
};

static struct io_uring ring;
static struct role role;
static int listener;
static struct connection connections[connections_max];
static struct piece* spare;
static int starved_first = -1, starved_last = -1;

// The prep functions leave user_data alone, so it can be set first.
static struct io_uring_sqe* entry(enum kind kind, int slot) {
  struct io_uring_sqe* sqe = io_uring_get_sqe(&ring);
  while (!sqe) {
    io_uring_submit(&ring);
    sqe = io_uring_get_sqe(&ring);
  }
  sqe->user_data = (uint64_t)slot << 2 | kind;
  return sqe;
}

static void arm_accept(void) {
  struct io_uring_sqe* sqe = entry(accepting, 0);
  io_uring_prep_multishot_accept_direct(sqe, listener, NULL, NULL, 0);
}

static void arm_receive(int slot) {
  struct io_uring_sqe* sqe = entry(receiving, slot);
  io_uring_prep_recv_multishot(sqe, slot, NULL, 0, 0);
  sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
  connections[slot].armed = true;
}

static void stop_receiving(int slot) {
  struct io_uring_sqe* sqe = entry(ignored, slot);
  io_uring_prep_cancel64(sqe, (uint64_t)slot << 2 | receiving, 0);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  connections[slot].pausing = true;
}

static void send_bytes(int slot, const void* data, uint32_t length) {
  struct io_uring_sqe* sqe = entry(sending, slot);
  io_uring_prep_send(sqe, slot, data, length, MSG_WAITALL | MSG_NOSIGNAL);
  sqe->flags |= IOSQE_FIXED_FILE;
  connections[slot].writing = true;
}

static void send_first(int slot) {
  struct connection* c = &connections[slot];
  send_bytes(slot, c->first->data + c->sent, c->first->length - c->sent);
}

static void push(struct connection* c, const char* data, uint32_t length, uint32_t buffer) {
  struct piece* p = spare;
  if (p)
    spare = p->next;
  else if (!(p = malloc(sizeof *p)))
    die("malloc", ENOMEM);
  *p = (struct piece){.data = data, .length = length, .buffer = buffer};
  *c->last = p;
  c->last = &p->next;
  ++c->pieces;
}

static void pop(struct connection* c) {
  struct piece* p = c->first;
  release_piece(p->buffer);
  c->first = p->next;
  if (!c->first) c->last = &c->first;
  c->sent = 0;
  --c->pieces;
  p->next = spare;
  spare = p;
}

static void starve(int slot) {
  struct connection* c = &connections[slot];
  c->starved = true;
  c->next_starved = -1;
  if (starved_last >= 0)
    connections[starved_last].next_starved = slot;
  else
    starved_first = slot;
  starved_last = slot;
}

// No more at once than there are buffers: waking all would exhaust the ring again, and again end most of
// them.
static void feed(void) {
  for (int count = buffers.available; count > 0 && starved_first >= 0; --count) {
    int slot = starved_first;
    starved_first = connections[slot].next_starved;
    if (starved_first < 0) starved_last = -1;
    connections[slot].starved = false;
    arm_receive(slot);
  }
}

// Sleeps only when nobody starves beside buffers with room: an incremental buffer may serve many, and who was
// fed need not have data, so neither the return of a buffer nor a completion is a sure sign to feed the next.
static void turn(void) {
  bool hungry = starved_first >= 0 && buffers.available > 0;
  bool waits = !hungry && !role.spins;
  int failed = waits ? io_uring_submit_and_wait(&ring, 1) : io_uring_submit_and_get_events(&ring);
  if (failed < 0 && failed != -EINTR && failed != -EBUSY) die("io_uring_enter", -failed);
}

// After every event of a connection: arms it, ends it, or leaves it as it is.
static void settle(int slot) {
  struct connection* c = &connections[slot];
  if (c->broken)
    while (c->first && !c->writing) pop(c);
  if (c->broken && c->armed && !c->pausing) stop_receiving(slot);
  if (c->armed || c->writing || c->starved || c->first) return;
  if (!c->finished && !c->broken) {
    arm_receive(slot);
    return;
  }
  struct io_uring_sqe* sqe = entry(ignored, slot);
  io_uring_prep_close_direct(sqe, (unsigned)slot);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

static void on_accept(const struct io_uring_cqe* cqe) {
  if (cqe->res >= 0) {
    connections[cqe->res] = (struct connection){.last = &connections[cqe->res].first};
    arm_receive(cqe->res);
  }
  if (!(cqe->flags & IORING_CQE_F_MORE)) arm_accept();
}

static void on_data(struct connection* c, int slot, const char* data, uint32_t length, uint32_t buffer) {
  if (role.sink || c->broken) {
    c->discarded += length;
    release_piece(buffer);
    return;
  }
  push(c, data, length, buffer);
  if (!c->writing) send_first(slot);
  if (c->pieces >= pieces_max && c->armed && !c->pausing) stop_receiving(slot);
}

static void on_receive(const struct io_uring_cqe* cqe, int slot) {
  struct connection* c = &connections[slot];
  if (!(cqe->flags & IORING_CQE_F_MORE)) c->armed = c->pausing = false;
  if (cqe->res > 0) {
    unsigned buffer;
    char* data = take_piece(cqe, &buffer);
    on_data(c, slot, data, (uint32_t)cqe->res, buffer);
  } else {
    take_nothing(cqe);
    if (cqe->res == 0) {
      c->finished = true;
      if (role.sink) send_bytes(slot, &c->discarded, sizeof c->discarded);
    } else if (cqe->res == -ENOBUFS) {
      if (!c->broken) starve(slot);
    } else if (cqe->res != -ECANCELED) {
      c->broken = true;
    }
  }
  if (!c->armed || c->broken) settle(slot);
}

static void on_sent(const struct io_uring_cqe* cqe, int slot) {
  struct connection* c = &connections[slot];
  c->writing = false;
  if (cqe->res < 0) c->broken = true;
  if (c->first && !c->broken) {
    c->sent += (uint32_t)cqe->res;
    if (c->sent == c->first->length) pop(c);
    if (c->first) send_first(slot);
  }
  if (!c->armed || c->broken) settle(slot);
}

static void set_up(void) {
  struct io_uring_params parameters = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                                IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE,
                                       .cq_entries = completion_entries};
  int failed = io_uring_queue_init_params(queue_entries, &ring, &parameters);
  if (failed) die("io_uring_queue_init", -failed);
  io_uring_register_ring_fd(&ring);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  unsigned slots = files.rlim_cur < connections_max ? (unsigned)files.rlim_cur : connections_max;
  failed = io_uring_register_files_sparse(&ring, slots);
  if (failed) die("io_uring_register_files_sparse", -failed);
  make_buffers(&ring);
}

int main(int argc, char** argv) {
  role = read_arguments(argc, argv);
  listener = listen_on(role.where);
  set_up();
  arm_accept();
  for (;;) {
    turn();
    struct io_uring_cqe* cqe;
    unsigned head, count = 0;
    io_uring_for_each_cqe(&ring, head, cqe) {
      int slot = (int)(cqe->user_data >> 2);
      ++count;
      switch ((enum kind)(cqe->user_data & 3)) {
        case accepting: on_accept(cqe); break;
        case receiving: on_receive(cqe, slot); break;
        case sending: on_sent(cqe, slot); break;
        case ignored: break;
      }
    }
    io_uring_cq_advance(&ring, count);
    if (starved_first >= 0 && buffers.available == 0 && buffers.returned == 0) add_buffer();
    publish_buffers();
    feed();
  }
}
