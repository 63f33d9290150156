// Peers that are slow, silent, gone or overwhelming, and what bounds them.  faults.md, B8 to B12, B15, B21;
// tcp(7)
#include "child.hpp"
#include "network.hpp"
#include "on_each_driver.hpp"
#include "raw_socket.hpp"
#include "tcp_pair.hpp"

#include <sys/mman.h>
#include <sys/socket.h>
#include <csignal>
#include <soquete/local_seqpacket.hpp>
#include <soquete/reader.hpp>
#include <soquete/scope.hpp>
#include <thread>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class tcp_limit : public on_each_driver {};
ON_EACH_DRIVER(tcp_limit);
// Its tests make the loop in a child.
class tcp_limit_alone : public with_driver {};
ON_EACH_DRIVER(tcp_limit_alone);

// B12: one deadline for the whole line, not a new one for each byte.
TEST_P(tcp_limit, a_byte_now_and_then_does_not_put_a_deadline_off) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    auto drip = [&]() -> task<result<void>> {
      for (;;) {
        co_await ok(both.client.send("x"));
        co_await ok(sleep(1ms));
      }
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(drip());
      // A slow machine is given the time to begin.
      co_await ok(both.server.readable());
      reader in(both.server);
      auto line = co_await within(30ms, in.line(1'000'000));
      EXPECT_TRUE(fails_with(line, std::errc::timed_out));
      EXPECT_GT(in.buffered().size(), 0U);
      s.cancel();
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

// B11
TEST_P(tcp_limit, a_peer_that_says_nothing_is_given_up_and_may_still_say_it_later) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    auto silent = co_await within(5ms, both.server.receive());
    EXPECT_TRUE(fails_with(silent, std::errc::timed_out));
    co_await ok(both.client.send("at last"));
    lease got = co_await ok(both.server.receive());
    EXPECT_EQ(got.text(), "at last");
    co_return {};
  });
}

// B10: what is sent waits here, in the kernel's buffers and nowhere else.
TEST_P(tcp_limit, a_peer_that_never_reads_makes_a_send_wait_and_costs_no_memory_of_ours) {
  play([this]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    const std::string much = pattern(50'000'000);
    const std::size_t before = counts().buffer_bytes;
    auto stuck = co_await within(20ms, both.client.send(much));
    EXPECT_TRUE(fails_with(stuck, std::errc::timed_out));
    EXPECT_EQ(counts().buffer_bytes, before);
    EXPECT_TRUE(fails_with(co_await both.client.send("more"), fault::stream_broken));
    co_return {};
  });
}

// B15
TEST_P(tcp_limit_alone, a_host_that_vanished_is_given_up_after_the_user_timeout) {
  in_own_network(GetParam(), []() -> task<result<void>> {
    const far_network far;
    far.enter();
    ip("link set v1 arp on");
    auto l = co_await ok(tcp::listen("10.9.0.2:0"));
    far.leave();
    auto both = co_await ok(connect_to(l));
    co_await ok(both.client.send("x"));
    lease got = co_await ok(both.server.receive());
    EXPECT_EQ(got.text(), "x");
    co_await ok(both.client.options().set_user_timeout(50ms));
    far.enter();
    ip("link set v1 down");
    far.leave();
    // Into the buffer it goes; nobody has heard of the cable yet.
    co_await ok(both.client.send("is anybody there?"));
    auto gone = co_await both.client.receive();
    EXPECT_TRUE(fails_with(gone, std::errc::timed_out));
    if (!gone) EXPECT_EQ(gone.error().during(), step::receive);
    EXPECT_TRUE(fails_with(co_await both.client.send("x"), std::errc::broken_pipe));
    // Without such a bound only a deadline ends it.
    EXPECT_TRUE(fails_with(co_await within(5ms, both.server.receive()), std::errc::timed_out));
    co_return {};
  });
}

// B8: the signal of a broken pipe is the program's own affair.
TEST_P(tcp_limit_alone, no_send_raises_sigpipe) {
  const child_ending how = in_a_child([] {
    std::signal(SIGPIPE, SIG_DFL);
    auto program = []() -> task<result<void>> {
      auto gone = co_await ok(connect_pair());
      gone.server.abort();
      EXPECT_FALSE(co_await gone.client.receive());
      const std::array<bytes, 2> parts{as_bytes("x"), as_bytes("y")};
      for (int i = 0; i != 2; ++i) {
        EXPECT_TRUE(fails_with(co_await gone.client.send("x"), std::errc::broken_pipe));
        EXPECT_TRUE(fails_with(co_await gone.client.send(parts), std::errc::broken_pipe));
        EXPECT_TRUE(fails_with(co_await gone.client.send_some(as_bytes("x")), std::errc::broken_pipe));
      }
      // Of a descriptor made elsewhere, and of local sockets.
      auto ends = co_await ok(local::pair());
      loop& here = co_await this_loop();
      auto adopted = co_await ok(local::stream::adopt(here, ends.first.release()));
      ends.second.close();
      EXPECT_TRUE(fails_with(co_await adopted.send("x"), std::errc::broken_pipe));
      EXPECT_TRUE(fails_with(co_await adopted.send("x", {}), std::errc::broken_pipe));
      auto records = co_await ok(local::seqpacket_pair());
      records.second.close();
      EXPECT_TRUE(fails_with(co_await records.first.send("x"), std::errc::broken_pipe));
      co_return {};
    };
    EXPECT_TRUE(succeeds(test_loop(GetParam()).run(program())));
    return 0;
  });
  EXPECT_EQ(how.signal, 0) << how.output;
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

// B21: more than a call of the kernel takes, and more than 31 bits count.
TEST_P(tcp_limit, more_than_2_gib_go_in_one_send) {
  constexpr std::size_t size = (std::size_t{1} << 31) + 100'000;
  // All of it the kernel's page of zeros.
  void* const zeros = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(zeros, MAP_FAILED);
  std::size_t got = 0;
  play([&]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    const endpoint door = co_await ok(l.local());
    const raw_socket peer = raw_socket::connected(door.port());
    tcp::stream ours = co_await ok(l.accept());
    std::thread reading([&] {
      // tcp(7): MSG_TRUNC drops the bytes instead of copying them.
      for (ssize_t more = 1; more > 0; got += static_cast<std::size_t>(more > 0 ? more : 0))
        more = ::recv(peer.number(), nullptr, 1 << 24, MSG_TRUNC);
    });
    auto sent = co_await ours.send(bytes(static_cast<const std::byte*>(zeros), size));
    EXPECT_TRUE(succeeds(sent));
    EXPECT_TRUE(succeeds(ours.finish()));
    reading.join();
    co_return {};
  });
  ::munmap(zeros, size);
  EXPECT_EQ(got, size);
}

}  // namespace
}  // namespace soquete::test
