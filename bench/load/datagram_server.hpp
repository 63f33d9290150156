// Whether a server of datagrams is there: a port that refuses them cannot be told from one that loses them.
#pragma once

#include <poll.h>

#include "datagram_socket.hpp"

namespace load {

// Asks until an answer comes. Five seconds are too long.
inline void wait_for_answer(const place& at, std::string_view question) {
  datagram_socket client(at);
  for (int i = 0; i < 2500; ++i) {
    client.send(question);
    pollfd readable{.fd = client.descriptor(), .events = POLLIN, .revents = 0};
    if (poll(&readable, 1, 2) > 0 && client.receive().is_there) return;
  }
  fail("no server");
}

}  // namespace load
