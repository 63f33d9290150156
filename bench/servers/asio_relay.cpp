// The peer Asio as a relay: a coroutine each way, 256 KiB each; it has nothing that copies by itself.
// think-async.com
#include <utility>  // Asio 1.22 uses std::exchange without including it.

#include <asio.hpp>
#include <cstdint>
#include <cstdlib>
#include <memory>

using asio::ip::tcp;

static constexpr std::size_t buffer_size = 256 * 1024;

static asio::awaitable<void> copy(std::shared_ptr<tcp::socket> from, std::shared_ptr<tcp::socket> to) {
  auto buffer = std::make_unique_for_overwrite<char[]>(buffer_size);
  asio::error_code end;
  for (;;) {
    std::size_t n = co_await from->async_read_some(asio::buffer(buffer.get(), buffer_size),
                                                   asio::redirect_error(asio::use_awaitable, end));
    if (end) break;
    co_await asio::async_write(*to, asio::buffer(buffer.get(), n),
                               asio::redirect_error(asio::use_awaitable, end));
    if (end) break;
  }
  to->shutdown(tcp::socket::shutdown_send, end);
}

static asio::awaitable<void> serve(tcp::acceptor listener, tcp::endpoint target) {
  for (;;) {
    auto client = std::make_shared<tcp::socket>(co_await listener.async_accept(asio::use_awaitable));
    auto server = std::make_shared<tcp::socket>(listener.get_executor());
    co_await server->async_connect(target, asio::use_awaitable);
    asio::co_spawn(listener.get_executor(), copy(client, server), asio::detached);
    asio::co_spawn(listener.get_executor(), copy(server, client), asio::detached);
  }
}

static tcp::endpoint loopback(const char* port) {
  return {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::atoi(port))};
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  asio::io_context context{1};
  asio::co_spawn(context, serve(tcp::acceptor(context, loopback(argv[1])), loopback(argv[2])),
                 asio::detached);
  context.run();
}
