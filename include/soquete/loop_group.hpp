// What the loops of one run() share: who they are, and threads for what cannot be awaited.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace soquete {

class loop;

/// Something that all loops of a group use together, made by the first that needs it.
struct group_share {
  virtual ~group_share() = default;
};

/// Thread-safe. Outlives its loops.
class loop_group {
 public:
  /// `size` is how many loops it will have.
  explicit loop_group(unsigned size = 1) noexcept : size_(size) {}
  loop_group(const loop_group&) = delete;
  loop_group& operator=(const loop_group&) = delete;
  ~loop_group();

  unsigned size() const noexcept { return size_; }

  void add(loop&);
  void remove(loop&);

  /// Runs `work` on that loop's thread; false if the loop has ended.
  bool post(loop&, std::function<void()> work);
  /// Runs `work` on every loop's thread.
  void post_to_all(const std::function<void()>& work);

  /// The share called `name`. The n-th request of each loop for one name gets the same one: loops of a group
  /// run the same program. Valid as long as the group.
  template <class Share>
  Share& share(loop& asking, const std::string& name) {
    std::lock_guard lock(mutex_);
    std::unique_ptr<group_share>& place = place_of_share(asking, name);
    if (!place) place = std::make_unique<Share>();
    return static_cast<Share&>(*place);
  }

  /// Runs `job` on a thread of the pool: at most eight, made when needed. Jobs wait their turn.
  void run_blocking(std::function<void()> job);

 private:
  std::unique_ptr<group_share>& place_of_share(const loop& asking, const std::string& name);
  void work();

  const unsigned size_;
  std::mutex mutex_;
  std::vector<loop*> loops_;
  std::map<std::pair<const loop*, std::string>, unsigned> requests_;
  std::map<std::pair<std::string, unsigned>, std::unique_ptr<group_share>> shares_;

  std::mutex pool_mutex_;
  std::condition_variable pool_changed_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
  unsigned idle_threads_ = 0;
  bool ending_ = false;
};

}  // namespace soquete
