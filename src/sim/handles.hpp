// Descriptors of a simulated host that are no program's sockets: owned by themselves, or on their way in a
// message.  unix(7), SCM_RIGHTS
#pragma once

#include <soquete/owned_descriptor.hpp>

namespace soquete::sim {

class host_driver;
struct block;

/// Of the owned_descriptors of one life of a host. After that their numbers mean nothing, and closing them
/// does nothing.
struct handle_home final : descriptor_home {
  explicit handle_home(host_driver& of) noexcept;
  host_driver* driver;         ///< Null: that life is over.
  std::size_t travelling = 0;  ///< In messages that nobody has received.
};

/// Open, and without a number. One of the system's may travel as well: then this is a copy.
class carried_descriptor {
 public:
  explicit carried_descriptor(owned_descriptor of_the_system) noexcept : real_(std::move(of_the_system)) {}
  carried_descriptor(handle_home& of, block& open) noexcept;
  carried_descriptor(carried_descriptor&& other) noexcept
      : real_(std::move(other.real_)),
        home_(std::exchange(other.home_, nullptr)),
        open_(std::exchange(other.open_, nullptr)) {}
  carried_descriptor& operator=(carried_descriptor&& other) noexcept {
    std::swap(real_, other.real_);
    std::swap(home_, other.home_);
    std::swap(open_, other.open_);
    return *this;
  }
  ~carried_descriptor();

  /// Null: it is of the system.
  block* open() const noexcept { return open_; }
  /// It arrives. Errors: EMFILE.
  result<owned_descriptor> arrive();

 private:
  owned_descriptor real_;
  handle_home* home_ = nullptr;
  block* open_ = nullptr;
};

}  // namespace soquete::sim
