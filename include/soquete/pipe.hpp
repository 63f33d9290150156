// Pipes, and the standard streams that we were started with.  pipe(7), stdin(3)
#pragma once

#include <soquete/descriptor.hpp>

namespace soquete {

/// Both ends of a pipe.
struct pipe_ends {
  /// From its two ends.
  pipe_ends(descriptor r, descriptor w) noexcept : reading(std::move(r)), writing(std::move(w)) {}
  descriptor reading;  ///< Gives what is written to the other.
  descriptor writing;  ///< Takes bytes.
};

/// A new pipe, closed in programs that are run.  Errors: too_many_files_open.  pipe(2)
result<pipe_ends> open_pipe(loop& here);

/// What this program was started with: a terminal, a file, a pipe, a socket.
///
/// A copy: closing it leaves numbers 0, 1 and 2 open for everybody else, and whoever reads our output sees
/// its end when the program ends. The blocking mode, which we may share with a shell, stays as it is.
/// Errors: bad_file_descriptor if the program was started without, also if something else has that number
/// now.
result<descriptor> standard_input(loop& here);
result<descriptor> standard_output(loop& here);
result<descriptor> standard_error(loop& here);

}  // namespace soquete
