// What the loops of one run() share.
#include <soquete/loop_group.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <soquete/loop.hpp>
#include <thread>
#include <vector>

#include "processors.hpp"

namespace soquete {
namespace {

// Blocked calls need a thread each, but a stuck name server or disk must not eat the machine.
constexpr std::size_t blocking_threads_max = 8;

// Threads made when there is work and nobody idle.
class blocking_pool {
 public:
  ~blocking_pool() {
    {
      std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    for (std::thread& t : threads_) t.join();
  }

  void run(std::function<void()> job) {
    std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    if (jobs_.size() > idle_ && threads_.size() < blocking_threads_max) {
      const unpinned_thread so_are_its_own;
      threads_.emplace_back([this] { work(); });
    } else {
      changed_.notify_one();
    }
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      changed_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
      --idle_;
      if (jobs_.empty()) return;
      const std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool ending_ = false;
};

}  // namespace

struct loop_group::inside {
  std::mutex mutex;
  std::vector<loop*> loops;
  std::map<std::pair<const loop*, std::string>, unsigned> requests;
  std::map<std::pair<std::string, unsigned>, owned<group_share>> shares;
  blocking_pool pool;
};

loop_group::loop_group(unsigned size, blocking_jobs where)
    : size_(size), where_(where), inside_(new inside) {}

loop_group::~loop_group() = default;

void loop_group::add(loop& l) {
  std::lock_guard lock(inside_->mutex);
  inside_->loops.push_back(&l);
}

void loop_group::remove(loop& l) {
  std::lock_guard lock(inside_->mutex);
  std::erase(inside_->loops, &l);
}

bool loop_group::post(loop& whom, std::function<void()> work) {
  // Under the lock, so that the loop cannot end in between.
  std::lock_guard lock(inside_->mutex);
  const auto& loops = inside_->loops;
  if (std::find(loops.begin(), loops.end(), &whom) == loops.end()) return false;
  whom.post(std::move(work));
  return true;
}

void loop_group::post_to_all(const std::function<void()>& work) {
  std::lock_guard lock(inside_->mutex);
  for (loop* l : inside_->loops) l->post(work);
}

group_share& loop_group::find_share(const loop& asking, const std::string& name,
                                    owned<group_share> (*make)()) {
  std::lock_guard lock(inside_->mutex);
  owned<group_share>& place = inside_->shares[{name, inside_->requests[{&asking, name}]++}];
  if (!place) place = make();
  return *place;
}

void loop_group::run_blocking(std::function<void()> job) {
  if (where_ == blocking_jobs::at_once) return job();
  inside_->pool.run(std::move(job));
}

}  // namespace soquete
