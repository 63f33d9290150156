// What all byte streams have in common, and copying from one to another.
#pragma once

#include <concepts>
#include <cstdint>
#include <soquete/bytes.hpp>
#include <soquete/lease.hpp>
#include <soquete/task.hpp>

namespace soquete {

/// Bytes in order, both ways: TCP, pipes, memory. No socket is meant.
template <class S>
concept byte_stream = requires(S& s, mutable_bytes into, bytes from) {
  { s.receive() };
  { s.receive(into) };
  { s.send(from) };
  { s.finish() } -> std::same_as<result<void>>;
};

struct socket_block;

namespace detail {

/// A byte stream on a socket.
template <class S>
concept socket_stream = byte_stream<S> && requires(const S& s) {
  { s.block() } -> std::same_as<socket_block&>;
};

/// As copy(). What comes in bulk stays in the kernel, where the system can do that.
task<result<std::uint64_t>> copy_sockets(socket_block& source, socket_block& target);

}  // namespace detail

/// Copies to the end of `source`, then finishes `target`'s sending side; gives the number of bytes.
///
/// One piece at a time: a slow target holds the source back. Run it twice for both ways; each way ends by
/// itself, so a half-closed connection stays half open. Between two sockets, bytes that come in bulk stay in
/// the kernel: splice(2). Cancelled, or after an error, what was on its way is lost.
/// Errors: those of receive and send; `target` is then not finished.
template <byte_stream Source, byte_stream Target>
task<result<std::uint64_t>> copy(Source& source, Target& target) {
  std::uint64_t copied = 0;
  for (;;) {
    lease data = co_await ok(source.receive());
    if (data.empty()) break;
    co_await ok(target.send(data.bytes()));
    copied += data.size();
  }
  co_await ok(target.finish());
  co_return copied;
}
template <detail::socket_stream Source, detail::socket_stream Target>
task<result<std::uint64_t>> copy(Source& source, Target& target) {
  return detail::copy_sockets(source.block(), target.block());
}

}  // namespace soquete
