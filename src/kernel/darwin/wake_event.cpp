// A descriptor that another thread can make readable: the end of a pipe.
#include "kernel/wake_event.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <array>
#include <cerrno>

#include "kernel/kernel_driver.hpp"

namespace soquete::kernel {

wake_event::~wake_event() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (other_end_ >= 0) ::close(other_end_);
}

result<void> wake_event::open() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return fail(system_error(step::start_driver));
  descriptor_ = ends[0];
  other_end_ = ends[1];
  for (const int end : ends) {
    ::fcntl(end, F_SETFD, FD_CLOEXEC);
    ::fcntl(end, F_SETFL, O_NONBLOCK);
  }
  return {};
}

void wake_event::signal() noexcept {
  // A full pipe (EAGAIN) is readable already.
  while (::write(other_end_, "", 1) < 0 && errno == EINTR) {}
}

void wake_event::clear() noexcept {
  std::array<char, 512> room;
  for (;;) {
    const ssize_t got = ::read(descriptor_, room.data(), room.size());
    if (got < static_cast<ssize_t>(room.size()) && !(got < 0 && errno == EINTR)) return;
  }
}

}  // namespace soquete::kernel
