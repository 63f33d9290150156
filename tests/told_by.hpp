// What sim::check() and its like say of a failure.
#pragma once

#include <soquete/sim.hpp>
#include <string>

namespace soquete::test {

/// Empty: all goes well.
template <class F>
std::string told_by(F run) {
  try {
    run();
  } catch (const sim::failed& why) {
    return why.what();
  }
  return "";
}

}  // namespace soquete::test
