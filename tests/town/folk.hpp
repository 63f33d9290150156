// What the servers and clients of the town have in common.
#pragma once

#include "town/town.hpp"

namespace soquete::town {

using namespace std::chrono_literals;

/// When faults have long been over, and what they have left behind has ended too.
inline constexpr std::chrono::nanoseconds better_days = 20min;

/// Until the world is so old.
inline task<result<void>> wait_until(sim::world& w, std::chrono::nanoseconds when) {
  co_return co_await sleep(when - w.now());
}

/// A server of the library's: once it is open, no client and no want of anything ends it.
template <class F>
auto staying(sim::world& w, F serve) {
  return [&w, serve]() -> task<result<void>> {
    auto ended = co_await serve();
    const step during = ended ? step::none : ended.error().during();
    const bool is_of_opening = during == step::open || during == step::bind || during == step::listen ||
                               during == step::set_option || during == step::get_option;
    w.always(ended || is_of_opening || ended.error() == std::errc::operation_canceled, "a server stays");
    co_return ended;
  };
}

/// Its errors are its own affair.
template <class F>
auto unless_it_fails(F program) {
  return [program]() -> task<result<void>> {
    static_cast<void>(co_await program());
    co_return {};
  };
}

template <class Stream>
task<result<void>> send_and_finish(Stream& to, const std::string& words) {
  co_await ok(within(1min, to.send(words)));
  co_return to.finish();
}

template <class Stream>
task<result<void>> receive_all(Stream& from, std::string& got) {
  for (;;) {
    const lease piece = co_await ok(within(1min, from.receive()));
    if (piece.empty()) co_return {};
    got += piece.text();
  }
}

/// What comes back is a beginning of what was sent.
template <class Stream>
task<result<void>> converse(sim::world& w, Stream& peer, const std::string& sent) {
  std::string got;
  const auto both = [&](scope& s) -> task<result<void>> {
    s.spawn(send_and_finish(peer, sent));
    s.spawn(receive_all(peer, got));
    co_return {};
  };
  loop& here = co_await this_loop();
  const time_point begun = here.now();
  auto ended = co_await within(2min, with_scope(both));
  w.always(sent.starts_with(got), "bytes in order");
  w.always(here.now() - begun < 10min, "deadlines are kept");
  co_return ended;
}

task<result<void>> talk(sim::world& w, std::string where, std::string sent);

/// Talks some times, whatever comes of it; but in better days it has to be answered.
task<result<void>> keep_talking(sim::world& w, const plan& p, std::string where, std::string sent);

task<result<void>> echo(tcp::stream peer);

}  // namespace soquete::town
