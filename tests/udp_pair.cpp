// Two UDP sockets for a test.
#include "udp_pair.hpp"

#include <gtest/gtest.h>

#include <soquete/deadline.hpp>

#include "on_each_driver.hpp"

namespace soquete::test {

using namespace std::chrono_literals;

task<result<udp_pair>> open_udp_pair(std::string_view on, udp::bind_options server) {
  udp_pair both;
  both.server = co_await ok(udp::bind(on, server));
  both.client = co_await ok(udp::connect(co_await ok(both.server.local())));
  co_return both;
}

task<result<udp::socket>> open_deserted(std::string_view on) {
  udp_pair gone = co_await ok(open_udp_pair(on));
  co_return std::move(gone.client);
}

task<result<udp::batch>> receive_soon(udp::socket& from) {
  co_return co_await within(20s, from.receive_batch());
}

task<result<void>> expect_silence(udp::socket& at) {
  EXPECT_TRUE(fails_with(co_await within(10ms, at.receive()), std::errc::timed_out));
  co_return {};
}

}  // namespace soquete::test
