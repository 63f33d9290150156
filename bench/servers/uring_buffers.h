// One ring of large receive buffers for all connections.  io_uring_setup_buf_ring(3)
//
// An incremental buffer (Linux 6.12) is filled piece by piece, so it comes home only when the kernel and
// every piece have let go of it. Without that feature each completion takes a whole buffer: the same code,
// one piece a buffer.
#ifndef BENCH_URING_BUFFERS_H
#define BENCH_URING_BUFFERS_H

#include <liburing.h>
#include <sys/mman.h>

#include "listen.h"

// liburing 2.3 does not know them yet; its `pad` is the later `flags`.
#define BUFFER_RING_INCREMENTAL 2u
#define CQE_BUFFER_MORE (1u << 4)

// 1 MiB in all. The kernel takes buffers in turn, so all of them pass through the cache: at 64 KiB messages 4
// MiB cost a fifth more, and smaller buffers more sends. Measured by trying: 4 to 64 of 32 KiB to 1 MiB.
// More are given out only when peers that do not read hold all of them: 32 MiB is what those can cost.
enum { buffer_size = 64 * 1024, buffer_count = 16, buffer_count_max = 512 };

static struct {
  struct io_uring_buf_ring* ring;
  char* base;
  uint32_t filled[buffer_count_max];
  uint32_t holders[buffer_count_max];  // The kernel counts as one while it may fill the buffer.
  unsigned given;                      // Of buffer_count_max; the rest of the memory is untouched.
  bool incremental;
  int returned;   // Not yet published.
  int available;  // To the kernel: with room.
} buffers;

static inline void return_buffer(unsigned id) {
  buffers.filled[id] = 0;
  buffers.holders[id] = 1;
  io_uring_buf_ring_add(buffers.ring, buffers.base + (size_t)id * buffer_size, buffer_size,
                        (unsigned short)id, io_uring_buf_ring_mask(buffer_count_max), buffers.returned++);
}

// For when nobody returns one and somebody needs one.
static inline void add_buffer(void) {
  if (buffers.given < buffer_count_max) return_buffer(buffers.given++);
}

// One store makes all returned buffers visible.
static inline void publish_buffers(void) {
  if (buffers.returned > 0) io_uring_buf_ring_advance(buffers.ring, buffers.returned);
  buffers.available += buffers.returned;
  buffers.returned = 0;
}

static inline void release_piece(unsigned id) {
  if (--buffers.holders[id] == 0) return_buffer(id);
}

// Where the bytes of this completion are; they stay until release_piece().
static inline char* take_piece(const struct io_uring_cqe* cqe, unsigned* id) {
  *id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
  char* at = buffers.base + (size_t)*id * buffer_size + buffers.filled[*id];
  buffers.filled[*id] += (uint32_t)cqe->res;
  ++buffers.holders[*id];
  if (!(cqe->flags & CQE_BUFFER_MORE)) {
    --buffers.holders[*id];
    --buffers.available;
  }
  return at;
}

// A completion without bytes may name a buffer too. An incremental one stays with the kernel then, although
// no flag says so (liburing issue 1545, kernels up to 6.19); any other comes back.
static inline void take_nothing(const struct io_uring_cqe* cqe) {
  if (buffers.incremental || !(cqe->flags & IORING_CQE_F_BUFFER)) return;
  --buffers.available;
  release_piece(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
}

static inline void* map(size_t size) {
  void* at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) die("mmap", errno);
  return at;
}

static inline void make_buffers(struct io_uring* ring) {
  buffers.base = map((size_t)buffer_count_max * buffer_size);
  buffers.ring = map(buffer_count_max * sizeof(struct io_uring_buf));
  struct io_uring_buf_reg request = {
      .ring_addr = (uintptr_t)buffers.ring, .ring_entries = buffer_count_max, .pad = BUFFER_RING_INCREMENTAL};
  int failed = io_uring_register_buf_ring(ring, &request, 0);
  if (failed) {
    request.pad = 0;
    failed = io_uring_register_buf_ring(ring, &request, 0);
  }
  if (failed) die("io_uring_register_buf_ring", -failed);
  buffers.incremental = request.pad != 0;
  io_uring_buf_ring_init(buffers.ring);
  while (buffers.given < buffer_count) return_buffer(buffers.given++);
  publish_buffers();
}

#endif
