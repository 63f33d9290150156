// soquete's datagrams, as its users write them; SOQUETE_DRIVER chooses io_uring, epoll or poll.
#include <deque>
#include <map>
#include <soquete/soquete.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "datagrams.h"

using namespace soquete;

static bool asks(tally& seen, bytes data) {
  return tally_datagram(&seen, reinterpret_cast<const char*>(data.data()), data.size());
}

// One that the system does not take is lost, as datagrams may be: no server ends of that.

static task<result<void>> echo(udp::socket& socket) {
  for (;;) {
    udp::received d = co_await ok(socket.receive());
    if (d.truncated()) continue;
    auto sent = co_await socket.send_to(d.from(), d.payload());
    if (!sent && sent.error() == std::errc::operation_canceled) co_return sent;
  }
}

static task<result<void>> batch(udp::socket& socket) {
  for (;;) {
    udp::batch got = co_await ok(socket.receive_batch());
    for (const udp::datagram& d : got)
      if (!d.truncated) socket.queue_reply(d, d.payload);
    co_await ok(socket.flush());
  }
}

static task<result<void>> sink(udp::socket& socket) {
  tally seen{};
  for (;;) {
    udp::received d = co_await ok(socket.receive());
    if (asks(seen, d.payload())) co_await ok(socket.send_to(d.from(), std::as_bytes(std::span(&seen, 1))));
  }
}

static task<result<void>> gro(udp::socket& socket) {
  tally seen{};
  for (;;) {
    udp::batch got = co_await ok(socket.receive_batch());
    for (const udp::datagram& d : got)
      if (asks(seen, d.payload)) socket.queue_reply(d, std::as_bytes(std::span(&seen, 1)));
    co_await ok(socket.flush());
  }
}

// All orders that came together leave together; each has bytes of its own until they are sent.
static task<result<void>> gso(udp::socket& socket) {
  std::deque<std::vector<char>> orders;
  for (;;) {
    udp::batch got = co_await ok(socket.receive_batch());
    std::size_t taken = 0;
    for (const udp::datagram& d : got) {
      order wish;
      if (!read_order(&wish, reinterpret_cast<const char*>(d.payload.data()), d.payload.size())) continue;
      if (taken == orders.size()) write_pattern(orders.emplace_back(order_max).data());
      std::vector<char>& all = orders[taken++];
      number_datagrams(all.data(), &wish);
      for (std::size_t i = 0; i < wish.count; ++i) {
        const bytes one = as_bytes(std::string_view(all.data() + i * wish.size, wish.size));
        while (!socket.queue(&d.from(), one)) co_await ok(socket.flush());
      }
    }
    co_await ok(socket.flush());
  }
}

using role = task<result<void>> (*)(udp::socket&);

static task<result<void>> serve(std::string where, role play) {
  udp::socket socket = co_await ok(udp::bind(where, {.receive_buffer = receive_buffer}));
  co_return co_await play(socket);
}

int main(int argc, char** argv) {
  const std::map<std::string_view, role> roles{
      {"echo", echo}, {"batch", batch}, {"sink", sink}, {"gro", gro}, {"gso", gso}};
  const auto found = argc > 2 ? roles.find(argv[2]) : roles.end();
  if (found == roles.end()) return 2;
  std::string where = std::string("127.0.0.1:") + argv[1];
  role play = found->second;
  return run_main({.threads = 1}, [&] { return serve(where, play); });
}
