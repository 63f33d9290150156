// One thread's turns.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <soquete/deadline.hpp>
#include <soquete/loop.hpp>
#include <vector>

namespace soquete {
namespace {

// A place that each thread has for itself.
const void* this_thread() noexcept {
  static thread_local const char place = 0;
  return &place;
}

result<std::chrono::nanoseconds> spin_from(std::chrono::nanoseconds wanted) {
  const char* const text = std::getenv("SOQUETE_SPIN");
  if (wanted.count() != 0 || text == nullptr || *text == '\0') return wanted;
  unsigned microseconds = 0;
  const char* const end = text + std::strlen(text);
  const auto [stopped, cause] = std::from_chars(text, end, microseconds);
  if (cause == std::errc() && stopped == end && microseconds <= 10'000)
    return std::chrono::microseconds(microseconds);
  error why(std::errc::invalid_argument, step::start_driver);
  return fail(std::move(why.set_subject(text).set_detail("SOQUETE_SPIN takes microseconds from 0 to 10000")));
}

}  // namespace

struct loop::inbox {
  std::mutex mutex;
  std::vector<std::function<void()>> work;
};

loop::loop(loop_group& group) : group_(group), posted_(new inbox) { group.add(*this); }

loop::~loop() {
  group_.remove(*this);
  run_posted();  // What arrived too late still owns something.
  assert(roots_ == nullptr);
  assert(timers_.empty());
  if (driver_.it) driver_.it->drain();
  while (!empty()) run_round();  // Closed sockets that still had a wake-up queued.
}

result<void> loop::open(driver_choice choice, std::chrono::nanoseconds spin) {
  auto wanted = spin_from(spin);
  if (!wanted) return fail(std::move(wanted.error()));
  auto opened = open_kernel_driver(*this, choice);
  if (!opened) return fail(std::move(opened.error()));
  use(std::move(*opened));
  spin_ = spin_rule(*wanted);
  return {};
}

void loop::use(chosen_driver chosen) {
  driver_ = std::move(chosen);
  thread_ = this_thread();
  set_now(driver_.it->now());
}

void loop::run_until(const bool& ended) noexcept {
  // io_uring would refuse each turn (EEXIST), without end; the other drivers would race with the first
  // thread.
  if (thread_ != this_thread()) {
    std::fputs("soquete: a loop is run on another thread than the one that opened it\n", stderr);
    std::abort();
  }
  while (!ended) {
    run_round();
    if (ended) break;
    turn(time_point::max());
  }
}

void loop::turn(time_point latest) noexcept {
  const time_point until = empty() ? std::min(latest, timers_.earliest()) : now();
  if (spin_.is_on() && until > now())
    wait_spinning(until);
  else
    driver_.it->turn(until);
  set_now(driver_.it->now());
  timers_.fire_due(now());
  run_posted();
}

void loop::wait_spinning(time_point until) noexcept {
  const time_point begun = driver_.it->now();
  if (spin_.pays()) {
    const bool in_time = is_polled(begun, until);
    spin_.polled(in_time);
    if (in_time) return;
  }
  driver_.it->turn(until);
  spin_.slept(driver_.it->now() - begun);
}

// True: there is something to do.
bool loop::is_polled(time_point begun, time_point until) noexcept {
  const time_point last = std::min(until, detail::moment_after(begun, spin_.span()));
  time_point at = begun;
  do {
    driver_.it->turn(at);
    if (!empty() || has_posted()) return true;
    at = driver_.it->now();
  } while (at < last);
  return at >= until;
}

void loop::post(std::function<void()> work) {
  bool first;
  {
    std::lock_guard lock(posted_->mutex);
    first = posted_->work.empty();
    posted_->work.push_back(std::move(work));
  }
  if (first) driver_.it->wake();
}

bool loop::has_posted() noexcept {
  std::lock_guard lock(posted_->mutex);
  return !posted_->work.empty();
}

void loop::run_posted() noexcept {
  std::vector<std::function<void()>> work;
  {
    std::lock_guard lock(posted_->mutex);
    if (posted_->work.empty()) return;
    work.swap(posted_->work);
  }
  for (auto& one : work) one();
}

void loop::add_root(root& r) noexcept {
  set_now(driver_.it->now());
  r.next = roots_;
  roots_ = &r;
}

void loop::remove_root(root& r) noexcept {
  root** place = &roots_;
  while (*place != &r) place = &(*place)->next;
  *place = r.next;
}

std::string loop::dump() const {
  suspension_report report(now());
  for (const root* r = roots_; r != nullptr; r = r->next) r->describe(*r, report);
  return std::move(report).take();
}

}  // namespace soquete
