// Giving an open socket to another process whole: with what has been received on it and not been read.
// unix(7)
//
// A server hands its listeners over by itself: see serve_options::handover.
#pragma once

#include <soquete/local_seqpacket.hpp>

namespace soquete {

/// The most unread bytes that go along, far more than a driver receives in advance: so that nobody who claims
/// to give something can make take() fill the memory.
constexpr std::size_t given_bytes_max = 16 * 1024 * 1024;

/// Sends a socket with its unread bytes, or its accepted connections, to one who calls take(). It is closed
/// here at the end; the connection lives on there.
///
/// Release a stream when its program is between two requests: what it remembers of earlier ones stays behind.
/// Errors: as seqpacket::send(); invalid_argument for an empty descriptor, with more than 252 connections, or
/// with more than given_bytes_max unread.
[[nodiscard]] task<result<void>> give(local::seqpacket& to, owned_descriptor what);

/// Receives what give() has sent; adopt() of a socket class goes on with it.
/// Errors: as seqpacket::receive(); end_of_stream; protocol_error for what give() has not sent;
/// too_many_files_open.
[[nodiscard]] task<result<owned_descriptor>> take(local::seqpacket& from);

}  // namespace soquete
