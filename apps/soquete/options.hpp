// The command line, read and checked.
#pragma once

#include <soquete/driver.hpp>

#include "address.hpp"
#include "relay.hpp"

namespace command {

enum class verb : std::uint8_t { listen, connect };
enum class colors : std::uint8_t { automatic, always, never };

/// One run of `soquete listen` or `soquete connect`.
struct options {
  verb what = verb::connect;
  place address;
  place peer;
  join_options how;

  bool once = false;                                         ///< One client.
  std::size_t max_connections = 0;                           ///< At a time; 0: as many as come.
  std::size_t max_per_address = 0;                           ///< 0: no limit.
  std::chrono::nanoseconds drain = std::chrono::seconds(3);  ///< For clients, when asked to end.
  std::optional<std::chrono::nanoseconds> timeout;           ///< Of the whole run.
  unsigned threads = 0;  ///< 0: SOQUETE_THREADS, or as many as processors.
  soquete::driver_choice driver = soquete::driver_choice::automatic;
  int ready_descriptor = -1;  ///< Is told the address and then closed; -1: none.
  bool explain = false;
  bool trace = false;
  bool verbose = false;
  bool quiet = false;
  colors color = colors::automatic;

  /// One conversation, then the end: standard streams cannot be shared between clients.
  bool is_single() const noexcept { return what == verb::connect || once || peer.is_single(); }
  /// Local datagrams arrive at one socket, and are received by one loop.
  bool is_of_one_loop() const noexcept {
    return is_single() || (address.is_local() && address.has_sessions());
  }
};

/// What to do: run, or print a text and end.
struct request {
  std::optional<options> run;
  std::string print;
};

/// Reads the arguments after the program's name.
read<request> request_from(std::vector<std::string> arguments);

}  // namespace command
