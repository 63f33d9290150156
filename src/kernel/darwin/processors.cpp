// How many processors this process may use.  sysconf(3)
#include <unistd.h>
#include <soquete/driver.hpp>

namespace soquete {

unsigned usable_processors() noexcept {
  const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
  return online < 1 ? 1U : static_cast<unsigned>(online);
}

}  // namespace soquete
