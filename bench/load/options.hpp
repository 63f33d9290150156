// What the runner asks of the load generator, and the modes that answer. Each prints one line of JSON.
#pragma once

#include <cstddef>
#include <cstdint>

#include "place.hpp"

namespace load {

struct options {
  place at;
  int server = 0;  // Its process id: whose CPU time and memory are read.
  std::size_t connections = 64;
  std::size_t size = 64;   // Bytes a message.
  std::size_t window = 1;  // Datagrams in flight for each client.
  std::size_t run = 1;     // Of which so many are sent as one.
  std::size_t messages = 1000;
  double rate = 0;       // Messages a second.
  bool spins = false;    // Asks again and again instead of sleeping: for a load that has a core of its own.
  place target{"0"};     // Where a relay connects to.
  double warm_up = 0.2;  // Seconds.
  double measure = 0.4;  // Seconds.
};

void echo(const options&);          // N connections, one message in flight on each.
void connect_rate(const options&);  // Connect, one echo, reset: a window of N.
void echo_by_two(const options&);   // The same two, from two cores.
void connect_by_two(const options&);
void exchange(const options&);  // So many messages, without a clock.

void open_loop(const options&);      // Messages at a rate of their own, and how late the answers are.
void relay(const options&);          // One stream through a server that copies it to us.
void bulk(const options&);           // One stream one way, to a server in the role of sink.
void idle_memory(const options&);    // What N connections cost that have done one echo each.
void check_manners(const options&);  // Slow, half-closed and rude clients: is every byte still right?

void datagrams(const options&);        // N clients, each with a window of datagrams in flight.
void flood(const options&);            // Datagrams one way, to a server that counts them.
void fetch(const options&);            // Datagrams the other way, as many as are ordered.
void check_datagrams(const options&);  // Empty and large ones, clients that vanish or never read.

}  // namespace load
