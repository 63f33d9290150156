// Paths of local sockets in the file system.
#include "kernel/local_path.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <climits>

#include "kernel/kernel_driver.hpp"
#include "kernel/sockaddr.hpp"
#include "kernel/system.hpp"

namespace soquete::kernel {
namespace {

constexpr unsigned permission_bits = 0777;
constexpr int lock_tries = 1000;  // Of a millisecond.

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

std::string absolute(const std::string& path) {
  char here[PATH_MAX];
  if (path.starts_with('/') || ::getcwd(here, sizeof here) == nullptr) return path;
  return std::string(here) + '/' + path;
}

bool is_socket_at(const std::string& path, struct stat& about) noexcept {
  return ::lstat(path.c_str(), &about) == 0 && S_ISSOCK(about.st_mode);
}

// On some systems it has a sign.
std::uint64_t device_of(const struct stat& about) noexcept {
  return static_cast<std::uint64_t>(about.st_dev);
}

bool is_still_its(const owned_path& ours) noexcept {
  struct stat about{};
  return is_socket_at(ours.path, about) && device_of(about) == ours.device && about.st_ino == ours.inode;
}

error busy(step during) {
  error why(std::errc::address_in_use, during);
  return std::move(why.set_detail("another process keeps its directory locked"));
}

int bind_to(const socket_block& block, const endpoint& where) noexcept {
  const socket_address to(where);
  return ::bind(block.descriptor, to.get(), to.size);
}

}  // namespace

directory_lock::directory_lock(const std::string& path_in_it) noexcept
    : descriptor_(::open(directory_of(path_in_it).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  for (int i = 0; descriptor_ >= 0 && i < lock_tries; ++i) {
    is_held_ = ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
    if (is_held_ || (errno != EWOULDBLOCK && errno != EINTR)) break;
    ::poll(nullptr, 0, 1);
  }
}

directory_lock::~directory_lock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

// A datagram socket asks without disturbing: a stream would be one more connection for the server to accept.
// Whatever the type of the socket there, the kernel says "refused" only where no process has it open.
bool is_stale_socket(const std::string& path) noexcept {
  struct stat about{};
  if (!is_socket_at(path, about)) return false;
  const auto where = endpoint::local_path(path);
  if (!where) return false;
  const int probe = open_socket(AF_UNIX, SOCK_DGRAM, 0);
  if (probe < 0) return false;
  const socket_address to(*where);
  const bool is_refused = ::connect(probe, to.get(), to.size) != 0 && errno == ECONNREFUSED;
  ::close(probe);
  return is_refused;
}

result<void> kernel_driver::claim(socket_block& block, const endpoint& where, const path_claim& how) {
  const std::string path(where.is_abstract() ? std::string_view() : where.local_name());
  if (path.empty()) {
    if (auto bound = bind(block, where); !bound || how.backlog < 0) return bound;
    return listen(block, how.backlog);
  }
  if (const int why = refusal_of(where); why != 0)
    return fail(std::error_code(why, std::generic_category()), step::bind);
  const directory_lock lock(path);
  if (lock.is_busy()) return fail(busy(step::bind));
  // The kernel takes these for the path, less the umask. What that has taken away is given back before
  // anybody can connect; there is no moment with more than was asked for.
  const unsigned mode = how.mode & permission_bits;
  if (set_mode_before_bind(block.descriptor, mode) != 0) return fail(system_error(step::bind));
  int bound = bind_to(block, where);
  if (bound != 0 && errno == EADDRINUSE && how.replace_stale && lock.is_held()) {
    const bool is_free = is_stale_socket(path) && ::unlink(path.c_str()) == 0;
    errno = EADDRINUSE;
    if (is_free) bound = bind_to(block, where);
  }
  if (bound != 0) {
    error why = system_error(step::bind);
    struct stat about{};
    if (why == std::errc::address_in_use && ::lstat(path.c_str(), &about) == 0 && !S_ISSOCK(about.st_mode))
      why.set_detail("what is there is no socket");
    return fail(std::move(why));
  }
  own_path(block);
  if (set_socket_mode(path.c_str(), mode) != 0) {
    error why = system_error(step::bind);
    if (why == std::errc::function_not_supported)
      why.set_detail("its permissions cannot be set without /proc");
    return fail(std::move(why));
  }
  if (how.backlog < 0) return {};
  return listen(block, how.backlog);
}

void kernel_driver::own_path(socket_block& block) {
  const auto where = local(block);
  struct stat about{};
  if (!where || where->is_abstract()) return;
  const std::string path = absolute(std::string(where->local_name()));
  if (!is_socket_at(path, about)) return;
  delete block.path;
  block.path = new owned_path{path, device_of(about), about.st_ino};
}

bool kernel_driver::owns_path(const socket_block& block) const {
  return block.path != nullptr && is_still_its(*block.path);
}

// The socket is open still, so nobody takes the path over between the look and the removal.
void kernel_driver::remove_path(const socket_block& block) noexcept {
  if (block.path != nullptr && is_still_its(*block.path)) ::unlink(block.path->path.c_str());
}

}  // namespace soquete::kernel
