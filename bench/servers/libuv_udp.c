// The peer libuv, for datagrams: answers by uv_udp_try_send. For batches and runs it receives with recvmmsg.
// It sends one at a time, and passes on no control messages, which tell the size of a run's datagrams.
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "datagrams.h"

enum { buffers = 20 };  // What libuv receives at once, at most.

static char room[buffers * datagram_max];
static bool many;
static struct tally seen;
static char* all;

static void lend(uv_handle_t* handle, size_t suggested, uv_buf_t* into) {
  (void)handle, (void)suggested;
  *into = uv_buf_init(room, many ? sizeof room : datagram_max);
}

// One that is not taken is lost, as datagrams may be.
static void answer(uv_udp_t* socket, const void* data, size_t size, const struct sockaddr* to) {
  uv_buf_t part = uv_buf_init((char*)data, (unsigned)size);
  uv_udp_try_send(socket, &part, 1, to);
}

// Without a sender it tells that there is nothing, or that the buffer is free.

static void echo(uv_udp_t* socket, ssize_t n, const uv_buf_t* data, const struct sockaddr* from,
                 unsigned flags) {
  if (n < 0 || !from || (flags & UV_UDP_PARTIAL)) return;
  answer(socket, data->base, (size_t)n, from);
}

static void sink(uv_udp_t* socket, ssize_t n, const uv_buf_t* data, const struct sockaddr* from,
                 unsigned flags) {
  (void)flags;
  if (n < 0 || !from) return;
  if (tally_datagram(&seen, data->base, (size_t)n)) answer(socket, &seen, sizeof seen, from);
}

static void send_order(uv_udp_t* socket, ssize_t n, const uv_buf_t* data, const struct sockaddr* from,
                       unsigned flags) {
  (void)flags;
  struct order wish;
  if (n < 0 || !from || !read_order(&wish, data->base, (size_t)n)) return;
  number_datagrams(all, &wish);
  for (size_t i = 0; i < wish.count; ++i) answer(socket, all + i * wish.size, wish.size, from);
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const char* role = argv[2];
  many = strcmp(role, "batch") == 0 || strcmp(role, "gro") == 0;
  uv_udp_recv_cb receive = NULL;
  if (strcmp(role, "echo") == 0 || strcmp(role, "batch") == 0) receive = echo;
  if (strcmp(role, "sink") == 0 || strcmp(role, "gro") == 0) receive = sink;
  if (strcmp(role, "gso") == 0) receive = send_order;
  if (!receive) return 2;
  all = malloc(order_max);
  if (!all) abort();
  if (receive == send_order) write_pattern(all);
  uv_loop_t* loop = uv_default_loop();
  uv_udp_t socket;
  struct sockaddr_in name;
  uv_ip4_addr("127.0.0.1", atoi(argv[1]), &name);
  uv_udp_init_ex(loop, &socket, AF_INET | (many ? UV_UDP_RECVMMSG : 0));
  int failed = uv_udp_bind(&socket, (const struct sockaddr*)&name, 0);
  if (!failed) failed = uv_udp_recv_start(&socket, lend, receive);
  if (failed) {
    fprintf(stderr, "bind: %s\n", uv_strerror(failed));
    return 1;
  }
  int size = receive_buffer;
  uv_recv_buffer_size((uv_handle_t*)&socket, &size);
  return uv_run(loop, UV_RUN_DEFAULT);
}
