// Two UDP sockets for a test.
#pragma once

#include <soquete/udp.hpp>

namespace soquete::test {

/// The client is connected to the server.
struct udp_pair {
  udp::socket server;
  udp::socket client;
};
task<result<udp_pair>> open_udp_pair(std::string_view on = "127.0.0.1:0", udp::bind_options server = {});

/// A client of a server that has gone: nobody is there. Where the server was: `peer()`.
task<result<udp::socket>> open_deserted(std::string_view on = "127.0.0.1:0");

/// The next batch; what does not come in 20 s fails.
task<result<udp::batch>> receive_soon(udp::socket& from);

/// Nothing has come, and no error.
task<result<void>> expect_silence(udp::socket& at);

}  // namespace soquete::test
