// What the servers of datagrams share: their roles, and the words that the load and they exchange.  udp(7)
//
//   echo   sends every datagram back to its sender, one after the other: receive, send
//   batch  the same, as many together as there are
//   sink   counts what it receives, one datagram after the other; to one of a single byte it answers the
//   tally gro    the same, receiving several datagrams that the kernel has put together as one run  (UDP_GRO)
//   gso    sends on order: several datagrams that the kernel takes as one run  (UDP_SEGMENT)
#ifndef BENCH_DATAGRAMS_H
#define BENCH_DATAGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
  datagram_max = 64 * 1024,
  order_max = 256 * 1024,  // Bytes of one order.
  run_max = 65000,         // Bytes that the kernel cuts up: what one IP packet would hold, without headers.
  // Bytes asked for with SO_RCVBUF. The system may allow less.
  receive_buffer = 4 * 1024 * 1024,
};

// As it is sent, and as all who send and receive it are on one machine. A datagram begins with its number.
struct tally {
  uint64_t count, bytes, numbers;  // `numbers`: their sum, which proves that the bounds were kept.
  uint64_t token;                  // The byte that asked.
};

// "Send me so many datagrams of that size, numbered from `first`."
struct order {
  uint32_t first, count, size;
};

// True: it asks for the tally.
static inline bool tally_datagram(struct tally* all, const char* data, size_t size) {
  uint32_t number = 0;
  if (size == 1) {
    all->token = (unsigned char)data[0];
    return true;
  }
  if (size >= sizeof number) memcpy(&number, data, sizeof number);
  all->count += 1;
  all->bytes += size;
  all->numbers += number;
  return false;
}

// Datagrams of `segment` bytes, the last perhaps of fewer; 0: it is only one.
static inline bool tally_run(struct tally* all, const char* data, size_t size, size_t segment) {
  if (segment == 0 || segment >= size) return tally_datagram(all, data, size);
  bool asks = false;
  for (size_t at = 0; at < size; at += segment)
    asks |= tally_datagram(all, data + at, size - at < segment ? size - at : segment);
  return asks;
}

// False: that is no order, or one for more than there is room for.
static inline bool read_order(struct order* into, const char* data, size_t size) {
  if (size != sizeof *into) return false;
  memcpy(into, data, sizeof *into);
  return into->count > 0 && into->size >= sizeof into->first && into->size <= run_max &&
         (uint64_t)into->count * into->size <= order_max;
}

static inline size_t datagrams_in_run(uint32_t size) {
  size_t most = run_max / size;
  return most < 64 ? most : 64;  // UDP_MAX_SEGMENTS of older kernels.
}

// The bytes of every datagram sent on order, behind its number.
static inline void write_pattern(char* into) {
  for (size_t i = 0; i < order_max; ++i) into[i] = (char)(i * 7 + (i >> 8) * 31);
}

// Writes the numbers of an order's datagrams, which lie one after the other. A server does it for each order.
static inline void number_datagrams(char* into, const struct order* wish) {
  for (uint32_t i = 0; i < wish->count; ++i) {
    uint32_t number = wish->first + i;
    memcpy(into + (size_t)i * wish->size, &number, sizeof number);
  }
}

#endif
