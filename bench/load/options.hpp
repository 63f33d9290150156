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
  std::size_t size = 64;  // Bytes a message.
  double warm_up = 0.2;   // Seconds.
  double measure = 0.4;   // Seconds.
};

void echo(const options&);           // N connections, one message in flight on each.
void connect_rate(const options&);   // Connect, one echo, reset: a window of N.
void bulk(const options&);           // One stream one way, to a server in the role of sink.
void idle_memory(const options&);    // What N connections cost that have done one echo each.
void check_manners(const options&);  // Slow, half-closed and rude clients: is every byte still right?

}  // namespace load
