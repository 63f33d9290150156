// Sockets passed by a service manager.  sd_listen_fds(3)
#include "inherited.hpp"

#include <unistd.h>
#include <charconv>
#include <cstdlib>

namespace soquete {
namespace {

constexpr int first_descriptor = 3;

std::string_view variable(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? std::string_view() : text;
}

int number(std::string_view text) {
  int value = -1;
  const auto [end, cause] = std::from_chars(text.data(), text.data() + text.size(), value);
  return cause == std::errc() && end == text.data() + text.size() ? value : -1;
}

}  // namespace

result<int> inherited_descriptor(std::string_view name) {
  const auto missing = [&](std::string_view why) {
    error e(fault::not_inherited, step::open);
    return fail(std::move(e.set_subject(std::string("systemd:").append(name)).set_detail(why)));
  };
  // Meant for another process: an environment that we have inherited by chance.
  const std::string_view pid = variable("LISTEN_PID");
  if (pid.empty()) return missing("LISTEN_PID is not set");
  if (number(pid) != static_cast<int>(::getpid())) return missing("LISTEN_PID names another process");
  const int count = number(variable("LISTEN_FDS"));
  if (count <= 0) return missing("LISTEN_FDS holds no number above 0");
  if (name.empty()) return first_descriptor;

  std::string_view names = variable("LISTEN_FDNAMES");
  for (int i = 0; i < count && !names.empty(); ++i) {
    const std::size_t end = names.find(':');
    if (names.substr(0, end) == name) return first_descriptor + i;
    names = end == std::string_view::npos ? std::string_view() : names.substr(end + 1);
  }
  return missing("LISTEN_FDNAMES has no such name");
}

}  // namespace soquete
