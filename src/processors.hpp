// Which processors threads run on.  sched_setaffinity(2)
#pragma once

#include <vector>

namespace soquete {

/// Numbers of those that this thread may run on; empty where the system does not tell.
std::vector<int> processors_of_this_thread();

/// Keeps this thread on one processor as long as it lives; afterwards it may run where it might before.
class pinned_thread {
 public:
  explicit pinned_thread(int processor);  ///< -1: any.
  pinned_thread(const pinned_thread&) = delete;
  pinned_thread& operator=(const pinned_thread&) = delete;
  ~pinned_thread();

  int processor() const noexcept { return processor_; }  ///< -1 where that was refused, too.

 private:
  int processor_;
};

/// As long as it lives this thread is not kept anywhere: what it starts inherits where it may run.
class unpinned_thread {
 public:
  unpinned_thread() noexcept;
  unpinned_thread(const unpinned_thread&) = delete;
  unpinned_thread& operator=(const unpinned_thread&) = delete;
  ~unpinned_thread();
};

}  // namespace soquete
