// The peer libuv, in its quick form: one buffer for all, uv_try_write, a copy only when that falls short.
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { buffer_size_max = 256 * 1024, echo_buffer = 64 * 1024 };

struct connection {
  union {  // First: a handle's address is its connection's.
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  };
  uint64_t discarded;
};

struct rest {
  uv_write_t request;  // First, likewise.
  char data[];
};

static char buffer[buffer_size_max];
static bool sink;

static void on_read(uv_stream_t* peer, ssize_t n, const uv_buf_t* from);

static void on_close(uv_handle_t* handle) { free(handle); }

static void drop(uv_stream_t* peer) {
  if (!uv_is_closing((uv_handle_t*)peer)) uv_close((uv_handle_t*)peer, on_close);
}

static void lend(uv_handle_t* handle, size_t suggested, uv_buf_t* into) {
  (void)handle, (void)suggested;
  *into = uv_buf_init(buffer, sink ? buffer_size_max : echo_buffer);
}

static void on_written(uv_write_t* request, int status) {
  uv_stream_t* peer = request->handle;
  free(request);
  if (status < 0)
    drop(peer);
  else if (!uv_is_closing((uv_handle_t*)peer))
    uv_read_start(peer, lend, on_read);
}

// Not read while it has something to write: that bounds what a slow peer costs.
static void write_later(uv_stream_t* peer, const char* data, size_t length) {
  struct rest* r = malloc(sizeof *r + length);
  if (!r) abort();
  memcpy(r->data, data, length);
  uv_buf_t piece = uv_buf_init(r->data, (unsigned)length);
  uv_read_stop(peer);
  if (uv_write(&r->request, peer, &piece, 1, on_written) < 0) {
    free(r);
    drop(peer);
  }
}

static void on_read(uv_stream_t* peer, ssize_t n, const uv_buf_t* from) {
  struct connection* c = (struct connection*)peer;
  if (n < 0) {
    uv_buf_t total = uv_buf_init((char*)&c->discarded, sizeof c->discarded);
    if (n == UV_EOF && sink) uv_try_write(peer, &total, 1);
    drop(peer);
  } else if (sink) {
    c->discarded += (uint64_t)n;
  } else if (n > 0) {
    uv_buf_t data = uv_buf_init(from->base, (unsigned)n);
    int sent = uv_try_write(peer, &data, 1);
    if (sent < 0 && sent != UV_EAGAIN) {
      drop(peer);
      return;
    }
    if (sent < 0) sent = 0;
    if (sent < n) write_later(peer, from->base + sent, (size_t)(n - sent));
  }
}

static void on_connection(uv_stream_t* listener, int status) {
  if (status < 0) return;
  struct connection* c = calloc(1, sizeof *c);
  if (!c) abort();
  bool local = listener->type == UV_NAMED_PIPE;
  if (local)
    uv_pipe_init(listener->loop, &c->pipe, 0);
  else
    uv_tcp_init(listener->loop, &c->tcp);
  if (uv_accept(listener, &c->stream) < 0) {
    drop(&c->stream);
    return;
  }
  if (!local) uv_tcp_nodelay(&c->tcp, 1);
  uv_read_start(&c->stream, lend, on_read);
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  sink = argc > 2 && strcmp(argv[2], "sink") == 0;
  signal(SIGPIPE, SIG_IGN);  // As libuv's guide advises.
  uv_loop_t* loop = uv_default_loop();
  struct connection listener;
  if (argv[1][0] == '/') {
    uv_pipe_init(loop, &listener.pipe, 0);
    uv_pipe_bind(&listener.pipe, argv[1]);
  } else {
    struct sockaddr_in name;
    uv_ip4_addr("127.0.0.1", atoi(argv[1]), &name);
    uv_tcp_init(loop, &listener.tcp);
    uv_tcp_bind(&listener.tcp, (const struct sockaddr*)&name, 0);
  }
  int failed = uv_listen(&listener.stream, 4096, on_connection);
  if (failed) {
    fprintf(stderr, "listen: %s\n", uv_strerror(failed));
    return 1;
  }
  return uv_run(loop, UV_RUN_DEFAULT);
}
