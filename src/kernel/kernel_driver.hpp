// What all kernel drivers share: the control plane, which answers at once.
#pragma once

#include <soquete/driver.hpp>

#include "kernel/chunk_pool.hpp"
#include "kernel/message_pool.hpp"
#include "kernel/watched_block.hpp"

namespace soquete::kernel {

class kernel_driver : public driver {
 public:
  using driver::driver;

  result<socket_block*> open(family, transport) override;
  result<socket_block*> adopt(owned_descriptor) override;
  result<socket_pair> pair(transport) override;
  result<socket_pair> pipe() override;
  result<conduit> open_conduit() override;
  result<socket_block*> watch_signals(std::span<const int> signals) override;
  result<void> bind(socket_block&, const endpoint&) override;
  result<void> listen(socket_block&, int backlog) override;
  result<void> claim(socket_block&, const endpoint& where, const path_claim&) override;
  void own_path(socket_block&) override;
  bool owns_path(const socket_block&) const override;
  result<endpoint> local(const socket_block&) const override;
  result<endpoint> peer(const socket_block&) const override;
  result<credentials> peer_credentials(const socket_block&) const override;
  result<void> disconnect(socket_block&) override;
  result<void> join(socket_block&, const group_membership&) override;
  result<void> leave(socket_block&, const group_membership&) override;
  result<void> set(socket_block&, option, std::int64_t value) override;
  result<std::int64_t> get(const socket_block&, option) const override;
  result<void> set(socket_block&, text_option, std::string_view value) override;
  result<std::string> get(const socket_block&, text_option) const override;
  result<void> set_raw(socket_block&, option_number, bytes value) override;
  result<std::size_t> get_raw(const socket_block&, option_number, mutable_bytes into) const override;
  result<tcp_info> info(const socket_block&) const override;
  result<void> shutdown(socket_block&, direction) override;
  result<owned_descriptor> copy_of(int descriptor) override;
  credentials us() const noexcept override;
  time_point now() const noexcept override;

 protected:
  /// A block of the driver's own kind; it owns nothing yet.
  virtual socket_block& make_block() = 0;

  /// A block for a connection that this listener has accepted.
  socket_block& accepted(const socket_block& listener, int descriptor, const endpoint& peer);
  /// Serves a read from what the socket has brought along. `outcome` is set.
  void read_carried(socket_block&, op&);

  // Reads by a call (reading.cpp).
  /// What can be done now: a result, or -EAGAIN. `drained` is set when nothing is left for now.
  std::int64_t read_now(watched_block&, op&, bool& drained);
  /// Tries the parked reader. True: `outcome` is set, and it is no longer parked.
  bool try_reading(watched_block&);
  /// Queues the second try.
  void poke(watched_block&) noexcept;
  /// There is something, or an end.
  void take_news(watched_block&, bool hung_up) noexcept;

  // What operations may be lent.
  chunk_pool chunks_;
  message_pool messages_;

  /// At its end a socket takes its path along.
  static void remove_path(const socket_block&) noexcept;
  /// Closes the descriptor, with a reset if the block says so.
  static void close_descriptor(const socket_block&) noexcept;
  /// Closes it with a reset.
  static void reset_descriptor(int descriptor) noexcept;

 private:
  std::int64_t lease_now(socket_block&, op&, bool& drained);
  std::int64_t accept_one(socket_block&, op&);
};

/// -errno of the last call as an error.
error system_error(step during) noexcept;

}  // namespace soquete::kernel
