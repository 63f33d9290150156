// Opening local sockets: the steps that all their types share.
#pragma once

#include <soquete/local.hpp>
#include <soquete/loop.hpp>
#include <soquete/where.hpp>

namespace soquete::local {

/// A socket that is not yet anywhere.
result<socket> open_socket(loop& here, transport carries);

/// Takes over a descriptor that is a local socket of that type, and listens or does not.
result<socket> adopt_as(loop& here, owned_descriptor taken, transport carries, descriptor_kind kind);

/// A socket that listens, or is bound to a name, on the first alternative that can be had.
struct opened_name {
  socket it;
  bool is_inherited = false;  ///< It was open already.
};
result<opened_name> open_named(loop& here, const where& on, transport carries, const path_claim& how);

/// The text as a where; an endpoint as one.
result<where> parse_where(std::string_view text);
result<where> where_of(const endpoint& at);

/// Connected to the first alternative that answers.
task<result<socket>> connect_any(where to, transport carries, connect_options options);

}  // namespace soquete::local
