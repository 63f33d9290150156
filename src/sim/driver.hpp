// The driver of one simulated host: the contract of docs/driver.md, kept in memory and virtual time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <soquete/driver.hpp>

#include "sim/block.hpp"
#include "sim/handles.hpp"
#include "sim/machine.hpp"
#include "sim/meddler.hpp"
#include "sim/network.hpp"
#include "sim/pool.hpp"

namespace soquete::sim {

struct datagram;

class host_driver final : public driver {
 public:
  /// Of a machine that is down, and up from now on.
  host_driver(run_queue& queue, machine& on);
  /// Alone in a network of its own; its turns move the time.
  host_driver(run_queue& queue, std::unique_ptr<network> own, machine& on);
  ~host_driver() override;

  std::string_view name() const noexcept override { return "simulated"; }
  driver_counts counts() const noexcept override;

  result<socket_block*> open(family, transport) override;
  result<socket_block*> adopt(owned_descriptor) override;
  result<socket_pair> pair(transport) override;
  result<socket_pair> pipe() override;
  result<conduit> open_conduit() override { return fail(soquete::fault::unsupported, step::open); }
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
  void close(socket_block&) noexcept override;
  owned_descriptor release(socket_block&) override;
  result<owned_descriptor> copy_of(int descriptor) override;
  credentials us() const noexcept override { return at_.us(); }
  std::vector<address> addresses_of(std::string_view name) const override;
  name_answer look_up(std::string_view name) override;

  bool start(op&) noexcept override;
  void cancel(op&) noexcept override;

  time_point now() const noexcept override;
  void turn(time_point until) noexcept override;
  void wake() noexcept override;
  void drain() noexcept override {}

  /// The moment in the world at which this clock shows that.
  moment moment_of(time_point shown) const noexcept;
  /// All its sockets are gone without a word to anybody; whatever is started from now on fails.
  void lose_memory() noexcept;
  /// False: nobody watches for it.
  bool raise(int signal);
  machine& on() noexcept { return at_; }
  /// Ends an operation that is in flight with that errno, as if its time had come.
  void break_off(op&, int cause) noexcept;
  /// Tells a result that a meddler holds.
  void let_go(op&) noexcept;
  static request request_of(const op&) noexcept;

  // For blocks.
  void wake_reader(block& b) noexcept;
  void wake_writer(block& b) noexcept;
  void connected(block& b, int cause) noexcept;
  static bool lost_unheard(block& b, int cause) noexcept;
  // For descriptors that are in no program's hands.
  block* find(int number) const noexcept;
  result<owned_descriptor> number_for(block& open);
  void drop_number(int number) noexcept;
  void arrived_or_lost(block& open) noexcept;
  /// A datagram was refused where it went.
  void refused(block& b) noexcept;

 private:
  bool start_reading(block& b, op& o) noexcept;
  bool read_carried(block& b, op& o);
  void read_unread_bytes(std::vector<std::byte>& unread, op& o);
  void read_unread_datagram(std::vector<std::byte>& unread, op& o);
  bool start_writing(block& b, op& o) noexcept;
  bool try_reading(block& b) noexcept;
  bool try_writing(block& b) noexcept;
  bool start_connecting(block& b, op& o) noexcept;
  bool send(block& b, op& o) noexcept;
  bool send_datagrams(block& b, op& o) noexcept;
  int send_datagram(block& b, const outgoing_message& m);
  int find_target(const block& b, const outgoing_message& m, endpoint& to, std::uint32_t& zone) const;
  int find_source(const block& b, const outgoing_message& m, datagram& d, std::uint32_t zone) const;
  void send_to_many(const block& b, datagram& d);
  void launch(datagram& d, machine& there);
  message datagram_message(const datagram& d, const machine* there) const;
  std::uint64_t record(datagram& d, message told);
  void lose(datagram& d, const machine* there, std::string_view why);
  std::int64_t receive_bytes(block& b, mutable_bytes into) noexcept;
  std::int64_t receive(block& b, op& o) noexcept;
  std::int64_t receive_lease(block& b, op& o) noexcept;
  std::int64_t accept(block& b, op& o) noexcept;
  std::int64_t receive_messages(block& b, op& o) noexcept;
  std::int64_t readable(const block& b) const noexcept;
  static std::int64_t take_signal(block& b) noexcept;

  // Of local sockets: 0 or an errno.
  int bind_local(block& b, const endpoint& where);
  int listen_local(block& b, int backlog);
  int connect_local(block& b, const endpoint& to);
  int find_local(const endpoint& name, transport how, local_end*& it) const;
  int name_if_told(block& b);
  void remove_path(block& b) noexcept;
  std::int64_t accept_local(block& listener, op& o) noexcept;
  int carry(const outgoing_message& m, std::vector<carried_descriptor>& handles);
  void hand_over(std::vector<carried_descriptor> handles, received_message& to);
  message_pool::held_message opened(delivery one, const local_end& by);
  int send_record(block& b, const outgoing_message& m);
  bool send_local_messages(block& b, op& o) noexcept;
  std::int64_t receive_local_messages(block& b, op& o) noexcept;

  void poked(block& b) noexcept;
  void vanish(block& b) noexcept;
  void note_end(const block& b, const op& o);
  bool is_held(op& o) noexcept;
  /// Is it made to fail? Then with this errno, else 0.
  int meddled(request what) const noexcept;
  static void fail_with(op& o, int cause) noexcept;
  bool begin(block& b, op& o) noexcept;
  result<std::int64_t> path_mtu(const block& b) const;
  result<block*> make_block(family where, transport how);
  result<block*> make_local(transport how);
  result<socket_pair> make_pair(transport how);
  static void prepare(block& made, family where, transport how) noexcept;

  // Who has what open.
  static bool is_in_hand(const block& open, int number) noexcept;
  void let_go(block& b) noexcept;
  void end(block& b) noexcept;
  void retire(block& b) noexcept;
  void free(block& b) noexcept;
  void collect() noexcept;

  std::unique_ptr<network> own_;  ///< Before what lives in it.
  network& net_;
  machine& at_;
  byte_pool bytes_;
  message_pool messages_;
  handle_home* home_;
  std::vector<block*> afloat_;  ///< Open, and without a number: in messages only.
  std::size_t open_ = 0;
  bool is_dead_ = false;
  op* held_ = nullptr;  ///< Its result has come, and is not told: a request to end is too late for it.

  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
};

}  // namespace soquete::sim
