// Opening TCP sockets: the steps that connect, listen and serve share.
#pragma once

#include <soquete/tcp.hpp>
#include <vector>

namespace soquete::tcp {

/// A socket that listens on exactly this endpoint.
result<listener> open_listener(loop& here, const endpoint& on, const listen_options& options);

/// Whom a listener shares its address with.
enum class sharing : std::uint8_t {
  as_asked,     ///< As the options say.
  among_loops,  ///< Other loops of this run, and nobody else.
};

struct opened_listeners {
  std::vector<listener> all;   ///< Several for "localhost".
  bool are_inherited = false;  ///< They were open already: there is one of each, whatever the loops.
};

/// Listeners for the first alternative that can be had.
result<opened_listeners> open_listeners(loop& here, const where& on, const listen_options& options,
                                        sharing with = sharing::as_asked);

/// `text` as a where, with the zones of this host.
result<where> parse_where(std::string_view text);

}  // namespace soquete::tcp
