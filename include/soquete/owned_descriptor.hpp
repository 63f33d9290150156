// An open descriptor on its way from one loop, thread or process to another.  fcntl(2), unix(7)
#pragma once

#include <soquete/bytes.hpp>
#include <soquete/error.hpp>
#include <utility>
#include <vector>

namespace soquete {

class owned_descriptor;

/// Where descriptors are that the system knows nothing of: those of a simulated host. Used on one thread, and
/// kept by all who own one of them.
struct descriptor_home {
  void (*close)(descriptor_home*, int number) noexcept = nullptr;                 ///< As close(2).
  result<owned_descriptor> (*duplicate)(descriptor_home*, int number) = nullptr;  ///< As dup(2).
  void (*destroy)(descriptor_home*) noexcept = nullptr;                           ///< Nobody keeps it.
  unsigned keepers = 0;                                                           ///< How many do.

  void keep() noexcept { ++keepers; }  ///< One more.
  /// One less.
  void let_go() noexcept {
    if (--keepers == 0) destroy(this);
  }
};

/// Owns an open descriptor and what was received on it but not read; closes it at its end. Move-only; empty
/// after a move. Belongs to no loop: adopt() of a socket class takes it into one.
class owned_descriptor {
 public:
  owned_descriptor() = default;
  /// Takes the descriptor over.
  explicit owned_descriptor(int descriptor) noexcept : descriptor_(descriptor) {}
  /// Takes one over that is not the system's.
  owned_descriptor(int descriptor, descriptor_home& home) noexcept : descriptor_(descriptor), home_(&home) {
    home.keep();
  }
  owned_descriptor(owned_descriptor&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)),
        home_(std::exchange(other.home_, nullptr)),
        unread_(std::move(other.unread_)),
        accepted_(std::move(other.accepted_)) {}
  owned_descriptor& operator=(owned_descriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(home_, other.home_);
    unread_.swap(other.unread_);
    accepted_.swap(other.accepted_);
    return *this;
  }
  ~owned_descriptor();

  bool is_open() const noexcept { return descriptor_ >= 0; }
  /// Its number, which stays owned here; -1 if there is none.
  int descriptor() const noexcept { return descriptor_; }
  /// Its number, which is the caller's to close from now on.
  [[nodiscard]] int release() noexcept {
    if (home_ != nullptr) std::exchange(home_, nullptr)->let_go();
    return std::exchange(descriptor_, -1);
  }
  /// Whose number it is; null: the system's.
  descriptor_home* home() const noexcept { return home_; }

  /// A second owner of the same open file; what was received stays here.
  /// Errors: bad_file_descriptor, too_many_files_open.  F_DUPFD_CLOEXEC, fcntl(2)
  result<owned_descriptor> duplicate() const;

  /// What had arrived and the kernel no longer has: a stream's bytes; or datagrams, in a form of the
  /// library's. The next to adopt it reads them first; another process must be sent them.
  const std::vector<std::byte>& unread() const noexcept { return unread_; }
  /// For the one who lets go of it.
  void set_unread(std::vector<std::byte> received) noexcept { unread_ = std::move(received); }
  /// For the one who takes it over.
  std::vector<std::byte> take_unread() noexcept { return std::move(unread_); }

  /// Of a listener: connections that had been accepted for it and not yet been asked for.
  const std::vector<owned_descriptor>& accepted() const noexcept { return accepted_; }
  /// For the one who lets go of it.
  void set_accepted(std::vector<owned_descriptor> waiting) noexcept { accepted_ = std::move(waiting); }
  /// For the one who takes it over.
  std::vector<owned_descriptor> take_accepted() noexcept { return std::move(accepted_); }

 private:
  int descriptor_ = -1;
  descriptor_home* home_ = nullptr;
  std::vector<std::byte> unread_;
  std::vector<owned_descriptor> accepted_;
};

}  // namespace soquete
