// Datagrams that did not arrive. The load never has more in flight than fit into the receive buffers, so
// there should be none; a few say that the machine was busy, more that the run is worth nothing.
#pragma once

#include <cstdint>

#include "fail.hpp"

namespace load {

// Sent and not seen again, of all that were sent. Fails where it is more than one of a hundred.
inline double losses(std::uint64_t sent, std::uint64_t seen) {
  if (seen > sent) fail("more datagrams came back than were sent");
  std::uint64_t lost = sent - seen;
  if (lost * 100 > sent) {
    std::fprintf(stderr, "load: %llu of %llu datagrams lost\n", static_cast<unsigned long long>(lost),
                 static_cast<unsigned long long>(sent));
    std::exit(1);
  }
  return static_cast<double>(lost);
}

}  // namespace load
