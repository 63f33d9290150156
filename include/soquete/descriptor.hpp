// Any descriptor as a stream: pipes, terminals, files, ends of child processes.
#pragma once

#include <soquete/transfer.hpp>

namespace soquete {

class loop;

/// Owns a descriptor and reads or writes it, whichever it is good for.
///
/// It is left in the blocking mode in which it came, because others may share it: drivers look before each
/// call, and write to pipes in pieces that fit. A file never waits.
class descriptor {
 public:
  descriptor() = default;
  explicit descriptor(socket open) noexcept : socket_(std::move(open)) {}  ///< Owns what a driver has opened.
  /// Takes it over.  Errors: bad_file_descriptor.
  static result<descriptor> adopt(loop& here, owned_descriptor taken);
  static result<descriptor> adopt(loop& here, int number) { return adopt(here, owned_descriptor(number)); }

  /// 1 byte or more, or an empty lease at the end of file.  read(2)
  [[nodiscard]] detail::receive_lease receive() noexcept { return detail::receive_lease(socket_.block()); }
  /// 1 to `into.size()` bytes, or 0 at the end of file.  read(2)
  [[nodiscard]] detail::receive_into receive(mutable_bytes into) noexcept {
    return detail::receive_into(socket_.block(), into);
  }
  /// Writes all of it.  Errors: broken_pipe (SIGPIPE should be ignored).  write(2)
  [[nodiscard]] detail::send_all send(bytes from) noexcept {
    return detail::send_all(socket_.block(), opcode::send, from.data(), from.size());
  }
  [[nodiscard]] detail::send_all send(std::string_view text) noexcept { return send(as_bytes(text)); }
  /// Waits until a read would not wait.  poll(2)
  [[nodiscard]] detail::wait_readable readable() noexcept { return detail::wait_readable(socket_.block()); }

  /// Ends our side: shuts a socket's sending half down, closes anything else.
  result<void> finish();
  void close() noexcept { socket_.close(); }  ///< Closes now; once more does nothing.  close(2)
  /// Lets go of it, open, with what was received and not read.
  [[nodiscard]] owned_descriptor release() { return socket_.release(); }

  bool is_open() const noexcept { return socket_.is_open(); }
  int number() const noexcept { return socket_.descriptor(); }

 private:
  socket socket_;
};

}  // namespace soquete
