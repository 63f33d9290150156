// Moving messages without waiting: each call does what can be done now.  recvmmsg(2), sendmmsg(2)
#pragma once

#include <soquete/driver.hpp>

#include "kernel/message_pool.hpp"
#include "kernel/transfer.hpp"
#include "kernel/watched_block.hpp"

namespace soquete::kernel {

/// Receives up to `size` messages into room of the pool, and lends it to the operation: first those that
/// came ahead. Gives their number, 0 at the end of a stream, or -errno; -EAGAIN when there are none yet.
/// `drained`: nothing is left for now.
std::int64_t receive_messages_now(watched_block&, message_pool&, op&, bool& drained);

/// Lends bytes that are here already as one message, a stream's or that of a sender.
std::int64_t lend_message(message_pool&, op&, const std::byte* data, std::size_t size,
                          const endpoint& from = {});

/// Goes on with send_messages, from `moved`. Done: `outcome` is set.
progress send_messages_now(op&) noexcept;

}  // namespace soquete::kernel
