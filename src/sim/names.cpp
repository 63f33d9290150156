// The names of local sockets on one simulated host.
#include "sim/names.hpp"

#include <cerrno>
#include <filesystem>

namespace soquete::sim {
namespace {

constexpr unsigned owner_may_write = 0200;

}  // namespace

std::string name_table::path_of(const endpoint& name) {
  return (std::filesystem::path("/") / name.local_name()).lexically_normal().string();
}

// As unix_find_other() has it: a path may be missing, forbidden or stale; an abstract name may only be free.
name_table::found name_table::find(const endpoint& name) const {
  if (name.is_abstract()) {
    const auto at = abstract_.find(name.local_name());
    if (at == abstract_.end()) return {ECONNREFUSED};
    return {0, at->second};
  }
  if (!name.is_local() || name.local_name().empty()) return {EINVAL};
  const auto at = paths_.find(path_of(name));
  if (at == paths_.end()) return {ENOENT};
  if ((at->second.mode & owner_may_write) == 0) return {EACCES};
  if (at->second.leads_to == nullptr) return {ECONNREFUSED};
  return {0, at->second.leads_to};
}

int name_table::bind(const endpoint& name, local_end& whose) {
  if (name.is_abstract())
    return abstract_.emplace(std::string(name.local_name()), &whose).second ? 0 : EADDRINUSE;
  const auto [at, is_new] = paths_.try_emplace(path_of(name));
  if (!is_new) return EADDRINUSE;
  at->second = {++files_, &whose};
  return 0;
}

bool name_table::remove_stale(const endpoint& name) {
  return find(name).cause == ECONNREFUSED && paths_.erase(path_of(name)) != 0;
}

void name_table::set_mode(const endpoint& name, unsigned mode) {
  if (const auto at = paths_.find(path_of(name)); at != paths_.end()) at->second.mode = mode;
}

void name_table::forget(const endpoint& name, const local_end& whose) noexcept {
  if (name.is_abstract()) {
    const auto at = abstract_.find(name.local_name());
    if (at != abstract_.end() && at->second == &whose) abstract_.erase(at);
  } else if (const auto at = paths_.find(path_of(name));
             at != paths_.end() && at->second.leads_to == &whose) {
    at->second.leads_to = nullptr;
  }
}

std::uint64_t name_table::file_of(const endpoint& name, const local_end& whose) const {
  const auto at = paths_.find(path_of(name));
  return at != paths_.end() && at->second.leads_to == &whose ? at->second.file : 0;
}

bool name_table::is_there(const std::string& path, std::uint64_t file) const {
  const auto at = paths_.find(path);
  return at != paths_.end() && at->second.file == file;
}

void name_table::remove(const std::string& path, std::uint64_t file) {
  if (is_there(path, file)) paths_.erase(path);
}

}  // namespace soquete::sim
