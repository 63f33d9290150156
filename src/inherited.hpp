// Sockets passed by a service manager.  sd_listen_fds(3)
#pragma once

#include <soquete/error.hpp>
#include <string_view>

namespace soquete {

/// The descriptor called `name` in LISTEN_FDNAMES, or the first one if `name` is empty.
/// Errors: not_inherited, with the reason in the detail.
result<int> inherited_descriptor(std::string_view name);

}  // namespace soquete
