// Tests with programs of other makes: their files, their servers, how they end.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "process.hpp"

namespace soquete::test {

/// Gone with the test.
class folder {
 public:
  folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "soquete-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline void write_file(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

/// How a program ended, and what it wrote.
struct outcome {
  int status = -1;
  std::string output;
  std::string errors;
};

/// Runs it to its end.
inline outcome run(const std::vector<std::string>& words, std::string input = {},
                   bool keeps_input_open = false) {
  process one(words, {.input = std::move(input), .keeps_input_open = keeps_input_open});
  const int status = one.wait();
  return {status, one.output, one.errors};
}

/// A server of another make, which cannot tell a port that the system chose: a free one is found, and another
/// if somebody else was faster. `start` gives the words for a port.
class foreign_server {
 public:
  /// Connects to see whether it is there; not for servers of one client.
  explicit foreign_server(const std::function<std::vector<std::string>(std::uint16_t)>& start) {
    for (int attempt = 0; attempt < 5; ++attempt) {
      port_ = wire::listening().port();
      process_ = std::make_unique<process>(start(port_));
      const auto end = std::chrono::steady_clock::now() + patience;
      while (process_->is_running() && std::chrono::steady_clock::now() < end) {
        if (wire::connected(port_).is_open()) return;
        process_->until([] { return false; }, std::chrono::milliseconds(20));
      }
    }
    ADD_FAILURE() << "it does not start: " << process_->errors;
  }
  std::uint16_t port() const noexcept { return port_; }
  std::string address() const { return at_port(port_); }
  process& program() { return *process_; }

 private:
  std::uint16_t port_ = 0;
  std::unique_ptr<process> process_;
};

}  // namespace soquete::test
