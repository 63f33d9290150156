// How many processors this process may use.  sched_getaffinity(2), cgroups(7)
#include <sched.h>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <soquete/driver.hpp>
#include <string>

namespace soquete {
namespace {

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

}  // namespace soquete
