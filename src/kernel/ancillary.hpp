// What travels beside the bytes of a message, as the kernel writes it.  cmsg(3), ip(7), ipv6(7), unix(7)
#pragma once

#include <sys/socket.h>
#include <cstddef>
#include <soquete/driver.hpp>
#include <soquete/message.hpp>
#include <span>

#include "kernel/system.hpp"

namespace soquete::kernel {

/// UDP_SEGMENT, UDP_GRO: newer than some headers.
constexpr int udp_segment = 103;
constexpr int udp_receive_segments = 104;

/// Room for all that a message over IP can bring, and for all that a local one can.
constexpr std::size_t ip_control_size = 256;
constexpr std::size_t local_control_size = 1536;

/// Takes what came beside the bytes. Descriptors are owned from here on, also those of a message cut short.
void read_control(msghdr& from, received_message& into);

/// Writes what is to go with a message into `room`, which is aligned as cmsghdr is, and points `header` to
/// it; `segment`: the size that the kernel is to cut the bytes into, or 0.
void write_control(const outgoing_message& from, const socket_block& on, std::uint32_t segment,
                   std::span<std::byte> room, msghdr& header) noexcept;

/// 0, or why no such message can go out here: EOPNOTSUPP, ENAMETOOLONG. Linux takes all.
int refusal_of(const outgoing_message&, const socket_block& on) noexcept;

}  // namespace soquete::kernel
