// The server seen from outside: CPU time and memory of its process.  proc(5)
#pragma once

#include <dirent.h>

#include <cstdint>
#include <string>

#include "fail.hpp"

namespace load {

class server {
 public:
  explicit server(int pid) : folder_("/proc/" + std::to_string(pid)) {}

  // Nanoseconds on a CPU, user and kernel, of all its threads. The ticks of /proc/PID/stat are 10 ms: too
  // coarse.
  std::uint64_t cpu_ns() const {
    std::string tasks = folder_ + "/task";
    DIR* list = opendir(tasks.c_str());
    if (!list) fail_errno("the server has gone");
    std::uint64_t sum = 0;
    while (dirent* entry = readdir(list))
      if (entry->d_name[0] != '.') sum += first_number(tasks + "/" + entry->d_name + "/schedstat", "%llu");
    closedir(list);
    return sum;
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
