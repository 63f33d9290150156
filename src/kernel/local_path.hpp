// Paths of local sockets in the file system: claimed by one, taken over when nobody answers.  unix(7)
#pragma once

#include <string>

namespace soquete::kernel {

/// Holds the lock of a directory. Claiming a path takes several steps, and of two servers that start at once
/// one must see all of the other's.  flock(2)
class directory_lock {
 public:
  /// Waits for it, a second at most. Without permission to open the directory there is no lock.
  explicit directory_lock(const std::string& path_in_it) noexcept;
  directory_lock(const directory_lock&) = delete;
  directory_lock& operator=(const directory_lock&) = delete;
  ~directory_lock();

  bool is_held() const noexcept { return is_held_; }
  /// Somebody else has it, and keeps it.
  bool is_busy() const noexcept { return descriptor_ >= 0 && !is_held_; }

 private:
  int descriptor_ = -1;
  bool is_held_ = false;
};

/// Is there a socket at this path that belongs to no process any more?
bool is_stale_socket(const std::string& path) noexcept;

}  // namespace soquete::kernel
