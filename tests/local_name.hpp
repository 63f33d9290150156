// Names for local sockets in tests: a folder of one's own, removed at the end.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <soquete/local_datagram.hpp>
#include <string>

namespace soquete::test {

/// A new folder, removed with all that is in it.
class own_folder {
 public:
  own_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "soquete-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  own_folder(const own_folder&) = delete;
  own_folder& operator=(const own_folder&) = delete;
  ~own_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path(const std::string& name) const { return path_ + "/" + name; }
  /// As a where: "unix:/tmp/…/name".
  std::string at(const std::string& name) const { return "unix:" + path(name); }
  bool has(const std::string& name) const { return std::filesystem::exists(path(name)); }

 private:
  std::string path_;
};

/// Is anything at that name? As any driver's system says to one who connects.
inline task<result<bool>> is_there(std::string where) {
  const auto asked = co_await local::connect_datagram(where);
  co_return asked || asked.error() != std::errc::no_such_file_or_directory;
}

}  // namespace soquete::test
