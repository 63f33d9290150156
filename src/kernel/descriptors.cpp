// Handles to new things, and to what this program was started with.
#include "descriptors.hpp"

#include <fcntl.h>

#include "kernel/kernel_driver.hpp"
#include "kernel/system.hpp"

namespace soquete {

using kernel::system_error;

result<descriptor_pair> make_pipe() {
  int ends[2];
  if (kernel::open_pipe(ends) != 0) return fail(system_error(step::open));
  return descriptor_pair{owned_descriptor(ends[0]), owned_descriptor(ends[1])};
}

result<descriptor_pair> make_socket_pair() {
  int ends[2];
  if (kernel::open_waiting_pair(ends) != 0) return fail(system_error(step::open));
  return descriptor_pair{owned_descriptor(ends[0]), owned_descriptor(ends[1])};
}

result<owned_descriptor> open_null() {
  const int number = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (number < 0) return fail(system_error(step::open).set_subject("/dev/null"));
  return owned_descriptor(number);
}

result<owned_descriptor> copy_of(int number, int lowest) {
  const int copy = ::fcntl(number, F_DUPFD_CLOEXEC, lowest);
  if (copy < 0) return fail(system_error(step::adopt));
  return owned_descriptor(copy);
}

bool was_inherited(int number) noexcept {
  const int flags = ::fcntl(number, F_GETFD);
  return flags >= 0 && (flags & FD_CLOEXEC) == 0;
}

}  // namespace soquete
