// The peer Asio, for datagrams: a coroutine on epoll, one datagram a call. It has no call for several,
// and passes on no control messages, which tell the size of a run's datagrams.  think-async.com
#include <utility>  // Asio 1.22 uses std::exchange without including it.

#include <asio.hpp>
#include <cstdlib>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "datagrams.h"

using asio::ip::udp;

static asio::awaitable<void> echo(udp::socket& socket) {
  auto buffer = std::make_unique_for_overwrite<char[]>(datagram_max);
  for (;;) {
    udp::endpoint from;
    asio::error_code lost;
    std::size_t n = co_await socket.async_receive_from(asio::buffer(buffer.get(), datagram_max), from,
                                                       asio::use_awaitable);
    co_await socket.async_send_to(asio::buffer(buffer.get(), n), from,
                                  asio::redirect_error(asio::use_awaitable, lost));
  }
}

static asio::awaitable<void> sink(udp::socket& socket) {
  auto buffer = std::make_unique_for_overwrite<char[]>(datagram_max);
  tally seen{};
  for (;;) {
    udp::endpoint from;
    std::size_t n = co_await socket.async_receive_from(asio::buffer(buffer.get(), datagram_max), from,
                                                       asio::use_awaitable);
    if (tally_datagram(&seen, buffer.get(), n))
      co_await socket.async_send_to(asio::buffer(&seen, sizeof seen), from, asio::use_awaitable);
  }
}

static asio::awaitable<void> send_orders(udp::socket& socket) {
  std::vector<char> all(order_max);
  write_pattern(all.data());
  char words[64];
  for (;;) {
    udp::endpoint from;
    order wish;
    std::size_t n = co_await socket.async_receive_from(asio::buffer(words), from, asio::use_awaitable);
    if (!read_order(&wish, words, n)) continue;
    number_datagrams(all.data(), &wish);
    for (std::size_t i = 0; i < wish.count; ++i)
      co_await socket.async_send_to(asio::buffer(all.data() + i * wish.size, wish.size), from,
                                    asio::use_awaitable);
  }
}

int main(int argc, char** argv) {
  const std::map<std::string_view, asio::awaitable<void> (*)(udp::socket&)> roles{
      {"echo", echo}, {"batch", echo}, {"sink", sink}, {"gro", sink}, {"gso", send_orders}};
  const auto found = argc > 2 ? roles.find(argv[2]) : roles.end();
  if (found == roles.end()) return 2;
  asio::io_context context{1};  // One thread: lets Asio leave out what threads would need.
  udp::socket socket(context,
                     {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::atoi(argv[1]))});
  socket.set_option(asio::socket_base::receive_buffer_size(receive_buffer));
  asio::co_spawn(context, found->second(socket), [](std::exception_ptr failed) {
    if (failed) std::rethrow_exception(failed);
  });
  context.run();
}
