// Sockets that a service manager has passed to us.
#include "inherited.hpp"

#include <fmt/ranges.h>
#include <unistd.h>
#include <cstdlib>

#include "locale.hpp"

namespace command {
namespace {

constexpr int first_descriptor = 3;
constexpr std::uint64_t descriptors_max = 100'000;

std::string_view variable(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? std::string_view() : text;
}

std::vector<std::string_view> names() {
  std::vector<std::string_view> all;
  std::string_view rest = variable("LISTEN_FDNAMES");
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    all.push_back(rest.substr(0, colon));
    rest = colon == rest.npos ? std::string_view() : rest.substr(colon + 1);
  }
  return all;
}

// Opened by whom one can try it with.
std::string how_to_start(std::string_view name) {
  const std::string option = name.empty() ? "" : fmt::format(" --fdname={}", name);
  return fmt::format("systemd-socket-activate -l 8080{} soquete listen systemd:{} echo:", option, name);
}

}  // namespace

read<std::vector<int>> inherited_descriptors(std::string_view name) {
  const std::string_view pid = variable("LISTEN_PID");
  if (pid.empty())
    return wrong(_("no socket was passed to soquete: LISTEN_PID is not set."), how_to_start(name));
  // Meant for another process: an environment that we have inherited by chance.
  if (number_from(pid, UINT32_MAX) != static_cast<std::uint64_t>(::getpid()))
    return wrong(
        _("the sockets are for process {}, says LISTEN_PID, and this is process {}.", pid, ::getpid()),
        _("in a script that starts it: exec soquete listen systemd:{} …", name));
  const auto count = number_from(variable("LISTEN_FDS"), descriptors_max);
  if (!count || *count == 0)
    return wrong(_("LISTEN_FDS holds no number above 0, but '{}'.", variable("LISTEN_FDS")),
                 how_to_start(name));
  const std::vector<std::string_view> called = names();
  std::vector<int> found;
  for (std::size_t i = 0; i < *count; ++i)
    if (name.empty() || (i < called.size() && called[i] == name))
      found.push_back(first_descriptor + static_cast<int>(i));
  if (!found.empty()) return found;
  if (called.empty())
    return wrong(
        _("the sockets that were passed have no names: LISTEN_FDNAMES is not set."),
        _("systemd: for all of them     or a name: FileDescriptorName={} in the .socket unit", name));
  const std::string_view near = nearest(name, called);
  return wrong(
      _("no socket that was passed is called {}; they are called {}.", name, fmt::join(called, ", ")),
      fmt::format("systemd:{}", near.empty() ? called.front() : near));
}

}  // namespace command
