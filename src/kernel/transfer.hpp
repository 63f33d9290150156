// Moving bytes without waiting: each call does what can be done now.  recv(2), send(2), accept(2).
#pragma once

#include <cstdint>
#include <soquete/driver.hpp>

namespace soquete::kernel {

enum class progress : std::uint8_t { done, blocked };

/// Receives up to `size` bytes. Gives bytes, 0 at the end, or -errno; -EAGAIN when there are none yet.
/// `drained` is set when nothing is left for now.
std::int64_t receive_now(const socket_block&, void* into, std::size_t size, bool& drained) noexcept;

/// Moves up to `size` bytes into that pipe, which is empty. Gives bytes, 0 at the end, or -errno; -EAGAIN
/// when there are none yet.
std::int64_t splice_in_now(const socket_block&, int pipe, std::size_t size) noexcept;

/// Goes on with any of the send operations, from `moved`. Done: `outcome` is set.
progress send_now(op&) noexcept;

/// Begins a connect. Done: `outcome` is set. Blocked: the socket becomes writable once it is decided.
progress connect_now(op&) noexcept;
/// The verdict on a connect that has become writable: 0 or -errno.
std::int64_t connect_verdict(const socket_block&) noexcept;

/// The next connection's descriptor and, if the kernel tells, its peer; or -errno.
int accept_now(const socket_block&, endpoint& peer) noexcept;

/// 0 when a read would not wait, else -EAGAIN.
std::int64_t readable_now(const socket_block&) noexcept;

/// The next signal's number, or -EAGAIN.
std::int64_t signal_now(const socket_block&) noexcept;

}  // namespace soquete::kernel
