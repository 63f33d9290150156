// What travels in a simulated network, and what becomes of it: kept on request, for pictures and captures.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <soquete/address.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "sim/trace.hpp"

namespace soquete::sim {

/// What travels. Those of streams are the packets of TCP that the model knows.
enum class parcel : std::uint8_t {
  ask,          // SYN
  agree,        // SYN-ACK
  acknowledge,  // ACK, also that of the handshake
  bytes,
  end,      // FIN
  reset,    // RST
  refusal,  // RST for a SYN
  datagram,
  unreachable,  // ICMP: nobody has that port
};

enum class fate : std::uint8_t { under_way, came, lost };

/// What makes a message late that nothing holds up.
namespace remark {
inline constexpr const char* slow = "slow";
inline constexpr const char* sent_again = "lost on the way and sent again";
}  // namespace remark

/// One end of a conversation.
struct end_name {
  address at;
  std::uint16_t port = 0;
};

/// One parcel, from where it leaves.
struct message {
  static constexpr std::uint32_t nobody = ~std::uint32_t{0};

  parcel what = parcel::bytes;
  fate became = fate::under_way;
  bool is_copy = false;          ///< The network has made it from another.
  bool is_from_the_way = false;  ///< Neither end has sent it.
  bool is_for_many = false;      ///< Other hosts hear it as well.
  bool is_again = false;         ///< Of what is for many: it left together with the message before.
  unsigned side = 0;             ///< Of a connection: who sends, 0 has asked for it.
  std::uint64_t connection = 0;  ///< Counted from 1; 0: no stream.
  std::uint32_t from = nobody;   ///< Numbers of machines.
  std::uint32_t to = nobody;
  end_name source;
  end_name target;
  moment left{};
  moment due{};               ///< When it comes if nothing holds it up; `left`: it is lost at once.
  moment over{};              ///< When it came or was lost.
  std::string_view remark{};  ///< What is unusual about it; a literal.
  std::size_t size = 0;       ///< Bytes of payload.
  std::vector<std::byte> payload{};
  // Of streams; positions count bytes from the beginning, and an end counts as one.
  std::uint64_t position = 0;
  std::uint64_t acknowledged = 0;
  std::size_t window = 0;      ///< What its sender has room for,
  std::size_t window_max = 0;  ///< and at most.
  // Of datagrams.
  std::int16_t hops = 64;
  std::int16_t traffic_class = 0;
};

/// Something that happens to a host, to a link, or to the whole world.
struct mark {
  enum class kind : std::uint8_t { started, crashed, paused, resumed, cut, healed, remark, failed, ending };

  kind what;
  moment at{};
  std::uint32_t on = message::nobody;
  std::uint32_t other = message::nobody;  ///< The far end of a link.
  std::uint64_t after = 0;                ///< The number of the message that left last.
  std::string words{};                    ///< Of what only words can tell.
  moment how_long{};                      ///< Until what it tells is over.
};

class recording {
 public:
  struct host_name {
    std::string name;
    std::vector<address> addresses;
  };

  /// More than that, and the oldest are forgotten.
  static constexpr std::size_t messages_max = 200'000;
  static constexpr std::size_t bytes_max = 64 * 1024 * 1024;
  static constexpr std::size_t marks_max = 50'000;

  void add_host(std::string name, const std::vector<address>& addresses) {
    hosts_.push_back({std::move(name), addresses});
  }
  void note(moment at, std::uint32_t who, noted what);
  void add(mark one);

  /// Its number, by which it is known afterwards; the first is 1.
  std::uint64_t add(message one);
  void came(std::uint64_t number, moment at);
  void lost(std::uint64_t number, moment at, std::string_view why);

  /// Of streams: what one side sends arrives in order.
  void fly(message one);
  /// So many are on their way that left before the recording began.
  void fly_unknown(std::uint64_t connection, unsigned side, std::size_t count);
  /// The next one has come.
  void land(std::uint64_t connection, unsigned side, moment at);
  /// The next one waits at a link that is cut, or for a host that is down.
  void hold(std::uint64_t connection, unsigned side, std::string_view why);
  /// All that is on its way never comes.
  void drop(std::uint64_t connection, unsigned side, moment at, std::string_view why);

  const std::vector<host_name>& hosts() const noexcept { return hosts_; }
  const std::deque<message>& messages() const noexcept { return messages_; }
  const std::deque<mark>& marks() const noexcept { return marks_; }
  std::uint64_t forgotten() const noexcept {
    return forgotten_;
  }  ///< Messages that were dropped from memory.
  bool has_forgotten_marks() const noexcept { return has_forgotten_marks_; }

 private:
  message* find(std::uint64_t number) noexcept;

  std::vector<host_name> hosts_;
  std::deque<message> messages_;
  std::deque<mark> marks_;
  std::map<std::uint64_t, std::deque<std::uint64_t>> flights_;  ///< Numbers, by connection and side.
  std::uint64_t forgotten_ = 0;
  bool has_forgotten_marks_ = false;
  std::size_t bytes_ = 0;
};

}  // namespace soquete::sim
