// One thread's turns.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <soquete/loop.hpp>
#include <vector>

namespace soquete {
namespace {

// A place that each thread has for itself.
const void* this_thread() noexcept {
  static thread_local const char place = 0;
  return &place;
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

result<void> loop::open(driver_choice choice) {
  auto opened = open_kernel_driver(*this, choice);
  if (!opened) return fail(std::move(opened.error()));
  use(std::move(*opened));
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
  driver_.it->turn(empty() ? std::min(latest, timers_.earliest()) : now());
  set_now(driver_.it->now());
  timers_.fire_due(now());
  run_posted();
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
