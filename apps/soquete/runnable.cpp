// Programs before they are run.
#include "runnable.hpp"

#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace command {

std::error_code why_not_runnable(const std::string& program) {
  const auto check = [](const std::string& file) {
    return ::access(file.c_str(), X_OK) == 0 ? std::error_code()
                                             : std::error_code(errno, std::generic_category());
  };
  if (program.find('/') != program.npos) return check(program);
  const char* const path = std::getenv("PATH");
  std::string_view folders = path == nullptr ? "/bin:/usr/bin" : path;
  std::error_code why = std::make_error_code(std::errc::no_such_file_or_directory);
  for (;;) {
    const std::size_t colon = folders.find(':');
    const std::string_view folder = folders.substr(0, colon);
    const std::error_code here = check(std::string(folder.empty() ? "." : folder) + "/" + program);
    if (!here) return here;
    if (here == std::errc::permission_denied) why = here;
    if (colon == folders.npos) return why;
    folders.remove_prefix(colon + 1);
  }
}

}  // namespace command
