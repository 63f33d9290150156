// Two ends of a TCP connection over the loopback, and reading whole streams.
#include "tcp_pair.hpp"

#include "random.hpp"

namespace soquete::test {

result<endpoint> door_of(const tcp::listener& l) {
  auto at = l.local();
  if (!at || !at->addr().is_unspecified()) return at;
  return endpoint(at->addr().is_v4() ? address::loopback_v4() : address::loopback_v6(), at->port());
}

task<result<tcp_pair>> connect_to(tcp::listener& l, tcp::connect_options connecting) {
  const endpoint door = co_await ok(door_of(l));
  tcp::stream client = co_await ok(tcp::connect(door, connecting));
  tcp::stream server = co_await ok(l.accept());
  co_return tcp_pair(std::move(client), std::move(server));
}

task<result<tcp_pair>> connect_pair(tcp::listen_options listening, tcp::connect_options connecting) {
  tcp::listener l = co_await ok(tcp::listen("127.0.0.1:0", listening));
  co_return co_await connect_to(l, connecting);
}

task<result<std::string>> receive_all(tcp::stream& from) {
  std::string all;
  for (;;) {
    lease piece = co_await ok(from.receive());
    if (piece.empty()) co_return all;
    all += piece.text();
  }
}

task<result<std::string>> receive_some(tcp::stream& from, std::size_t size) {
  std::string all(size, '\0');
  std::size_t got = 0;
  while (got != size) {
    const mutable_bytes rest = std::as_writable_bytes(std::span(all)).subspan(got);
    const std::size_t more = co_await ok(from.receive(rest));
    if (more == 0) break;
    got += more;
  }
  all.resize(got);
  co_return all;
}

std::string pattern(std::size_t size, std::uint64_t seed) {
  random_numbers random(seed);
  std::string all(size, '\0');
  for (char& c : all) c = static_cast<char>(random.next());
  return all;
}

}  // namespace soquete::test
