// Errors by the names of their numbers: ECONNREFUSED.  errno(3)
#pragma once

#include <string_view>

namespace command {

/// Empty for a number without a name here.
std::string_view error_name(int number) noexcept;

}  // namespace command
