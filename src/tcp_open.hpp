// Opening TCP sockets: the steps that connect, listen and serve share.
#pragma once

#include <soquete/tcp.hpp>
#include <vector>

namespace soquete::tcp {

/// A socket that listens on exactly this endpoint.
result<listener> open_listener(loop& here, const endpoint& on, const listen_options& options);

/// Listeners for the first alternative that can be had: several for "localhost".
result<std::vector<listener>> open_listeners(loop& here, const where& on, const listen_options& options);

/// `text` as a where, with the zones of this host.
result<where> parse_where(std::string_view text);

}  // namespace soquete::tcp
