// What accepts connections on a local name.  unix(7)
#pragma once

#include <soquete/socket.hpp>
#include <string_view>

namespace soquete {
class loop;
}

namespace soquete::local {

/// Options of listen().
struct listen_options {
  int backlog = 4096;         ///< Connections the kernel holds for us; bounded by net.core.somaxconn.
  std::uint32_t mode = 0660;  ///< Permissions of the path, whatever the umask: who may write may connect.
  bool replace_stale = true;  ///< Takes the path over from a socket that no process has open.
};

/// Accepts connections of one type. One accept may be pending at a time.
///
/// A path in the file system is removed when the listener closes, unless another is there by then.
template <class Connection>
class listener_of {
 public:
  listener_of() = default;
  explicit listener_of(socket listening) noexcept : socket_(std::move(listening)) {}

  /// What accept() returns: to be awaited.
  class accepting {
   public:
    using awaiter = accepting;
    /// On this socket, which listens.
    explicit accepting(socket_block& on) noexcept : slot_(on.reader) {}
    bool begin(environment env, waiter* then) noexcept {
      slot_.code = opcode::accept;
      return slot_.begin(env, then);
    }
    bool failed() const noexcept { return slot_.failed(); }
    result<Connection> take() const {
      if (failed()) return fail(detail::error_of(slot_, step::accept));
      return Connection(socket(*static_cast<socket_block*>(const_cast<void*>(slot_.data))));
    }
    void describe(suspension_report& report) const { slot_.describe(report); }

   private:
    slot& slot_;
  };

  /// Takes over a listening descriptor; its path stays when it closes.
  /// Errors: bad_file_descriptor, invalid_argument for what does not listen for such connections.
  static result<listener_of> adopt(loop& here, owned_descriptor descriptor);

  /// Waits for the next connection. Cancelled, nothing is lost: a connection that comes is for the next call.
  /// Errors: too_many_files_open, operation_canceled.  accept(2)
  [[nodiscard]] accepting accept() noexcept { return accepting(socket_.block()); }

  bool is_open() const noexcept { return socket_.is_open(); }
  /// Lets go of it, open and listening, with connections that had been accepted and not been asked for. Its
  /// path stays.
  [[nodiscard]] owned_descriptor release() { return socket_.release(); }
  /// Connections not yet accepted are closed, and its path is removed.
  void close() noexcept { socket_.close(); }
  int descriptor() const noexcept { return socket_.descriptor(); }
  /// Its name: "unix:/run/x".
  result<endpoint> local() const { return socket_.local(); }
  /// Will its path go with it?
  bool owns_path() const { return socket_.net().owns_path(socket_.block()); }
  socket_options options() noexcept { return socket_options(socket_.block()); }

 private:
  socket socket_;
};

}  // namespace soquete::local
