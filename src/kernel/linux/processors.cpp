// How many processors this process may use, and which.  sched_getaffinity(2), cgroups(7)
#include "processors.hpp"

#include <sched.h>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <soquete/driver.hpp>
#include <string>

namespace soquete {
namespace {

// Where this thread might run before it was pinned, and where it is.
struct pin {
  cpu_set_t before;
  cpu_set_t now;
};
thread_local std::optional<pin> this_pin;

// The quota of cgroup v2's `cpu.max`, "150000 100000" or "max 100000", in processors; 0 when there is none.
unsigned quota_in(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return static_cast<unsigned>(std::ceil(std::strtod(quota.c_str(), nullptr) / period));
}

std::string cgroup_folder() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("0::")) return "/sys/fs/cgroup" + line.substr(3);
  return {};
}

}  // namespace

unsigned usable_processors() noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  unsigned count = 1;
  if (::sched_getaffinity(0, sizeof set, &set) == 0)
    count = static_cast<unsigned>(std::max(CPU_COUNT(&set), 1));
  // Any group on the way up may have the tightest quota.
  for (std::string folder = cgroup_folder(); folder.size() > std::string("/sys/fs/cgroup").size();
       folder.resize(folder.find_last_of('/'))) {
    if (const unsigned quota = quota_in(folder); quota != 0) count = std::min(count, quota);
  }
  return count;
}

std::vector<int> processors_of_this_thread() {
  std::vector<int> numbers;
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return numbers;
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &set)) numbers.push_back(i);
  return numbers;
}

pinned_thread::pinned_thread(int processor) : processor_(processor) {
  if (processor < 0) return;
  if (this_pin) {  // By an outer run: that one stays.
    processor_ = -1;
    return;
  }
  pin made{};
  CPU_SET(processor, &made.now);
  if (::sched_getaffinity(0, sizeof made.before, &made.before) != 0 ||
      ::sched_setaffinity(0, sizeof made.now, &made.now) != 0)
    processor_ = -1;
  else
    this_pin = made;
}

pinned_thread::~pinned_thread() {
  if (processor_ < 0) return;
  ::sched_setaffinity(0, sizeof this_pin->before, &this_pin->before);
  this_pin.reset();
}

unpinned_thread::unpinned_thread() noexcept {
  if (this_pin) ::sched_setaffinity(0, sizeof this_pin->before, &this_pin->before);
}

unpinned_thread::~unpinned_thread() {
  if (this_pin) ::sched_setaffinity(0, sizeof this_pin->now, &this_pin->now);
}

}  // namespace soquete
