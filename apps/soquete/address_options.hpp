// Options of an address: what stands after its commas.
#pragma once

#include <optional>
#include <string_view>

#include "address.hpp"

namespace command {

/// Reads "nodelay" or "rcvbuf=64KiB" into the place; or tells what is wrong with it.
std::optional<mistake> apply_option(place& into, std::string_view option, role as);

}  // namespace command
