// The names of local sockets on one simulated host: paths of a file system that holds nothing else, and
// abstract names.  unix(7)
#pragma once

#include <map>
#include <soquete/endpoint.hpp>
#include <string>

#include "sim/shared.hpp"

namespace soquete::sim {

class local_end;

/// Paths outlive the programs that made them: one that nobody has open is stale. Every folder exists, and
/// anybody may write there; a relative path begins at the root.
class name_table {
 public:
  /// What a name leads to: 0 and the socket, or an errno.
  struct found {
    int cause = 0;
    local_end* it = nullptr;
  };
  found find(const endpoint& name) const;

  /// 0 or an errno. The name leads there until that is forgotten.
  int bind(const endpoint& name, local_end& whose);
  /// Removes a path that leads to nobody, as one sees who may connect. False: it stays, or is none.
  bool remove_stale(const endpoint& name);
  void set_mode(const endpoint& name, unsigned mode);
  /// The socket is open no longer: an abstract name is free, a path is stale.
  void forget(const endpoint& name, const local_end& whose) noexcept;
  /// Where the socket has been bound, as long as the path leads there: the number of the file, or 0.
  std::uint64_t file_of(const endpoint& name, const local_end& whose) const;
  /// Removes the path if it still is that file.
  void remove(const std::string& path, std::uint64_t file);
  bool is_there(const std::string& path, std::uint64_t file) const;

  /// As the table knows it: absolute, without detours.
  static std::string path_of(const endpoint& name);

 private:
  struct entry {
    std::uint64_t file = 0;  ///< Its number.
    local_end* leads_to = nullptr;
    unsigned mode = 0777;
  };
  std::map<std::string, entry, std::less<>> paths_;
  std::map<std::string, local_end*, std::less<>> abstract_;
  std::uint64_t files_ = 0;
};

}  // namespace soquete::sim
