// Datagrams on their way to another loop or process, among the unread bytes of their descriptor.
#pragma once

#include <optional>
#include <soquete/bytes.hpp>
#include <soquete/endpoint.hpp>
#include <vector>

namespace soquete {

/// A datagram that had come and was not received.
struct unread_datagram {
  endpoint from;
  bytes payload;  ///< In the bytes that it was read from.
};

/// Appends one.
void put_unread(std::vector<std::byte>& to, const endpoint& from, bytes payload);

/// The first of them, which `rest` then begins after; nothing where put_unread() has not written that.
std::optional<unread_datagram> next_unread(bytes& rest);

}  // namespace soquete
