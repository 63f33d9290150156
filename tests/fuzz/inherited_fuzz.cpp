// Any bytes as LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES and a name to look for.  sd_listen_fds(3)
#include <unistd.h>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "inherited.hpp"

namespace {

using namespace soquete;

void must(bool law) {
  if (!law) std::abort();
}

// The next field, up to a line feed; without zero bytes, which no variable can hold.
std::string next(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  std::string field(rest.substr(0, end));
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  std::erase(field, '\0');
  return field;
}

// What the man page says, written another way.
int expected(const std::string& names, std::string_view name, long long count) {
  if (name.empty()) return 3;
  std::size_t from = 0;
  for (int i = 0; i < count; ++i) {
    const std::size_t end = std::min(names.find(':', from), names.size());
    if (std::string_view(names).substr(from, end - from) == name) return 3 + i;
    if (end == names.size()) break;
    from = end + 1;
  }
  return -1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string fds = next(rest), names = next(rest), name = next(rest), pid = next(rest);
  const std::string ours = std::to_string(::getpid());
  // Mostly meant for us, else nothing else would be reached.
  ::setenv("LISTEN_PID", pid.empty() ? ours.c_str() : pid.c_str(), 1);
  ::setenv("LISTEN_FDS", fds.c_str(), 1);
  ::setenv("LISTEN_FDNAMES", names.c_str(), 1);
  const auto got = inherited_descriptor(name);

  long long count = -1;
  const auto [end, cause] = std::from_chars(fds.data(), fds.data() + fds.size(), count);
  const bool is_number = cause == std::errc() && end == fds.data() + fds.size() && count <= INT32_MAX;
  if (!got) {
    must(got.error() == fault::not_inherited && !got.error().detail().empty());
    for (const char c : to_string(got.error())) must(name.find(c) != name.npos || (c >= ' ' && c <= '~'));
  } else {
    must(*got >= 3 && is_number && *got < 3 + count);
  }
  if (pid.empty() && is_number && count > 0) must(got.value_or(-1) == expected(names, name, count));
  return 0;
}
