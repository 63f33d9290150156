// Joining two peers until both have ended.
#include "relay.hpp"

#include <soquete/deadline.hpp>
#include <soquete/scope.hpp>

namespace command {
namespace {

using namespace soquete;
using namespace std::chrono_literals;

// How long a connection may go on to send what nobody reads any more. Closed earlier, the kernel would
// answer with a reset, which can overtake our last bytes.  (nginx: lingering_close)
constexpr auto linger = 2s;

// One direction.
struct way {
  peer& from;
  peer& to;
  std::uint64_t& moved;
  conversation::side source;
  conversation::side target;
  bool crlf;
  bool is_over = false;
};

class joint {
 public:
  joint(peer& address, peer& other, const join_options& how, const half_closed& watch, conversation& told)
      : how_(how),
        watch_(watch),
        told_(told),
        up_{address, other, told.up, conversation::side::address, conversation::side::peer, how.crlf_up},
        down_{other,        address, told.down, conversation::side::peer, conversation::side::address,
              how.crlf_down} {}

  task<void> run();

 private:
  task<result<void>> pump(way& w);
  task<result<void>> send(way& w, bytes data, bool& after_return);
  task<result<void>> watch_program(child& program);
  task<result<void>> watch_idle();
  task<void> tidy_up();

  result<void> end_of(way& w);
  result<void> reading_failed(way& w, error why);
  result<void> writing_failed(way& w, error why);
  void settle();
  void settle(peer& one, const way& output);
  way& back(const way& w) noexcept { return &w == &up_ ? down_ : up_; }
  void tell(conversation::side whose, const error& why) {
    if (told_.why || is_settled_) return;
    told_.why = why;
    told_.failed = whose;
  }

  const join_options& how_;
  const half_closed& watch_;
  conversation& told_;
  way up_;
  way down_;
  loop* here_ = nullptr;
  scope* scope_ = nullptr;
  time_point last_{};
  bool is_settled_ = false;  // All that mattered has ended: what is cancelled now is no failure.
};

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

task<result<void>> joint::pump(way& w) {
  bool after_return = false;
  for (;;) {
    auto data = co_await w.from.receive();
    if (!data) co_return reading_failed(w, std::move(data.error()));
    if (data->empty()) co_return end_of(w);
    last_ = here_->now();
    if (w.crlf) {
      auto sent = co_await send(w, data->bytes(), after_return);
      if (!sent) co_return writing_failed(w, std::move(sent.error()));
    } else {
      auto sent = co_await w.to.send(data->bytes());
      if (!sent) co_return writing_failed(w, std::move(sent.error()));
    }
    w.moved += data->size();
    last_ = here_->now();
  }
}

// With CR LF for each LF that has no CR yet.
task<result<void>> joint::send(way& w, bytes data, bool& after_return) {
  std::string lines;
  for (const char c : as_text(data)) {
    if (c == '\n' && !after_return) lines += '\r';
    lines += c;
    after_return = c == '\r';
  }
  co_await ok(w.to.send(as_bytes(lines)));
  co_return {};
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
    is_settled_ = true;
    scope_->cancel();
  } else if (watch_ && !back(w).is_over) {
    watch_(w.source);
  }
  settle();
  return {};
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
  const bool has_program = up_.from.program() != nullptr || up_.to.program() != nullptr;
  if (up_.is_over && down_.is_over && !has_program) {
    is_settled_ = true;
    scope_->cancel();
  }
  settle(up_.from, up_);
  settle(up_.to, down_);
}

// A program that has ended, all of whose output has been delivered, takes no more input.
void joint::settle(peer& one, const way& output) {
  const child* const program = one.program();
  if (program == nullptr || !program->status() || !output.is_over) return;
  is_settled_ = true;
  scope_->cancel();
}

task<result<void>> joint::watch_program(child& program) {
  static_cast<void>(co_await ok(program.wait()));
  settle();
  co_return {};
}

task<result<void>> joint::watch_idle() {
  for (;;) {
    const auto left = last_ + how_.idle - here_->now();
    if (left <= 0ns) break;
    co_await ok(sleep(left));
  }
  told_.was_idle = true;
  const error why(std::errc::timed_out, step::wait);
  tell(conversation::side::none, why);
  co_return fail(why);
}

task<result<void>> discard_rest(peer& from) {
  for (;;) {
    const lease rest = co_await ok(from.receive());
    if (rest.empty()) co_return {};
  }
}

task<void> joint::tidy_up() {
  for (peer* const one : {&up_.from, &up_.to})
    if (child* const program = one->program()) {
      if (!program->status()) co_await one->stop_program();
      if (!told_.status) told_.status = program->status();
    }
  if (!told_.why) {
    for (way* const w : {&up_, &down_}) {
      if (!w->from.is_connection()) continue;
      // Not yet at its end, by our own decision: let it see ours.
      if (!back(*w).to.takes()) continue;
      const bool was_read = w == &up_ ? how_.which != ways::down : how_.which != ways::up;
      if (w->is_over && was_read) continue;
      static_cast<void>(w->from.finish());
      static_cast<void>(co_await within(linger, discard_rest(w->from)));
    }
    // A reset that came after both ends: something we sent was not taken.
    for (way* const w : {&up_, &down_}) {
      if (!w->to.is_connection() || w->moved == 0) continue;
      const auto cause = w->to.stream().options().take_pending_error();
      if (cause && *cause) tell(w->target, error(*cause, step::send));
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

}  // namespace

task<void> join(peer& address, peer& other, const join_options& how, const half_closed& watch,
                conversation& told) {
  joint both(address, other, how, watch, told);
  co_await both.run();
}

}  // namespace command
