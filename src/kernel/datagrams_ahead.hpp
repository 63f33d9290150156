// Datagrams that came with one that was asked for, and wait for the next receives.
#pragma once

#include <vector>

#include "kernel/message_pool.hpp"
#include "kernel/watched_block.hpp"

namespace soquete::kernel {

/// Where many come, one call for each is most of what a datagram costs. So after a few that were there at
/// once, a receive takes as many as there are, and lends them one by one.
///
/// None are taken while nobody receives, so what waits here is bounded by one batch for each socket.
bool should_take_ahead(const watched_block&) noexcept;

/// There are some: lends the first, or up to `size`; their number.
std::int64_t lend_ahead(watched_block&, message_pool&, op&) noexcept;

/// Those of `filled` wait here from now on; the room belongs to them.
void keep_ahead(watched_block&, message_pool&, message_room& filled) noexcept;

/// The socket is closed: they are lost, as those are that the kernel has.
void drop_ahead(watched_block&, message_pool&) noexcept;

/// The socket is let go of: appends them to its unread bytes.
void carry_ahead(watched_block&, message_pool&, std::vector<std::byte>& unread);

}  // namespace soquete::kernel
