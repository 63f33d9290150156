// The hand that is put in.
#include "world/striker.hpp"

#include <algorithm>
#include <array>

#include "world/inside.hpp"

namespace soquete::sim {

/// Which program waits there, and by which way.
struct place {
  running* program = nullptr;
  std::optional<suspension_report::way> way;

  bool can_be_asked() const noexcept { return program != nullptr && !program->is_asked(); }
  /// When its time is over, at the latest.
  time_point end() const noexcept {
    if (!way) return time_point::max();
    return std::min(way->until.value_or(time_point::max()), way->end.value_or(time_point::max()));
  }
};

namespace {

using namespace std::chrono_literals;

constexpr moment until_restart = 1s;
constexpr std::uint64_t struck_await = 256;  // In the trace, where kinds of calls are less.

// Of awaits(): a request, or this and the kind of the wait.
constexpr char first_wait = static_cast<char>(request_count);
constexpr char join = first_wait + static_cast<char>(wait_kind::join);

std::string_view name_of(char await) noexcept {
  constexpr std::array<std::string_view, 4> waits{"sleep", "event", "join", "blocking call"};
  if (await < first_wait) return to_string(static_cast<request>(await));
  return waits[static_cast<std::size_t>(await - first_wait)];
}

place find(life& in, const void* wait) {
  for (running& one : in.programs) {
    if (one.is_over()) continue;
    suspension_report report(in.here.now());
    report.seek(wait);
    one.describe(report);
    if (report.found()) return {&one, report.found()};
  }
  return {};
}

// Does it wait for the result, and strike then?
constexpr bool is_of_result(strike how) noexcept { return how >= strike::cancel_then_result; }
constexpr bool comes_first(strike how) noexcept {
  return how == strike::cancel_then_result || how == strike::deadline_then_result;
}

bool reset(block& b) {
  if (b.wire) return b.wire->break_in_the_middle(), true;
  if (b.peer.is_empty()) return false;
  static_cast<host_driver&>(b.home).refused(b);  // What a datagram socket hears instead.
  return true;
}

void lose_power(host::inside& on) {
  on.fall();
  world::inside* const in = &on.in;
  host::inside* const fallen = &on;
  const shared<call> start(new call([in, fallen] {
    if (!in->is_ending) fallen->rise();
  }));
  in->net.events.add(in->net.now() + until_restart, *start, 0);
}

// A deadline that has passed has brought this result: beyond the next one nothing is nearer any more.
bool is_of_a_deadline(const op& what) noexcept {
  const cancel_context* const strand = static_cast<const slot&>(what).cancel;
  return strand != nullptr && strand->requested();
}

// Its clock goes on, and nothing else does.
void jump(life& in, time_point to) {
  in.on.at.skew += std::max(to - in.driver->now(), clock::duration::zero());
  in.here.turn(in.driver->now());
}

}  // namespace

std::string_view to_string(strike how) noexcept {
  constexpr std::array<std::string_view, strike_count> names{"cancel",
                                                             "fail",
                                                             "reset",
                                                             "drop",
                                                             "past_deadline",
                                                             "cancel_then_result",
                                                             "result_then_cancel",
                                                             "deadline_then_result",
                                                             "result_then_deadline"};
  return names[static_cast<std::size_t>(how)];
}

bool may_strike(char await, strike how) noexcept {
  switch (how) {
    case strike::cancel:
    case strike::drop:
    case strike::past_deadline: return true;
    case strike::fail: return await < first_wait && late_cause(static_cast<request>(await)) != 0;
    case strike::cancel_then_result:
    case strike::result_then_cancel: return await != join;  // Whoever joins goes on at once.
    case strike::reset:
    case strike::deadline_then_result:
    case strike::result_then_deadline: return await < first_wait;
  }
  return false;
}

void striker::enter(world::inside& in, moment patience) noexcept {
  in_ = &in;
  patience_ = in.patience = patience;
}

int striker::fails(request what) noexcept {
  calls_ += static_cast<char>(what);
  if (calls_.size() != at_call_) return 0;
  was_there_ = has_struck_ = in_->may_fail = true;
  where_ = to_string(what);
  return cause_;
}

void striker::waits(block& on, op& what) noexcept {
  const cancel_context* const strand = static_cast<slot&>(what).cancel;
  if (strand != nullptr && strand->requested() && what.now == op::state::in_flight)
    in_->fail("an operation waits that began after its end was asked for\n" + in_->dump());
  auto& driver = static_cast<host_driver&>(on.home);
  count(*in_->of(driver.on()).now, &what, &what, static_cast<char>(host_driver::request_of(what)));
}

void striker::begun(life& in, const void* wait, wait_kind what) noexcept {
  if (in.on.now.get() != &in) return;  // It has no power any more.
  count(in, wait, nullptr, static_cast<char>(first_wait + static_cast<char>(what)));
}

void striker::count(life& in, const void* wait, op* what, char kind) {
  awaits_ += kind;
  if (wait == wait_) in_life_ = nullptr;  // Another one, at the same place.
  if (awaits_.size() != at_await_) return;
  was_there_ = true;
  in_life_ = &in;
  wait_ = wait;
  what_ = what;
}

bool striker::holds(op& what) noexcept {
  if (in_life_ == nullptr || what_ != &what || !how_ || !is_of_result(*how_)) return false;
  return is_held_ = true;
}

void striker::gives_up(op& what) noexcept {
  if (what_ == &what) is_over_ = true;
}

void striker::ended(const void* wait) noexcept {
  if (wait_ == wait) is_over_ = true;
}

void striker::forget(const life& in) noexcept {
  if (in_life_ == &in) in_life_ = nullptr;
}

void striker::before_turn(life& in) {
  if (in_life_ != &in || !is_seen_) return;
  meet();
  const time_point now = in.driver->now();
  if (in_life_ == nullptr || how_ != strike::cancel_then_result || in.here.timers().earliest() > now) return;
  const place there = find(in, wait_);
  if (there.end() > now) return;
  in_life_ = nullptr;
  strike_now(in, there);
}

void striker::after_turn(life& in) {
  if (in_life_ == &in && is_seen_) meet();
}

void striker::look(host::inside& on) {
  if (in_life_ == nullptr || in_life_ != on.now.get()) return;
  if (!is_seen_) see(on);
  if (in_life_ != nullptr) meet();
}

// For the first time.
void striker::see(host::inside& on) {
  is_seen_ = true;
  const place there = find(*in_life_, wait_);
  where_ = std::string(name_of(awaits_[at_await_ - 1])) + " of host " + on.at.name;
  if (there.way) where_.append(" at ").append(there.way->awaits);
  if (what_ != nullptr && what_->now == op::state::queued) is_over_ = true;
  if (how_ && is_of_result(*how_)) return;
  life& in = *std::exchange(in_life_, nullptr);
  // A join may be over already, and its coroutine elsewhere.
  if (how_ && (what_ != nullptr || there.way)) strike_now(in, there);
}

// Strikes where the result has come, and its coroutine has not seen it.
void striker::meet() {
  if (!is_held_ && !is_over_) return;
  life& in = *std::exchange(in_life_, nullptr);
  if (comes_first(*how_)) {
    if (!is_held_) return;  // Too late.
    strike_now(in, find(in, wait_));
    is_held_ = false;
    in.driver->let_go(*what_);
    return;
  }
  if (std::exchange(is_held_, false)) in.driver->let_go(*what_);
  const std::int64_t outcome = what_ != nullptr ? what_->outcome : 0;
  strike_now(in, find(in, wait_));
  if (what_ != nullptr && (what_->now != op::state::queued || what_->outcome != outcome))
    in_->fail("a result that had come was thrown away when the end was asked for: " + where_);
}

void striker::strike_now(life& in, const place& there) {
  host::inside& on = in.on;
  if (!may_strike(awaits_[at_await_ - 1], *how_)) return;
  switch (*how_) {
    case strike::cancel:
    case strike::cancel_then_result:
    case strike::result_then_cancel:
      if (!there.can_be_asked()) return;
      on.ask_to_end(*there.program, stop::cancelled, patience_);
      break;
    case strike::fail: {
      const int cause = late_cause(host_driver::request_of(*what_));
      if (cause == 0 || what_->now != op::state::in_flight) return;
      in.driver->break_off(*what_, cause);
      break;
    }
    case strike::reset:
      if (!reset(data_of(*what_->on))) return;
      break;
    case strike::drop: lose_power(on); break;
    case strike::past_deadline:
    case strike::deadline_then_result:
    case strike::result_then_deadline:
      if (*how_ == strike::result_then_deadline && is_of_a_deadline(*what_)) return;
      if (there.way && there.way->until) {
        jump(in, *there.way->until);
      } else if (*how_ == strike::past_deadline && there.can_be_asked()) {
        on.ask_to_end(*there.program, stop::timed_out, patience_);
      } else {
        return;
      }
      break;
  }
  has_struck_ = in_->may_fail = true;
  in_->net.note(on.at, noted::meddled, struck_await + static_cast<std::uint64_t>(*how_), at_await_);
  on.at.make_ready();
  if (*how_ != strike::drop) look_who_ends(there);
}

// Whoever is to end has heard of it, and ends.
void striker::look_who_ends(const place& there) {
  const bool is_asked = there.program != nullptr && there.program->is_asked();
  const bool hears_of_it = is_asked && there.way && !there.way->is_shielded;
  if (what_ == nullptr) {
    if (hears_of_it && !is_over_ && awaits_[at_await_ - 1] != join)
      in_->fail("a request to end has not come to a wait: " + where_);
    return;
  }
  const auto& strand = static_cast<const slot&>(*what_);
  if (!strand.is_pending() || strand.cancel == nullptr) return;
  if (strand.cancel->requested() && strand.now == op::state::in_flight && !is_held_)
    in_->fail("an operation was asked to end, and waits: " + where_);
  else if (hears_of_it && !strand.cancel->requested())
    in_->fail("a request to end has not come to an operation: " + where_);
}

}  // namespace soquete::sim
