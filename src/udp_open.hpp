// Opening UDP sockets: the steps that bind and serve share.
#pragma once

#include <soquete/udp.hpp>
#include <vector>

namespace soquete::udp {

/// A socket bound to exactly this endpoint.
result<socket> bind_one(loop& here, const endpoint& at, const bind_options& options);

struct opened_sockets {
  std::vector<socket> all;     ///< Several for "localhost".
  bool are_inherited = false;  ///< They were open already: there is one of each, whatever the loops.
};

/// Sockets for the first alternative that can be had, on all its addresses. `is_shared`: other loops of this
/// run will bind the same, and nobody else may have it.
result<opened_sockets> open_sockets(loop& here, const where& on, const bind_options& options, bool is_shared);

}  // namespace soquete::udp
