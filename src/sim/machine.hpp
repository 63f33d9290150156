// One simulated host as the network sees it: addresses, descriptors, ports.
#pragma once

#include <map>
#include <soquete/message.hpp>
#include <string>
#include <vector>

#include "sim/groups.hpp"
#include "sim/names.hpp"
#include "sim/network.hpp"

namespace soquete::sim {

struct block;
class host_driver;

class machine {
 public:
  /// Simulated descriptors begin here, where no real one is: close(2) of one by mistake hurts nobody.
  static constexpr int first_descriptor = 1'000'000'003;
  /// As Linux has them by default.  ip_local_port_range, ip(7)
  static constexpr std::uint16_t first_free_port = 32'768;
  static constexpr std::uint16_t last_free_port = 60'999;

  machine(network& in, std::uint32_t number, std::string name, const host_options&);
  machine(const machine&) = delete;
  machine& operator=(const machine&) = delete;

  network& net;
  const std::uint32_t number;
  const std::string name;
  const std::vector<address> addresses;
  const bool is_in_usual_network;
  const std::size_t descriptor_limit;
  moment skew;
  host_driver* driver = nullptr;  ///< Of its present life; null while it is down.
  bool is_paused = false;
  bool is_waiting = false;  ///< Among those that are ready.
  unsigned life = 0;        ///< How often it has started.

  name_table names;    ///< Of local sockets.
  group_table groups;  ///< That sockets have joined.

  bool is_up() const noexcept { return driver != nullptr; }
  bool has(const address& one) const noexcept;
  /// Is it that of all hosts of a network of its own? 10.0.0.0/8 has the addresses that hosts are given,
  /// those that a scenario gives are of a /24 each.
  bool is_broadcast(const address& to) const noexcept;
  /// From which address it talks to that one; false: it has none of the family.
  bool source_for(const address& to, address& from) const noexcept;
  /// Whom local peers see: the process has the number of its life, and an ordinary user.
  credentials us() const noexcept;
  /// An abstract name that nobody has.
  endpoint free_name();
  /// Something there can run.
  void make_ready();

  /// The lowest that is free, or -EMFILE.
  int take_descriptor(block& whose);
  void free_descriptor(int number) noexcept;
  std::size_t open_descriptors() const noexcept { return open_; }
  const std::vector<block*>& descriptors() const noexcept { return descriptors_; }

  /// Gives the socket its name, a free port for 0. 0 or -errno.
  int bind(block& whose, const endpoint& where);
  /// A free port towards that peer for a socket that has no name yet. 0 or -errno.
  int bind_for(block& whose, const endpoint& peer);
  /// 0 or -errno: somebody else listens there.
  int may_listen(const block& whose) const noexcept;
  /// Its name and its groups are given up.
  void unbind(block& whose) noexcept;
  /// What takes connections to `to`, from `from`.
  block* find_listener(const endpoint& to, const endpoint& from) noexcept;
  /// What receives datagrams to `to`, from `from`.
  block* find_datagram(const endpoint& to, const endpoint& from) noexcept;
  /// All that receive datagrams to the group or broadcast address `to`, from `from`.
  std::vector<block*> find_all(const endpoint& to, const endpoint& from, std::uint32_t interface) const;

 private:
  using port_table = std::map<std::uint16_t, std::vector<block*>>;
  port_table& table_for(const block& whose) noexcept;
  bool is_free(const block& whose, const endpoint& where) const noexcept;
  std::uint16_t free_port(const block& whose, const endpoint& where, const endpoint* peer);

  std::vector<block*> descriptors_;  ///< Null: free.
  std::size_t open_ = 0;
  std::size_t maybe_free_ = 0;  ///< None below is free.
  port_table stream_ports_;
  port_table datagram_ports_;
  random ports_;
  random free_names_;
};

}  // namespace soquete::sim
