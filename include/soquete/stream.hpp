// What all byte streams have in common, and copying from one to another.
#pragma once

#include <concepts>
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

/// Copies to the end of `source`, then finishes `target`'s sending side; gives the number of bytes.
///
/// One piece at a time: a slow target holds the source back. Run it twice for both ways; each way ends by
/// itself, so a half-closed connection stays half open.
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

}  // namespace soquete
