// What a run is going to do, in words.
#pragma once

#include <string>

#include "options.hpp"

namespace command {

/// All its steps, for --explain.
std::string plan_of(const options& how);

/// What becomes of each client of a server.
std::string purpose_of(const options& how);

}  // namespace command
