// The hand that is put in.
#include "world/striker.hpp"

#include <array>

#include "world/inside.hpp"

namespace soquete::sim {
namespace {

using namespace std::chrono_literals;

constexpr moment until_restart = 1s;
constexpr std::uint64_t struck_await = 256;  // In the trace, where kinds of calls are less.

struct place {
  running* program = nullptr;
  std::optional<suspension_report::way> way;
};

// Which program waits there, and by which way.
place find(life& in, const op& what) {
  for (running& one : in.programs) {
    if (one.is_over()) continue;
    suspension_report report(in.here.now());
    report.seek(&what);
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

}  // namespace

std::string_view to_string(strike how) noexcept {
  constexpr std::array<std::string_view, strike_count> names{"cancel", "fail", "reset", "drop",
                                                             "past_deadline"};
  return names[static_cast<std::size_t>(how)];
}

int striker::fails(request what) noexcept {
  calls_ += static_cast<char>(what);
  if (calls_.size() != at_call_) return 0;
  was_there_ = has_struck_ = in_->may_fail = true;
  where_ = to_string(what);
  return cause_;
}

void striker::waits(block&, op& what) noexcept {
  const cancel_context* const strand = static_cast<slot&>(what).cancel;
  if (strand != nullptr && strand->requested() && what.now == op::state::in_flight)
    in_->fail("an operation waits that began after its end was asked for\n" + in_->dump());
  if (++awaits_ == at_await_) found_ = &what;
}

void striker::look(host::inside& on) {
  if (found_ == nullptr || on.at.driver != &found_->on->home) return;
  strike_now(on, *std::exchange(found_, nullptr));
}

void striker::strike_now(host::inside& on, op& what) {
  was_there_ = true;
  auto& b = data_of(*what.on);
  auto& driver = static_cast<host_driver&>(b.home);
  auto& strand = static_cast<slot&>(what);
  const place there = find(*on.now, what);
  where_ = std::string(to_string(host_driver::request_of(what))) + " of host " + on.at.name;
  if (there.way) where_.append(" at ").append(there.way->awaits);
  if (!how_) return;
  const bool can_be_asked = there.program != nullptr && !there.program->is_asked();
  switch (*how_) {
    case strike::cancel:
      if (!can_be_asked) return;
      there.program->cancel(stop::cancelled);
      break;
    case strike::fail: {
      const int cause = late_cause(host_driver::request_of(what));
      if (cause == 0 || what.now != op::state::in_flight) return;
      driver.break_off(what, cause);
      break;
    }
    case strike::reset:
      if (!reset(b)) return;
      break;
    case strike::drop: lose_power(on); break;
    case strike::past_deadline:
      if (there.way && there.way->until) {
        // Its clock goes on, and nothing else does.
        on.at.skew += std::max(*there.way->until - driver.now(), clock::duration::zero());
        on.now->here.turn(driver.now());
      } else if (can_be_asked) {
        there.program->cancel(stop::timed_out);
      } else {
        return;
      }
      break;
  }
  has_struck_ = true;
  on.in.may_fail = true;
  on.in.net.note(on.at, noted::meddled, struck_await + static_cast<std::uint64_t>(*how_), awaits_);
  on.at.make_ready();
  // From here on only of those that are asked to end.
  const bool is_asked = there.program != nullptr && there.program->is_asked();
  if (*how_ == strike::drop || !strand.is_pending() || strand.cancel == nullptr) return;
  if (strand.cancel->requested() && what.now == op::state::in_flight)
    on.in.fail("an operation was asked to end, and waits: " + where_);
  else if (is_asked && there.way && !there.way->is_shielded && !strand.cancel->requested())
    on.in.fail("a request to end has not come to an operation: " + where_);
}

}  // namespace soquete::sim
