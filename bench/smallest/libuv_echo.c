// An echo server with libuv, in its textbook's form: what does such a program cost to compile, in C?
#include <signal.h>
#include <stdlib.h>
#include <uv.h>

static void lend(uv_handle_t* peer, size_t size, uv_buf_t* into) {
  (void)peer;
  *into = uv_buf_init(malloc(size), (unsigned)size);
}

static void release(uv_handle_t* peer) { free(peer); }

static void on_written(uv_write_t* request, int status) {
  if (status < 0 && !uv_is_closing((uv_handle_t*)request->handle))
    uv_close((uv_handle_t*)request->handle, release);
  free(request->data);
  free(request);
}

static void on_read(uv_stream_t* peer, ssize_t n, const uv_buf_t* data) {
  if (n > 0) {
    uv_write_t* request = malloc(sizeof *request);
    uv_buf_t all = uv_buf_init(data->base, (unsigned)n);
    request->data = data->base;
    uv_write(request, peer, &all, 1, on_written);
    return;
  }
  free(data->base);
  if (n < 0) uv_close((uv_handle_t*)peer, release);
}

static void on_client(uv_stream_t* listener, int status) {
  if (status < 0) return;
  uv_tcp_t* client = malloc(sizeof *client);
  uv_tcp_init(listener->loop, client);
  if (uv_accept(listener, (uv_stream_t*)client) == 0)
    uv_read_start((uv_stream_t*)client, lend, on_read);
  else
    uv_close((uv_handle_t*)client, release);
}

static void on_end(uv_signal_t* signal, int number) {
  (void)number;
  uv_stop(signal->loop);
}

int main(void) {
  uv_loop_t* loop = uv_default_loop();
  uv_tcp_t listener;
  uv_signal_t interrupted, terminated;
  struct sockaddr_in6 any;
  uv_ip6_addr("::", 8080, &any);
  uv_tcp_init(loop, &listener);
  uv_tcp_bind(&listener, (const struct sockaddr*)&any, 0);
  if (uv_listen((uv_stream_t*)&listener, 128, on_client) < 0) return 1;
  uv_signal_init(loop, &interrupted);
  uv_signal_start(&interrupted, on_end, SIGINT);
  uv_signal_init(loop, &terminated);
  uv_signal_start(&terminated, on_end, SIGTERM);
  return uv_run(loop, UV_RUN_DEFAULT);
}
