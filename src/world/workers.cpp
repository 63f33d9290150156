// Pieces of work, each done in one of several processes.  fork(2), pipe(2), waitpid(2)
#include "world/workers.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <soquete/driver.hpp>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define SOQUETE_LOOKS_FOR_LEAKS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SOQUETE_LOOKS_FOR_LEAKS 1
#endif
#endif
#if defined(SOQUETE_LOOKS_FOR_LEAKS) && defined(__linux__)
extern "C" int __lsan_do_recoverable_leak_check();  // Of the compiler's run time, sanitizer/lsan_interface.h.
#else
#undef SOQUETE_LOOKS_FOR_LEAKS
#endif

namespace soquete::sim {
namespace {

constexpr int exit_of_leaks = 23;  // As the sanitizer's own.

int look_for_leaks() {
#ifdef SOQUETE_LOOKS_FOR_LEAKS
  return __lsan_do_recoverable_leak_check() != 0 ? exit_of_leaks : 0;
#else
  return 0;
#endif
}

// False: nobody is there any more.
bool write_all(int to, const char* from, std::size_t size) {
  while (size != 0) {
    const ssize_t done = ::write(to, from, size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    from += done;
    size -= static_cast<std::size_t>(done);
  }
  return true;
}

bool read_all(int from, char* into, std::size_t size) {
  while (size != 0) {
    const ssize_t done = ::read(from, into, size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    into += done;
    size -= static_cast<std::size_t>(done);
  }
  return true;
}

bool send(int to, std::string_view bytes) {
  const std::uint64_t size = bytes.size();
  std::array<char, sizeof(size)> head{};
  std::memcpy(head.data(), &size, sizeof(size));
  return write_all(to, head.data(), head.size()) && write_all(to, bytes.data(), bytes.size());
}

bool receive(int from, std::string& bytes) {
  std::uint64_t size = 0;
  std::array<char, sizeof(size)> head{};
  if (!read_all(from, head.data(), head.size())) return false;
  std::memcpy(&size, head.data(), sizeof(size));
  bytes.resize(static_cast<std::size_t>(size));
  return read_all(from, bytes.data(), bytes.size());
}

class worker {
 public:
  worker() = default;
  worker(worker&& other) noexcept
      : process_(std::exchange(other.process_, -1)), from_(std::exchange(other.from_, -1)) {}
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  worker& operator=(worker&&) = delete;
  ~worker() {
    close();
    if (process_ < 0) return;
    ::kill(process_, SIGKILL);
    static_cast<void>(end());
  }

  // Runs `body` with where its answers go; it gives the exit status. False: there can be no other process.
  template <class F>
  bool start(F body, const std::vector<worker>& others) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) return false;
    for (const int one : ends) ::fcntl(one, F_SETFD, FD_CLOEXEC);
    // What is buffered would be written twice.
    std::fflush(nullptr);
    process_ = ::fork();
    if (process_ == 0) {
      ::close(ends[0]);
      // They would keep alive what nobody reads.
      for (const worker& one : others) ::close(one.from_);
      const int status = body(ends[1]);
      std::fflush(nullptr);
      ::_exit(status);
    }
    ::close(ends[1]);
    from_ = ends[0];
    if (process_ < 0) close();
    return process_ >= 0;
  }

  bool hear(std::string& bytes) { return receive(from_, bytes); }

  // Waits for its end; "" when that was in order.
  std::string end() {
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0)
      if (errno != EINTR) break;
    process_ = -1;
    if (WIFSIGNALED(status))
      return "its process died of signal " + std::to_string(WTERMSIG(status)) + ", see above";
    if (WEXITSTATUS(status) == exit_of_leaks) return "its process has leaked memory, see above";
    if (WEXITSTATUS(status) != 0)
      return "its process ended with exit status " + std::to_string(WEXITSTATUS(status)) + ", see above";
    return "";
  }

 private:
  void close() {
    if (from_ >= 0) ::close(std::exchange(from_, -1));
  }

  pid_t process_ = -1;
  int from_ = -1;
};

}  // namespace

void share_out(std::uint64_t count, unsigned processes, const std::function<answer(std::uint64_t)>& work,
               const std::function<bool(std::uint64_t, std::string_view, std::string_view)>& take) {
  if (count == 0) return;
  const bool is_apart = processes != 1;
  if (processes == 0) processes = usable_processors();
  processes = static_cast<unsigned>(std::min<std::uint64_t>(processes, count));
  // In turns, so that the answers can be heard in order.
  const auto part = [&](std::uint64_t first, int to) {
    for (std::uint64_t i = first; i < count; i += processes) {
      const answer made = work(i);
      if (!made.is_fine) std::fflush(nullptr);
      if (!send(to, made.bytes) || !made.is_fine) return 0;
    }
    return look_for_leaks();
  };
  std::vector<worker> all;
  for (unsigned i = 0; is_apart && i < processes; ++i) {
    worker one;
    if (!one.start([&](int to) { return part(i, to); }, all)) {
      all.clear();
      break;
    }
    all.push_back(std::move(one));
  }
  std::string bytes;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (all.empty()) {
      const answer made = work(i);
      if (!take(i, made.bytes, {})) return;
      continue;
    }
    worker& its = all[i % processes];
    const bool is_there = its.hear(bytes);
    std::string died = is_there ? "" : its.end();
    if (!is_there && died.empty()) died = "its process ended before its time";
    if (!take(i, is_there ? bytes : std::string(), died)) return;
    if (!is_there) return;
  }
  for (worker& one : all)
    if (const std::string died = one.end(); !died.empty() && !take(count - 1, {}, died)) return;
}

std::string apart(const std::function<std::string()>& work) {
  std::string bytes;
  worker one;
  const bool has_begun = one.start(
      [&](int to) {
        const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
        for (const int heard : {STDOUT_FILENO, STDERR_FILENO})
          if (nowhere >= 0) ::dup2(nowhere, heard);
        return send(to, work()) ? 0 : 1;
      },
      {});
  if (!has_begun || !one.hear(bytes)) bytes.clear();
  return bytes;
}

}  // namespace soquete::sim
