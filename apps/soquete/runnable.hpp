// Programs before they are run.  access(2)
#pragma once

#include <string>
#include <system_error>

namespace command {

/// Can it be run? The cause if not: no_such_file_or_directory, permission_denied.
std::error_code why_not_runnable(const std::string& program);

}  // namespace command
