// Closing and copying of descriptors that belong to no loop.
#include <fcntl.h>
#include <unistd.h>
#include <soquete/handle.hpp>

#include "kernel/kernel_driver.hpp"

namespace soquete {

handle::~handle() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

result<handle> handle::duplicate() const {
  const int copy = ::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return fail(kernel::system_error(step::adopt));
  return handle(copy);
}

}  // namespace soquete
