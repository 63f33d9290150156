// Mode check-datagrams: empty and large ones, clients that vanish or never read. A server worth measuring
// answers right or not at all, and goes on.
#include <poll.h>

#include <vector>

#include "asker.hpp"
#include "clock.hpp"
#include "datagram_server.hpp"

namespace load {

namespace {

constexpr std::uint64_t growth_max = 4 << 20;  // Of its memory, by clients that never read.

// Waits for what has come; nothing if that takes too long.
datagram_socket::run answer_to(datagram_socket& client, int milliseconds) {
  pollfd readable{.fd = client.descriptor(), .events = POLLIN, .revents = 0};
  return poll(&readable, 1, milliseconds) > 0 ? client.receive() : datagram_socket::run{};
}

// Some may be lost while others flood the server; not all of them.
void must_answer(asker& client) {
  for (int i = 0; i < 20; ++i) {
    client.ask(now_ns());
    pollfd readable{.fd = client.descriptor(), .events = POLLIN, .revents = 0};
    while (poll(&readable, 1, 100) > 0)
      if (client.receive()) return client.give_up();
    client.give_up();
  }
  fail("a client is not served");
}

void empty_one(const place& at) {
  datagram_socket client(at);
  client.send("");
  datagram_socket::run got = answer_to(client, 1000);
  if (!got.is_there) fail("an empty datagram did not come back");
  if (!got.bytes.empty()) fail("an empty datagram came back with bytes");
}

void large_one(const place& at) {
  datagram_socket client(at);
  payload words(60'000);
  std::string_view large(words.message(1, 1), 60'000);
  client.send(large);
  datagram_socket::run got = answer_to(client, 200);
  if (got.is_there && got.bytes != large) fail("a large datagram came back cut or changed");
}

}  // namespace

void check_datagrams(const options& o) {
  wait_for_answer(o.at, "?");
  server watched(o.server);
  payload words(1200);
  std::vector<asker> others;
  for (std::uint32_t i = 0; i < 8; ++i) others.emplace_back(o.at, i, words, 1200);
  auto all_are_served = [&] {
    for (asker& c : others) must_answer(c);
  };
  all_are_served();
  empty_one(o.at);
  large_one(o.at);
  for (int i = 0; i < 100; ++i) datagram_socket(o.at).send("gone before the answer comes");
  all_are_served();
  std::uint64_t before = watched.resident_bytes();
  datagram_socket deaf(o.at);
  for (int i = 0; i < 20'000; ++i) {
    deaf.send({words.message(0, static_cast<std::uint32_t>(i)), 1200});
    if (i % 100 == 0) usleep(1);  // So that the server gets most of them.
    if (i % 2000 == 0) all_are_served();
  }
  all_are_served();
  std::uint64_t after = watched.resident_bytes();
  if (after > before + growth_max) fail("no bound: 4 MiB kept for a client that does not read");
  std::printf("{\"flooded\": 20000, \"bytes\": %lld}\n", static_cast<long long>(after - before));
}

}  // namespace load
