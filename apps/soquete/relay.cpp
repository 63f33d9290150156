// Joining two peers until both have ended.
#include <soquete/deadline.hpp>
#include <soquete/scope.hpp>

#include "joint.hpp"

namespace command {

using namespace soquete;
using namespace std::chrono_literals;

namespace {

// How long a connection may go on to send what nobody reads any more. Closed earlier, the kernel would
// answer with a reset, which can overtake our last bytes.  (nginx: lingering_close)
constexpr auto linger_time = 2s;

// What a program gets to end by itself, once it has been told that nothing more comes.
constexpr auto program_time = 1s;

task<result<void>> discard_rest(peer& from) {
  while (from.keeps_bounds()) {
    const record rest = co_await ok(from.messages().receive());
    if (rest.is_end()) co_return {};
  }
  for (;;) {
    const lease rest = co_await ok(from.receive());
    if (rest.empty()) co_return {};
  }
}

}  // namespace

task<void> joint::run() {
  here_ = &co_await this_loop();
  last_ = here_->now();
  up_.is_over = how_.which == ways::down || !up_.from.gives() || !up_.to.takes();
  down_.is_over = how_.which == ways::up || !down_.from.gives() || !down_.to.takes();
  auto all = [this](scope& s) -> task<result<void>> {
    scope_ = &s;
    if (!up_.is_over) s.spawn(pump(up_));
    if (!down_.is_over) s.spawn(pump(down_));
    if (child* const program = up_.from.program()) s.spawn(watch_program(*program));
    if (child* const program = up_.to.program()) s.spawn(watch_program(*program));
    if (how_.idle > 0ns) s.spawn(watch_idle());
    co_return {};
  };
  auto ended = co_await with_scope(all);
  if (!ended) tell(conversation::side::none, ended.error());
  co_await tidy_up();
}

result<void> joint::end_of(way& w) {
  // Writing has met a reset, and the kernel tells of it only once; what follows looks like an orderly end.
  if (w.from.broken) return reading_failed(w, *w.from.broken);
  w.is_over = true;
  if (told_.ended_first == conversation::side::none) told_.ended_first = w.source;
  if (how_.at_end != on_eof::ignore) {
    // A connection that has been reset meanwhile cannot be finished; the other direction tells why.
    static_cast<void>(w.to.finish());
  }
  if (how_.at_end == on_eof::close && !back(w).is_over) {
    end_all();
  } else if (!back(w).is_over) {
    if (!w.to.has_end() && how_.at_end != on_eof::ignore) scope_->spawn(watch_silence(back(w)));
    if (watch_ && w.to.has_end()) watch_(w.source);
  }
  settle();
  return {};
}

// As many have come as were asked for. A program may have something to say about them.
result<void> joint::end_by_count(way& w) {
  static_cast<void>(end_of(w));
  if (!has_program()) end_all();
  return {};
}

result<void> joint::end_by_idleness(way& w) {
  told_.was_idle = true;
  static_cast<void>(end_of(w));
  if (!has_program()) end_all();
  return {};
}

void joint::end_all() {
  is_settled_ = true;
  scope_->cancel();
}

void joint::end_quietly(way& w) {
  w.is_quiet = true;
  if (w.until_quiet != nullptr) w.until_quiet->cancel();
}

result<void> joint::reading_failed(way& w, error why) {
  if (is_settled_) return fail(std::move(why));
  w.is_over = true;
  tell(w.source, why);
  return fail(std::move(why));
}

result<void> joint::writing_failed(way& w, error why) {
  if (is_settled_) return fail(std::move(why));
  w.is_over = true;
  const bool is_cancelled = why == std::errc::operation_canceled || why == std::errc::timed_out;
  // A program need not read all its input.
  if (w.to.program() != nullptr && !is_cancelled) {
    settle();
    return {};
  }
  // A connection may have brought bytes before it broke: they are passed on before the news is.
  if (w.to.is_connection() && !is_cancelled && !back(w).is_over) {
    w.to.broken = std::move(why);
    return {};
  }
  tell(w.target, why);
  return fail(std::move(why));
}

// Is there still something to wait for? A program is waited for to its end, for the sake of its status.
void joint::settle() {
  if (up_.is_over && down_.is_over && !has_program()) end_all();
  settle(up_.from, up_, up_.to);
  settle(up_.to, down_, up_.from);
}

// A program that has ended, all of whose output has been delivered, takes no more input. What the other side
// is to make of that output takes a program until its own end.
void joint::settle(peer& one, const way& output, peer& other) {
  const child* const program = one.program();
  const bool is_over = program != nullptr && program->status() && output.is_over;
  const bool is_awaited = other.program() != nullptr && !other.program()->status();
  if (is_over && !is_awaited) end_all();
}

task<result<void>> joint::watch_program(child& program) {
  static_cast<void>(co_await ok(program.wait()));
  settle();
  co_return {};
}

// Until nothing has moved for so long.
task<result<void>> joint::silence(std::chrono::nanoseconds span) {
  for (;;) {
    const auto left = last_ + span - here_->now();
    if (left <= 0ns) co_return {};
    co_await ok(sleep(left));
  }
}

task<result<void>> joint::watch_idle() {
  for (;;) {
    co_await ok(silence(how_.idle));
    if (up_.from.has_end() && down_.from.has_end()) break;
    // A side without an end has ended in order, see pump_messages(); what a program makes of that is waited
    // for.
    const time_point before = last_;
    co_await ok(sleep(how_.idle));
    if (last_ != before) continue;
    told_.was_idle = true;
    end_all();
    co_return {};
  }
  told_.was_idle = true;
  const error why(std::errc::timed_out, step::wait);
  tell(conversation::side::none, why);
  co_return fail(why);
}

// The other side of `w` has ended, and its source cannot tell when it has.
task<result<void>> joint::watch_silence(way& w) {
  last_ = here_->now();
  co_await ok(silence(w.how_from.patience));
  if (w.messages == 0 && back(w).messages != 0) {
    told_.was_unanswered = true;
    const error why(std::errc::timed_out, step::receive);
    tell(w.source, why);
    co_return fail(why);
  }
  end_quietly(w);
  co_return {};
}

task<void> joint::tidy_up() {
  for (peer* const one : {&up_.from, &up_.to})
    if (child* const program = one->program()) {
      if (!program->status() && told_.was_idle && !told_.why) {
        static_cast<void>(one->finish());
        static_cast<void>(co_await within(program_time, program->wait()));
      }
      if (!program->status()) co_await one->stop_program();
      if (!told_.status) told_.status = program->status();
    }
  if (!told_.why) {
    for (way* const w : {&up_, &down_})
      if (w->from.is_connection()) co_await linger(*w);
    // A refusal that nobody was there to receive any more.
    for (way* const w : {&up_, &down_}) {
      if (!w->to.keeps_bounds() || w->messages == 0) continue;
      is_settled_ = false;
      if (const auto cause = w->to.messages().take_error()) tell(w->target, error(cause, step::send));
    }
  }
  if (told_.why) {
    up_.from.abort();
    up_.to.abort();
  } else {
    up_.from.close();
    up_.to.close();
  }
}

// Not yet at its end, by our own decision: let it see ours.
task<void> joint::linger(way& w) {
  if (!back(w).to.takes()) co_return;
  const bool was_read = &w == &up_ ? how_.which != ways::down : how_.which != ways::up;
  if (w.is_over && was_read) co_return;
  static_cast<void>(w.from.finish());
  static_cast<void>(co_await within(linger_time, discard_rest(w.from)));
}

task<void> join(peer& address, peer& other, const join_options& how, const half_closed& watch,
                conversation& told) {
  joint both(address, other, how, watch, told);
  co_await both.run();
}

}  // namespace command
