// An echo server with Asio, as short as examples/echo_server.cpp: what does such a program cost to compile?
#include <utility>  // Asio 1.22 uses std::exchange without including it.

#include <array>
#include <asio.hpp>
#include <csignal>

using asio::ip::tcp;

asio::awaitable<void> echo(tcp::socket peer) {
  std::array<char, 16 * 1024> data;
  try {
    for (;;) {
      std::size_t n = co_await peer.async_read_some(asio::buffer(data), asio::use_awaitable);
      co_await asio::async_write(peer, asio::buffer(data, n), asio::use_awaitable);
    }
  } catch (const std::exception&) {  // The end of the stream, or a reset.
  }
}

asio::awaitable<void> serve(tcp::acceptor listener) {
  for (;;) {
    tcp::socket peer = co_await listener.async_accept(asio::use_awaitable);
    asio::co_spawn(listener.get_executor(), echo(std::move(peer)), asio::detached);
  }
}

int main() {
  asio::io_context context(1);
  asio::signal_set ends(context, SIGINT, SIGTERM);
  ends.async_wait([&](asio::error_code, int) { context.stop(); });
  asio::co_spawn(context, serve(tcp::acceptor(context, {tcp::v6(), 8080})), asio::detached);
  context.run();
}
