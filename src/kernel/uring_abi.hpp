// What io_uring has learnt since the headers of liburing 2.3.  io_uring_register(2)
#pragma once

namespace soquete::kernel {

/// Buffers of a ring are consumed from the front, piece by piece. Linux 6.12; the field `pad` of
/// io_uring_buf_reg became `flags`.
inline constexpr unsigned buffer_ring_incremental = 1U << 1;

/// More pieces of this buffer will follow.
inline constexpr unsigned completion_buffer_more = 1U << 4;

}  // namespace soquete::kernel
