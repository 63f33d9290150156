// A descriptor that another thread can make readable: a counter.
#include "kernel/wake_event.hpp"

#include <sys/eventfd.h>
#include <unistd.h>
#include <cerrno>
#include <cstdint>

#include "kernel/kernel_driver.hpp"

namespace soquete::kernel {

wake_event::~wake_event() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

result<void> wake_event::open() {
  descriptor_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (descriptor_ < 0) return fail(system_error(step::start_driver));
  return {};
}

void wake_event::signal() noexcept {
  const std::uint64_t one = 1;
  // A full counter (EAGAIN) is readable already.
  while (::write(descriptor_, &one, sizeof one) < 0 && errno == EINTR) {}
}

void wake_event::clear() noexcept {
  std::uint64_t count;
  while (::read(descriptor_, &count, sizeof count) < 0 && errno == EINTR) {}
}

}  // namespace soquete::kernel
