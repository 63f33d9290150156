// Which addresses can be joined, and in which roles.
#pragma once

#include <optional>

#include "options.hpp"

namespace command {

/// What is wrong with the two addresses of a run, each of which is right by itself; and what to write
/// instead.
std::optional<mistake> check_pair(const options& o);

}  // namespace command
