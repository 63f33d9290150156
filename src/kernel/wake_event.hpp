// A descriptor that another thread can make readable.  eventfd(2), pipe(2)
#pragma once

#include <soquete/error.hpp>

namespace soquete::kernel {

class wake_event {
 public:
  wake_event() = default;
  wake_event(const wake_event&) = delete;
  wake_event& operator=(const wake_event&) = delete;
  ~wake_event();

  result<void> open();
  int descriptor() const noexcept { return descriptor_; }
  /// From any thread.
  void signal() noexcept;
  void clear() noexcept;

 private:
  int descriptor_ = -1;
  int other_end_ = -1;  ///< Written to, where it is another one than is read.
};

}  // namespace soquete::kernel
