// Closing and copying of descriptors that belong to no loop.
#include <fcntl.h>
#include <unistd.h>
#include <soquete/owned_descriptor.hpp>

#include "kernel/kernel_driver.hpp"

namespace soquete {

owned_descriptor::~owned_descriptor() {
  if (home_ != nullptr) {
    home_->close(home_, descriptor_);
    home_->let_go();
  } else if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

result<owned_descriptor> owned_descriptor::duplicate() const {
  if (home_ != nullptr) return home_->duplicate(home_, descriptor_);
  const int copy = ::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return fail(kernel::system_error(step::adopt));
  return owned_descriptor(copy);
}

}  // namespace soquete
