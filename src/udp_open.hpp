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
  /// The same for each further loop, unless they are inherited.
  std::vector<std::vector<owned_descriptor>> of_others;
};

/// Sockets for the first alternative that can be had, on all its addresses, for so many loops. Where there
/// are several loops, nobody else may have the address.
result<opened_sockets> open_sockets(loop& here, const where& on, const bind_options& options, unsigned loops);

}  // namespace soquete::udp
