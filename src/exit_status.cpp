// How a program ended, in words.
#include <array>
#include <csignal>
#include <soquete/exit_status.hpp>
#include <string_view>
#include <utility>

namespace soquete {
namespace {

// Those that end a process unless it says otherwise.  signal(7). strsignal() has sentences, no names.
constexpr std::array<std::pair<int, std::string_view>, 20> names{
    {{SIGHUP, "HUP"},   {SIGINT, "INT"},   {SIGQUIT, "QUIT"}, {SIGILL, "ILL"},       {SIGTRAP, "TRAP"},
     {SIGABRT, "ABRT"}, {SIGBUS, "BUS"},   {SIGFPE, "FPE"},   {SIGKILL, "KILL"},     {SIGUSR1, "USR1"},
     {SIGSEGV, "SEGV"}, {SIGUSR2, "USR2"}, {SIGPIPE, "PIPE"}, {SIGALRM, "ALRM"},     {SIGTERM, "TERM"},
     {SIGXCPU, "XCPU"}, {SIGXFSZ, "XFSZ"}, {SIGSYS, "SYS"},   {SIGVTALRM, "VTALRM"}, {SIGPROF, "PROF"}}};

std::string name_of(int signal) {
  for (const auto& [number, name] : names)
    if (number == signal) return std::string("SIG").append(name);
  return "signal " + std::to_string(signal);
}

}  // namespace

std::string to_string(const exit_status& how) {
  if (how.signal == 0) return "exited with " + std::to_string(how.code);
  return "killed by " + name_of(how.signal) + (how.dumped_core ? " (core dumped)" : "");
}

}  // namespace soquete
