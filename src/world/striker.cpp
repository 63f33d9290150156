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

// Its clock goes on, and nothing else does.
void jump(life& in, time_point to) {
  in.on.at.skew += std::max(to - in.driver->now(), clock::duration::zero());
  in.here.turn(in.driver->now());
}

}  // namespace

std::string_view to_string(strike how) noexcept {
  constexpr std::array<std::string_view, strike_count> names{"cancel", "fail", "reset", "drop",
                                                             "past_deadline"};
  return names[static_cast<std::size_t>(how)];
}

bool may_strike(char await, strike how) noexcept {
  switch (how) {
    case strike::cancel:
    case strike::drop:
    case strike::past_deadline: return true;
    case strike::fail: return await < first_wait && late_cause(static_cast<request>(await)) != 0;
    case strike::reset: return await < first_wait;
  }
  return false;
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

void striker::ended(const void* wait) noexcept {
  if (wait_ == wait) is_over_ = true;
}

void striker::forget(const life& in) noexcept {
  if (in_life_ == &in) in_life_ = nullptr;
}

void striker::look(host::inside& on) {
  if (in_life_ == nullptr || in_life_ != on.now.get()) return;
  life& in = *std::exchange(in_life_, nullptr);
  const place there = find(in, wait_);
  where_ = std::string(name_of(awaits_[at_await_ - 1])) + " of host " + on.at.name;
  if (there.way) where_.append(" at ").append(there.way->awaits);
  // A join may be over already, and its coroutine elsewhere.
  if (how_ && (what_ != nullptr || there.way)) strike_now(in, there);
}

void striker::strike_now(life& in, const place& there) {
  host::inside& on = in.on;
  if (!may_strike(awaits_[at_await_ - 1], *how_)) return;
  switch (*how_) {
    case strike::cancel:
      if (!there.can_be_asked()) return;
      there.program->cancel();
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
      if (there.way && there.way->until) {
        jump(in, *there.way->until);
      } else if (there.can_be_asked()) {
        there.program->cancel(stop::timed_out);
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
  if (strand.cancel->requested() && strand.now == op::state::in_flight)
    in_->fail("an operation was asked to end, and waits: " + where_);
  else if (hears_of_it && !strand.cancel->requested())
    in_->fail("a request to end has not come to an operation: " + where_);
}

}  // namespace soquete::sim
