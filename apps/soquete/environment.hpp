// What a program is told of the client that it serves.  UCSPI: cr.yp.to/proto/ucspi.txt
#pragma once

#include <string>
#include <vector>

#include "peer.hpp"

namespace command {

/// "NAME=value" each. `number` counts the clients of this run.
std::vector<std::string> variables_of(peer& client, std::uint64_t number);

}  // namespace command
