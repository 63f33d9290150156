// The peer Asio: one coroutine a connection, epoll, a 64 KiB buffer each. Several threads share one context.
// think-async.com
#include <utility>  // Asio 1.22 uses std::exchange without including it.

#include <asio.hpp>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

using asio::ip::tcp;
using local = asio::local::stream_protocol;

static constexpr std::size_t echo_buffer = 64 * 1024, sink_buffer = 256 * 1024;

template <class Socket>
static asio::awaitable<void> echo(Socket peer) {
  auto buffer = std::make_unique_for_overwrite<char[]>(echo_buffer);
  try {
    for (;;) {
      std::size_t n =
          co_await peer.async_read_some(asio::buffer(buffer.get(), echo_buffer), asio::use_awaitable);
      co_await asio::async_write(peer, asio::buffer(buffer.get(), n), asio::use_awaitable);
    }
  } catch (const std::exception&) {  // The end of the stream, or a reset.
  }
}

template <class Socket>
static asio::awaitable<void> sink(Socket peer) {
  auto buffer = std::make_unique_for_overwrite<char[]>(sink_buffer);
  std::uint64_t discarded = 0;
  asio::error_code end;
  while (!end)
    discarded += co_await peer.async_read_some(asio::buffer(buffer.get(), sink_buffer),
                                               asio::redirect_error(asio::use_awaitable, end));
  if (end == asio::error::eof)
    co_await asio::async_write(peer, asio::buffer(&discarded, sizeof discarded),
                               asio::redirect_error(asio::use_awaitable, end));
}

template <class Protocol>
static asio::awaitable<void> serve(typename Protocol::acceptor listener, bool sinks) {
  for (;;) {
    typename Protocol::socket peer = co_await listener.async_accept(asio::use_awaitable);
    if constexpr (std::is_same_v<Protocol, tcp>) peer.set_option(tcp::no_delay(true));
    asio::co_spawn(listener.get_executor(), sinks ? sink(std::move(peer)) : echo(std::move(peer)),
                   asio::detached);
  }
}

template <class Protocol>
static void listen(asio::io_context& context, const typename Protocol::endpoint& where, bool sinks) {
  typename Protocol::acceptor listener(context, where);
  listener.listen(4096);
  asio::co_spawn(context, serve<Protocol>(std::move(listener), sinks), asio::detached);
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  int threads = argc > 3 ? std::atoi(argv[3]) : 1;
  asio::io_context context{threads};  // With one, Asio leaves out what threads would need.
  bool sinks = argc > 2 && std::strcmp(argv[2], "sink") == 0;
  if (argv[1][0] == '/')
    listen<local>(context, argv[1], sinks);
  else
    listen<tcp>(context, {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::atoi(argv[1]))},
                sinks);
  std::vector<std::jthread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back([&] { context.run(); });
  context.run();
}
