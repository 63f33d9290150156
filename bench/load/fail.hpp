// The only way out of a failed run: say why, and exit with 1.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace load {

[[noreturn]] inline void fail(const char* why) {
  std::fprintf(stderr, "load: %s\n", why);
  std::exit(1);
}

[[noreturn]] inline void fail_errno(const char* step) {
  std::fprintf(stderr, "load: %s: %s\n", step, std::strerror(errno));
  std::exit(1);
}

}  // namespace load
