// The server seen from outside: CPU time and memory of its process.  proc(5)
#pragma once

#include <dirent.h>

#include <cstdint>
#include <map>
#include <string>

#include "fail.hpp"

namespace load {

class server {
 public:
  explicit server(int pid) : folder_("/proc/" + std::to_string(pid)) {}

  // Nanoseconds on a CPU, user and kernel, by thread. The ticks of /proc/PID/stat are 10 ms: too coarse.
  using cpu_times = std::map<std::string, std::uint64_t>;
  cpu_times cpu_ns() const {
    std::string tasks = folder_ + "/task/";
    DIR* list = opendir(tasks.c_str());
    if (!list) fail_errno("the server has gone");
    cpu_times found;
    while (dirent* entry = readdir(list))
      if (std::string name = entry->d_name; name[0] != '.')
        found[name] = first_number(tasks + name + "/schedstat", "%llu");
    closedir(list);
    return found;
  }

  // Bytes of memory that are in RAM. The kernel's own, such as socket buffers, are not among them.
  std::uint64_t resident_bytes() const {
    return first_number(folder_ + "/smaps_rollup", "%*[^\n]\nRss: %llu kB") * 1024;
  }

 private:
  static std::uint64_t first_number(const std::string& path, const char* format) {
    unsigned long long value = 0;
    std::FILE* file = std::fopen(path.c_str(), "re");
    if (!file) return 0;  // A thread that has just ended.
    if (std::fscanf(file, format, &value) != 1) value = 0;
    std::fclose(file);
    return value;
  }

  std::string folder_;
};

}  // namespace load
