// Sockets that a service manager has passed to us.  sd_listen_fds(3)
#pragma once

#include <string_view>
#include <vector>

#include "words.hpp"

namespace command {

/// The descriptors with that name in LISTEN_FDNAMES, or all of them for an empty name. At least one; else why
/// there is none, and what to do.
read<std::vector<int>> inherited_descriptors(std::string_view name);

}  // namespace command
