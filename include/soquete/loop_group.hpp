// What the loops of one run() share: who they are, and threads for what cannot be awaited.
#pragma once

#include <cstdint>
#include <functional>
#include <soquete/owned.hpp>
#include <string>

namespace soquete {

class loop;

/// Something that all loops of a group use together, made by the first that needs it.
struct group_share {
  virtual ~group_share() = default;
};

/// Where jobs for run_blocking() are done: on threads of a pool, or at once on the loop's own thread, where a
/// simulated time stands still meanwhile.
enum class blocking_jobs : std::uint8_t { on_threads, at_once };

/// Thread-safe. Outlives its loops.
class loop_group {
 public:
  /// `size` is how many loops it will have.
  explicit loop_group(unsigned size = 1, blocking_jobs = blocking_jobs::on_threads);
  loop_group(const loop_group&) = delete;
  loop_group& operator=(const loop_group&) = delete;
  ~loop_group();

  /// How many loops it has.
  unsigned size() const noexcept { return size_; }

  void add(loop&);     ///< A loop joins as it is made.
  void remove(loop&);  ///< A loop leaves at its end.

  /// Runs `work` on that loop's thread; false if the loop has ended.
  bool post(loop&, std::function<void()> work);
  /// Runs `work` on every loop's thread.
  void post_to_all(const std::function<void()>& work);

  /// The share called `name`. The n-th request of each loop for one name gets the same one: loops of a group
  /// run the same program. Valid as long as the group.
  template <class Share>
  Share& share(loop& asking, const std::string& name) {
    return static_cast<Share&>(find_share(asking, name, [] { return owned<group_share>(new Share); }));
  }

  /// Runs `job` on a thread of the pool: at most eight, made when needed. Jobs wait their turn. Or at once:
  /// see blocking_jobs.
  void run_blocking(std::function<void()> job);

 private:
  struct inside;
  group_share& find_share(const loop& asking, const std::string& name, owned<group_share> (*make)());

  const unsigned size_;
  const blocking_jobs where_;
  owned<inside> inside_;
};

}  // namespace soquete
