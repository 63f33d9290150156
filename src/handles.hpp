// Handles to new things, and to what this program was started with.  pipe(2), socketpair(2), fcntl(2)
#pragma once

#include <soquete/handle.hpp>

namespace soquete {

/// Two ends of one thing.
struct handle_pair {
  handle reading;
  handle writing;
};

// All of them are closed in programs that we run.
result<handle_pair> make_pipe();         // pipe2(2)
result<handle_pair> make_socket_pair();  // socketpair(2): a stream; both ends do both
result<handle> open_null();              // null(4)
/// A second number for the same thing, not below `lowest`.
result<handle> copy_of(int number, int lowest);
/// Has it come to us through an exec? No: this process has opened it.
bool was_inherited(int number) noexcept;

}  // namespace soquete
