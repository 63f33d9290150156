// Simulated datagrams on their way.  RFC 768
#pragma once

#include <soquete/message.hpp>

#include "sim/machine.hpp"

namespace soquete::sim {

/// What leaves, the same for each who receives it.
struct datagram {
  endpoint from;
  endpoint to;
  bytes payload;
  std::int16_t hops = 64;
  std::int16_t traffic_class = 0;
  std::uint32_t interface = 0;  ///< By which it leaves, and comes, if it is for many; 0: it is for one.
  bool is_recorded = false;     ///< Of what is for many: a part of it.
};

/// One datagram to one host, or the news that it was refused there.
class trip final : public occurrence {
 public:
  enum kind : unsigned { arrival, refusal };

  trip(machine& sender, machine& receiver, const datagram& what)
      : source(sender), target(receiver), about(what), carried(what.payload.begin(), what.payload.end()) {
    about.payload = carried;
  }

  void happen(network& net, unsigned what) noexcept override;

  std::uint64_t recorded = 0;  ///< Its number in the recording, if there is one.

 private:
  bool is_cut(network& net, machine& from, machine& to) const;
  void arrive(network& net) noexcept;
  void arrive_for_many(network& net) noexcept;
  bool put(network& net, block& into) noexcept;
  void refuse(network& net) noexcept;
  void lose(network& net, std::string_view why) noexcept;
  void record_refusal(network& net, moment due);

  machine& source;
  machine& target;
  datagram about;
  std::vector<std::byte> carried;
  std::uint64_t recorded_refusal = 0;
};

}  // namespace soquete::sim
