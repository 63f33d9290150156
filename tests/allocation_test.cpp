// In steady state nothing is allocated: every call of operator new is counted.
#include "on_each_driver.hpp"
#include "tcp_pair.hpp"
#include "udp_pair.hpp"

#include <array>
#include <cstdlib>
#include <new>
#include <soquete/scope.hpp>

namespace {
std::size_t allocations = 0;  // The tests that look at it run on one thread.

void* counted(std::size_t size) {
  ++allocations;
  void* const made = std::malloc(size != 0 ? size : 1);
  if (made == nullptr) std::abort();
  return made;
}
}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* old) noexcept { std::free(old); }
void operator delete[](void* old) noexcept { std::free(old); }
void operator delete(void* old, std::size_t) noexcept { std::free(old); }
void operator delete[](void* old, std::size_t) noexcept { std::free(old); }

namespace soquete::test {
namespace {

class allocation : public on_each_driver {};
ON_EACH_DRIVER(allocation);

constexpr int round_trips = 10'000;
constexpr int warm_up = 200;

enum class way : std::uint8_t { leased, filled, parts };

task<result<void>> exchange(tcp::stream& s, way how, bool begins, int times) {
  const std::array<bytes, 2> halves{as_bytes("ping"), as_bytes("pong")};
  std::array<std::byte, 64> room;
  for (int i = 0; i != times; ++i) {
    if (begins || i != 0) {
      if (how == way::parts)
        co_await ok(s.send(halves));
      else
        co_await ok(s.send("pingpong"));
    }
    for (std::size_t got = 0; got != 8;) {
      if (how == way::leased) {
        lease piece = co_await ok(s.receive());
        got += piece.size();
      } else {
        got += co_await ok(s.receive(room));
      }
    }
  }
  if (!begins) co_await ok(s.send("pingpong"));
  co_return {};
}

// The count of allocations between two moments of a long echo.
task<result<void>> echo_both(tcp_pair& both, way how, int times) {
  auto body = [&](scope& s) -> task<result<void>> {
    s.spawn(exchange(both.server, how, false, times));
    co_return co_await exchange(both.client, how, true, times);
  };
  co_return co_await with_scope(body);
}

task<result<void>> count_in(way how) {
  auto both = co_await ok(connect_pair());
  co_await ok(echo_both(both, how, warm_up));
  // A short and a long echo allocate the same: their frames, and nothing for a round trip.
  const std::size_t before = allocations;
  co_await ok(echo_both(both, how, 1));
  const std::size_t between = allocations;
  co_await ok(echo_both(both, how, round_trips));
  EXPECT_LE(allocations - between, between - before);
  co_return {};
}

TEST_P(allocation, ten_thousand_echoes_of_leases_allocate_nothing) {
  play([] { return count_in(way::leased); });
}
TEST_P(allocation, ten_thousand_echoes_into_own_memory_allocate_nothing) {
  play([] { return count_in(way::filled); });
}
TEST_P(allocation, ten_thousand_echoes_of_parts_allocate_nothing) {
  play([] { return count_in(way::parts); });
}

enum class by : std::uint8_t { ones, batches };

// Three at a time there and back.
task<result<void>> echo_datagrams(udp_pair& both, by how, int times) {
  constexpr int together = 3;
  const auto answer = [&](const udp::datagram& d) { return both.server.queue_reply(d, d.payload); };
  for (int i = 0; i != times; ++i) {
    if (how == by::ones) {
      co_await ok(both.client.send("ping"));
      const udp::received got = co_await ok(both.server.receive());
      co_await ok(both.server.send_to(got.from(), got.payload()));
      static_cast<void>(co_await ok(both.client.receive()));
      continue;
    }
    for (int n = 0; n != together; ++n) both.client.queue(nullptr, as_bytes("ping"));
    co_await ok(both.client.flush());
    for (std::size_t left = together; left != 0;) {
      const udp::batch got = co_await ok(both.server.receive_batch());
      for (const udp::datagram& d : got) EXPECT_TRUE(answer(d));
      left -= (co_await ok(both.server.flush())).sent;
    }
    for (std::size_t left = together; left != 0;) left -= (co_await ok(both.client.receive_batch())).size();
  }
  co_return {};
}

task<result<void>> count_datagrams(by how) {
  udp_pair both = co_await ok(open_udp_pair());
  co_await ok(echo_datagrams(both, how, warm_up));
  const std::size_t before = allocations;
  co_await ok(echo_datagrams(both, how, 1));
  const std::size_t between = allocations;
  co_await ok(echo_datagrams(both, how, round_trips));
  EXPECT_LE(allocations - between, between - before);
  co_return {};
}

TEST_P(allocation, ten_thousand_echoes_of_datagrams_allocate_nothing) {
  play([] { return count_datagrams(by::ones); });
}
TEST_P(allocation, ten_thousand_echoes_of_batches_allocate_nothing) {
  play([] { return count_datagrams(by::batches); });
}

TEST(allocation_counter, it_counts) {
  const std::size_t before = allocations;
  delete new int(1);
  EXPECT_EQ(allocations, before + 1);
}

}  // namespace
}  // namespace soquete::test
