// How many processors this process may use; to stay on one is not to be had.  sysconf(3)
#include "processors.hpp"

#include <unistd.h>
#include <soquete/driver.hpp>

namespace soquete {

unsigned usable_processors() noexcept {
  const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
  return online < 1 ? 1U : static_cast<unsigned>(online);
}

std::vector<int> processors_of_this_thread() { return {}; }

pinned_thread::pinned_thread(int) : processor_(-1) {}
pinned_thread::~pinned_thread() = default;

unpinned_thread::unpinned_thread() noexcept = default;
unpinned_thread::~unpinned_thread() = default;

}  // namespace soquete
