// What one of two programs does in an encounter, and what it says of it.
#pragma once

#include <soquete/deadline.hpp>
#include <string>
#include <string_view>

#include "encounter.hpp"

namespace soquete::test {

/// More than a local sender has room for.
inline constexpr std::size_t much = 500'000;

template <class T>
std::string said(const result<T>& how) {
  return how ? std::string("ok") : "(" + how.error().code().message() + ")";
}

template <class Stream>
task<result<std::string>> send(stage& on, Stream& to, std::size_t size) {
  co_await ok(on.hold());
  static const std::string text(much, 'x');
  const auto done = co_await within(patience, to.send(std::string_view(text).substr(0, size)));
  co_return "send " + said(done);
}

template <class Stream>
task<result<std::string>> finish(stage& on, Stream& s) {
  co_await ok(on.hold());
  co_return "finish " + said(s.finish());
}

template <class Stream>
task<result<std::string>> receive_once(stage& on, Stream& from) {
  co_await ok(on.hold());
  const auto piece = co_await within(patience, from.receive());
  if (!piece) co_return "receive " + said(piece);
  co_return piece->empty() ? "receive end" : "receive some";
}

// To the end or an error.
template <class Stream>
task<result<std::string>> receive_all(stage& on, Stream& from) {
  co_await ok(on.hold());
  std::size_t size = 0;
  for (;;) {
    const auto piece = co_await within(patience, from.receive());
    const bool goes_on = piece && !piece->empty();
    if (!goes_on) co_return "receive " + std::to_string(size) + (piece ? " end" : " " + said(piece));
    size += piece->size();
    co_await ok(on.hold());
  }
}

// One after the other.
inline task<result<std::string>> in_turn(task<result<std::string>> one, task<result<std::string>> other) {
  std::string told = co_await ok(std::move(one));
  told += ", ";
  told += co_await ok(std::move(other));
  co_return told;
}
template <class... More>
task<result<std::string>> in_turn(task<result<std::string>> one, task<result<std::string>> other,
                                  More... more) {
  return in_turn(in_turn(std::move(one), std::move(other)), std::move(more)...);
}

}  // namespace soquete::test
