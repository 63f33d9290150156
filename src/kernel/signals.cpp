// Signals that are watched for instead of handled.  pthread_sigmask(3), signal(7)
#include <csignal>
#include <cstdlib>
#include <soquete/driver.hpp>

namespace soquete {
namespace {

sigset_t set_of(std::span<const int> signals) noexcept {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : signals) sigaddset(&set, number);
  return set;
}

}  // namespace

void block_signals(std::span<const int> signals) noexcept {
  const sigset_t set = set_of(signals);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void unblock_signals(std::span<const int> signals) noexcept {
  const sigset_t set = set_of(signals);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void die_of_signal(int signal) noexcept {
  std::signal(signal, SIG_DFL);
  unblock_signals({&signal, 1});
  std::raise(signal);
  std::_Exit(128 + signal);
}

}  // namespace soquete
