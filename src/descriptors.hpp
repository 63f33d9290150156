// Descriptors of new things, and of what this program was started with.  pipe(2), socketpair(2), fcntl(2)
#pragma once

#include <soquete/owned_descriptor.hpp>

namespace soquete {

/// Two ends of one thing.
struct descriptor_pair {
  owned_descriptor reading;
  owned_descriptor writing;
};

// All of them are closed in programs that we run.
result<descriptor_pair> make_pipe();         // pipe(2)
result<descriptor_pair> make_socket_pair();  // socketpair(2): a stream; both ends do both
result<owned_descriptor> open_null();        // null(4)
/// A second number for the same thing, not below `lowest`.
result<owned_descriptor> copy_of(int number, int lowest);
/// Has it come to us through an exec? No: this process has opened it.
bool was_inherited(int number) noexcept;

}  // namespace soquete
