// The peer libevent: a bufferevent a connection, input moved to output without a copy.
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

enum { output_max = 256 * 1024 };

struct connection {
  uint64_t discarded;
  bool finished;  // The peer has; free it once everything is written.
};

static bool sink;

static void drop(struct bufferevent* peer, struct connection* c) {
  bufferevent_free(peer);
  free(c);
}

static void on_read(struct bufferevent* peer, void* context) {
  struct connection* c = context;
  struct evbuffer* in = bufferevent_get_input(peer);
  if (sink) {
    c->discarded += evbuffer_get_length(in);
    evbuffer_drain(in, evbuffer_get_length(in));
    return;
  }
  bufferevent_write_buffer(peer, in);
  // Not read while much is unwritten: that bounds what a slow peer costs.
  if (evbuffer_get_length(bufferevent_get_output(peer)) > output_max) bufferevent_disable(peer, EV_READ);
}

static void on_written(struct bufferevent* peer, void* context) {
  struct connection* c = context;
  if (c->finished)
    drop(peer, c);
  else if (!(bufferevent_get_enabled(peer) & EV_READ))
    bufferevent_enable(peer, EV_READ);
}

static void on_event(struct bufferevent* peer, short what, void* context) {
  struct connection* c = context;
  if (!(what & BEV_EVENT_EOF)) {
    drop(peer, c);
    return;
  }
  if (sink) bufferevent_write(peer, &c->discarded, sizeof c->discarded);
  if (evbuffer_get_length(bufferevent_get_output(peer)) == 0) {
    drop(peer, c);
    return;
  }
  c->finished = true;
  bufferevent_disable(peer, EV_READ);
}

static void on_connection(struct evconnlistener* listener, evutil_socket_t fd, struct sockaddr* name,
                          int length, void* context) {
  (void)name, (void)length, (void)context;
  int one = 1;  // A local socket refuses it, which harms nobody.
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct bufferevent* peer =
      bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
  struct connection* c = calloc(1, sizeof *c);
  if (!peer || !c) abort();
  bufferevent_setcb(peer, on_read, on_written, on_event, c);
  bufferevent_enable(peer, EV_READ | EV_WRITE);
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  sink = argc > 2 && strcmp(argv[2], "sink") == 0;
  signal(SIGPIPE, SIG_IGN);  // libevent writes with writev: a reset peer would end the process.
  struct event_base* base = event_base_new();
  struct sockaddr_in port = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
  port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  struct sockaddr_un path = {.sun_family = AF_UNIX};
  snprintf(path.sun_path, sizeof path.sun_path, "%s", argv[1]);
  bool local = argv[1][0] == '/';
  struct evconnlistener* listener = evconnlistener_new_bind(
      base, on_connection, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 4096,
      local ? (struct sockaddr*)&path : (struct sockaddr*)&port, local ? sizeof path : sizeof port);
  if (!listener) {
    perror("listen");
    return 1;
  }
  return event_base_dispatch(base);
}
