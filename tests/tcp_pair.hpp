// Two ends of a TCP connection over the loopback, and reading whole streams.
#pragma once

#include <soquete/deadline.hpp>
#include <soquete/tcp.hpp>
#include <string>

namespace soquete::test {

/// `client` has connected, `server` was accepted.
struct tcp_pair {
  tcp_pair(tcp::stream c, tcp::stream s) noexcept : client(std::move(c)), server(std::move(s)) {}
  tcp::stream client;
  tcp::stream server;
};

/// On 127.0.0.1, any port.
task<result<tcp_pair>> connect_pair(tcp::listen_options listening = {}, tcp::connect_options connecting = {});

/// Connects to `l` and accepts it there.
task<result<tcp_pair>> connect_to(tcp::listener& l, tcp::connect_options connecting = {});

/// Where `l` listens, on the loopback where it listens on all addresses.
result<endpoint> door_of(const tcp::listener& l);

/// All that comes until the end of the stream.
task<result<std::string>> receive_all(tcp::stream& from);

/// The next `size` bytes; fewer at the end of the stream.
task<result<std::string>> receive_some(tcp::stream& from, std::size_t size);

/// Waits, in short sleeps, until `is_so()`; an error when it does not come.
template <class F>
task<result<void>> wait_until(F is_so) {
  for (int tries = 0; !is_so(); ++tries) {
    if (tries == 20'000) co_return fail(std::errc::timed_out, step::wait);
    co_await ok(sleep(std::chrono::milliseconds(1)));
  }
  co_return {};
}

/// Bytes that differ from place to place.
std::string pattern(std::size_t size, std::uint64_t seed = 1);

}  // namespace soquete::test
