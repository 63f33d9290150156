// One simulated computer: its programs and its loop.

#include "world/inside.hpp"

namespace soquete::sim {
namespace {

using namespace std::chrono_literals;

// A program that never waits for anything to happen would stop the time.
constexpr std::uint64_t rounds_max = 1'000'000;

}  // namespace

running::running(loop& here, host::inside& on, const program& what) : here_(here), on_(on), what_(what) {
  waiter::wake = [](waiter* w) noexcept { static_cast<running*>(w)->begin(); };
  loop::root::describe = [](const loop::root& r, suspension_report& report) {
    static_cast<const running&>(r).describe(report);
  };
  here_.add_root(*this);
  here_.push(*this);
}

running::~running() { here_.remove_root(*this); }

void running::begin() {
  waiter::wake = [](waiter* w) noexcept { static_cast<running*>(w)->end(); };
  work_.emplace(what_());
  if (!work_->begin({&here_, &cancel_}, this)) end();
}

void running::end() {
  is_over_ = true;
  const bool is_asked = cancel_.requested();
  if (work_->exception()) {
    std::string words = "a program on host " + on_.at.name + " ended with an exception";
#ifdef __cpp_exceptions
    try {
      std::rethrow_exception(work_->exception());
    } catch (const std::exception& thrown) {
      words.append(": ").append(thrown.what());
    } catch (...) {
      words += " of an unknown kind";
    }
#endif
    on_.in.fail(std::move(words));
  } else if (const auto how = work_->take(); !how && !is_asked && !on_.in.may_fail) {
    on_.in.fail("a program on host " + on_.at.name + " ended with an error: " + to_string(how.error()));
  }
  work_.reset();
}

void running::describe(suspension_report& report) const {
  if (work_) work_->describe(report);
}

life::life(host::inside& of) : on(of) {
  auto* const made = new host_driver(here, of.at);
  driver = made;
  wait_watch::begun = [](wait_watch* self, const void* wait, wait_kind what) noexcept {
    auto& in = static_cast<life&>(*self);
    in.on.in.hand->begun(in, wait, what);
  };
  wait_watch::ended = [](wait_watch* self, const void* wait) noexcept {
    static_cast<life&>(*self).on.in.hand->ended(wait);
  };
  if (of.in.hand != nullptr) here.watch_waits(this);
  here.use({owned<soquete::driver>(made), "simulated: host " + of.at.name});
}

bool life::is_over() const noexcept {
  for (const running& one : programs)
    if (!one.is_over()) return false;
  return here.empty();
}

void host::inside::start() {
  now = std::make_unique<life>(*this);
  for (const program& one : programs) now->programs.emplace_back(now->here, *this, one);
  at.make_ready();
}

void host::inside::step() {
  if (at.is_paused) return;
  if (in.net.now() != std::exchange(rounds_at, in.net.now())) rounds = 0;
  if (++rounds == rounds_max)
    return in.fail("livelock: host " + at.name + " runs and runs, and no time passes\n" + in.dump());
  if (rounds > rounds_max) return;
  in.net.note(at, noted::turn);
  if (now) rest(*now);
  for (const auto& one : dying) rest(*one);
  std::erase_if(dying, [](const auto& one) { return one->is_over() && one->driver->counts().sockets == 0; });
}

void host::inside::rest(life& of) {
  loop& here = of.here;
  if (in.hand != nullptr) in.hand->before_turn(of);
  here.turn(here.net().now());
  if (in.hand != nullptr) in.hand->after_turn(of);
  here.run_round();
  if (!here.empty()) at.make_ready();
  const time_point next = here.timers().earliest();
  if (next == time_point::max()) return;
  const moment when = std::max(of.driver->moment_of(next), in.net.now());
  if (!alarms.insert(when).second) return;
  const shared<call> alarm(new call([this, when] {
    alarms.erase(when);
    at.make_ready();
  }));
  in.net.events.add(when, *alarm, 0);
}

void host::inside::fall() {
  if (!now) return;
  if (in.hand != nullptr) in.hand->forget(*now);
  now->driver->lose_memory();
  for (running& one : now->programs) one.cancel();
  dying.push_back(std::move(now));
  at.make_ready();
}

void host::inside::rise() {
  if (now) return;
  start();
  in.net.resume_all();
}

void host::inside::stand_still(moment how_long) {
  if (at.is_paused) return;
  at.is_paused = true;
  in.net.note(at, noted::paused);
  const shared<call> end(new call([this] {
    at.is_paused = false;
    in.net.note(at, noted::resumed);
    at.make_ready();
  }));
  in.net.events.add(in.net.now() + how_long, *end, 0);
}

void host::inside::ask_to_end(running& whom, stop why, moment patience) {
  whom.cancel(why);
  whom.has_until = in.net.now() + patience;
  const shared<call> check(new call([this] { look_for_the_late(); }));
  // What ends at the last moment is not late.
  in.net.events.add(*whom.has_until + 1ns, *check, agenda::background);
}

void host::inside::look_for_the_late() {
  const auto look = [this](const life& of) {
    for (const running& one : of.programs) {
      if (one.is_over() || !one.has_until || *one.has_until >= in.net.now()) continue;
      in.fail("a program of host " + at.name + " does not end when asked to\n" + in.dump());
    }
  };
  if (at.is_paused) return;
  if (now) look(*now);
  for (const auto& one : dying) look(*one);
}

std::size_t host::inside::unfinished() const noexcept {
  std::size_t count = 0;
  const auto add = [&count](const life& of) {
    for (const running& one : of.programs) count += one.is_over() ? 0 : 1;
  };
  if (now) add(*now);
  for (const auto& one : dying) add(*one);
  return count;
}

host::host(inside& in) noexcept : inside_(in) {}

void host::spawn(program what) {
  const program& kept = inside_.programs.emplace_back(std::move(what));
  if (!inside_.now) return;
  inside_.now->programs.emplace_back(inside_.now->here, inside_, kept);
  inside_.at.make_ready();
}

const std::string& host::name() const noexcept { return inside_.at.name; }
std::span<const address> host::addresses() const noexcept { return inside_.at.addresses; }
bool host::is_up() const noexcept { return inside_.now != nullptr; }
void host::crash() { inside_.fall(); }
void host::restart() { inside_.rise(); }
bool host::raise(int signal) { return inside_.now != nullptr && inside_.now->driver->raise(signal); }
void host::pause(std::chrono::nanoseconds how_long) { inside_.stand_still(how_long); }

}  // namespace soquete::sim
