// What is told where another system has more.
#include "kernel/system.hpp"

namespace soquete::kernel {

error only_on_linux(step during, std::string_view what) {
  error why(fault::unsupported, during);
  return std::move(why.set_detail(std::string(what) + ": Linux only"));
}

}  // namespace soquete::kernel
