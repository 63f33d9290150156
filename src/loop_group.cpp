// What the loops of one run() share.
#include <algorithm>
#include <soquete/loop.hpp>
#include <soquete/loop_group.hpp>

namespace soquete {

// Blocked calls need a thread each, but a stuck name server or disk must not eat the machine.
constexpr std::size_t blocking_threads_max = 8;

loop_group::~loop_group() {
  {
    std::lock_guard lock(pool_mutex_);
    ending_ = true;
  }
  pool_changed_.notify_all();
  for (std::thread& t : threads_) t.join();
}

void loop_group::add(loop& l) {
  std::lock_guard lock(mutex_);
  loops_.push_back(&l);
}

void loop_group::remove(loop& l) {
  std::lock_guard lock(mutex_);
  std::erase(loops_, &l);
}

bool loop_group::post(loop& whom, std::function<void()> work) {
  // Under the lock, so that the loop cannot end in between.
  std::lock_guard lock(mutex_);
  if (std::find(loops_.begin(), loops_.end(), &whom) == loops_.end()) return false;
  whom.post(std::move(work));
  return true;
}

void loop_group::post_to_all(const std::function<void()>& work) {
  std::lock_guard lock(mutex_);
  for (loop* l : loops_) l->post(work);
}

std::unique_ptr<group_share>& loop_group::place_of_share(const loop& asking, const std::string& name) {
  return shares_[{name, requests_[{&asking, name}]++}];
}

void loop_group::run_blocking(std::function<void()> job) {
  std::lock_guard lock(pool_mutex_);
  jobs_.push_back(std::move(job));
  if (jobs_.size() > idle_threads_ && threads_.size() < blocking_threads_max)
    threads_.emplace_back([this] { work(); });
  else
    pool_changed_.notify_one();
}

void loop_group::work() {
  std::unique_lock lock(pool_mutex_);
  for (;;) {
    ++idle_threads_;
    pool_changed_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
    --idle_threads_;
    if (jobs_.empty()) return;
    const std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    lock.lock();
  }
}

}  // namespace soquete
