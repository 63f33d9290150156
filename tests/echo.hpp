// Echoing streams of any kind, for tests of servers.
#pragma once

#include <gtest/gtest.h>

#include <soquete/deadline.hpp>
#include <soquete/error.hpp>
#include <soquete/lease.hpp>
#include <soquete/task.hpp>
#include <string>
#include <string_view>

namespace soquete::test {

/// Answers with the same bytes until the peer has finished.
template <class Stream>
task<result<void>> echo(Stream peer) {
  for (;;) {
    lease piece = co_await ok(peer.receive());
    if (piece.empty()) co_return {};
    co_await ok(peer.send(piece.bytes()));
  }
}

/// The same, and leaves a peer that it hears nothing of for so long: a host that has lost power says nothing.
template <class Stream>
task<result<void>> echo_while_heard(Stream peer, clock::duration patience) {
  for (;;) {
    lease piece = co_await ok(within(patience, peer.receive()));
    if (piece.empty()) co_return {};
    co_await ok(within(patience, peer.send(piece.bytes())));
  }
}

/// Sends `word` to a server, finishes, and gives all that comes back: `ask(tcp::connect("server:7"), word)`.
template <class Stream>
task<result<std::string>> ask(task<result<Stream>> connecting, std::string_view word) {
  Stream peer = co_await ok(std::move(connecting));
  co_await ok(peer.send(word));
  co_await ok(peer.finish());
  std::string got;
  for (;;) {
    lease piece = co_await ok(peer.receive());
    if (piece.empty()) co_return got;
    got += piece.text();
  }
}

/// Sends `word` and expects it back.
template <class Stream>
task<result<void>> expect_echo(Stream& s, std::string_view word) {
  co_await ok(s.send(word));
  std::string got;
  while (got.size() < word.size()) {
    lease piece = co_await ok(s.receive());
    if (piece.empty()) co_return fail(fault::end_of_stream, step::receive);
    got += piece.text();
  }
  EXPECT_EQ(got, word);
  co_return {};
}

}  // namespace soquete::test
