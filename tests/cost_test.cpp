// What the library costs, in counts that no load of the machine changes: memory, system calls, text, lines.
//
// Goal: none of them grows unnoticed. Method: each has a bound a little above what it is. How fast it is, the
// benchmark tells (bench/).
#include "child.hpp"
#include "on_each_driver.hpp"
#include "process.hpp"
#include "raw_socket.hpp"
#include "tcp_pair.hpp"
#include "udp_pair.hpp"

#include <malloc.h>
#include <unistd.h>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <soquete/local_serve.hpp>
#include <soquete/run.hpp>
#include <soquete/scope.hpp>
#include <soquete/serve.hpp>
#include <vector>

namespace {

std::int64_t live_bytes = 0;  // Of operator new, with what malloc adds. Only one thread allocates.

constexpr std::int64_t malloc_overhead = 8;

void* counted(std::size_t size) {
  void* const made = std::malloc(size != 0 ? size : 1);
  if (made == nullptr) std::abort();
  live_bytes += static_cast<std::int64_t>(::malloc_usable_size(made)) + malloc_overhead;
  return made;
}

void uncounted(void* old) {
  if (old != nullptr) live_bytes -= static_cast<std::int64_t>(::malloc_usable_size(old)) + malloc_overhead;
  std::free(old);
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* old) noexcept { uncounted(old); }
void operator delete[](void* old) noexcept { uncounted(old); }
void operator delete(void* old, std::size_t) noexcept { uncounted(old); }
void operator delete[](void* old, std::size_t) noexcept { uncounted(old); }

namespace soquete::test {
namespace {

class cost : public on_each_driver {
 public:
  using on_each_driver::play;
};
ON_EACH_DRIVER(cost);

// Memory of a server in a process of its own, between two moments when so many clients have had an echo.
constexpr std::int64_t first_clients = 16;  // What is made once, for all of them, is made for these.
constexpr std::int64_t idle_clients = 400;
struct growth {
  std::int64_t echoes = 0;
  std::int64_t before = 0;
  std::int64_t after = 0;
};
growth seen;

template <class Stream>
task<result<void>> echo(Stream peer) {
  for (;;) {
    lease piece = co_await ok(peer.receive());
    if (piece.empty()) co_return {};
    ++seen.echoes;
    if (seen.echoes == first_clients) seen.before = live_bytes;
    if (seen.echoes == first_clients + idle_clients) seen.after = live_bytes;
    co_await ok(peer.send(piece.bytes()));
  }
}

template <class Stream>
task<result<void>> ask_once_each(task<result<Stream>> (*connect)(const endpoint&), const endpoint& at) {
  std::vector<Stream> all;
  for (std::int64_t i = 0; i != first_clients + idle_clients; ++i) {
    auto next = co_await connect(at);
    // At first the server may not be there yet.
    for (int tries = 0; !next && i == 0 && tries != 20'000; ++tries) {
      co_await ok(sleep(std::chrono::milliseconds(1)));
      next = co_await connect(at);
    }
    if (!next) co_return fail(std::move(next.error()));
    all.push_back(std::move(*next));
    co_await ok(all.back().send("x"));
    const lease got = co_await ok(all.back().receive());
    EXPECT_EQ(got.text(), "x");
  }
  co_return {};
}

task<result<tcp::stream>> connect_tcp(const endpoint& at) { return tcp::connect(at); }
task<result<local::stream>> connect_local(const endpoint& at) { return local::connect(at); }

// Bytes for each idle client of `program`, a server at `at` in a child.
template <class Stream, class F>
std::int64_t bytes_for_each(cost& test, const endpoint& at, driver_choice which,
                            task<result<Stream>> (*connect)(const endpoint&), F program) {
  const auto server = [&] {
    const int code = run_main({.threads = 1, .driver = which}, program);
    std::printf("%lld\n", static_cast<long long>(seen.after - seen.before));
    return code;
  };
  const child_ending how = in_a_child(server, [&](int child) {
    test.play([&] { return ask_once_each<Stream>(connect, at); });
    ::kill(child, SIGTERM);
  });
  long long bytes = -1;
  EXPECT_EQ(how.exit_code, 0) << how.output;
  EXPECT_EQ(std::sscanf(how.output.c_str(), "%lld", &bytes), 1) << how.output;
  std::printf("%lld bytes for an idle client\n", bytes / idle_clients);
  return bytes / idle_clients;
}

// What it is, with some room for what this build adds to frames. Goal 9 of docs/performance.md
constexpr std::int64_t idle_bytes_max = 880;

TEST_P(cost, an_idle_tcp_client_costs_less_than_a_kilobyte) {
  const raw_socket door = raw_socket::listening(4096);
  const endpoint at(address::loopback_v4(), door.port());
  const auto program = [&] {  // In the child.
    return tcp::serve("fd:" + std::to_string(::dup(door.number())), echo<tcp::stream>, {.drain = {}});
  };
  EXPECT_LE(bytes_for_each<tcp::stream>(*this, at, GetParam(), connect_tcp, program), idle_bytes_max);
}

TEST_P(cost, an_idle_local_client_costs_less_than_a_kilobyte) {
  const std::string name = "unix:@cost-" + std::to_string(::getpid());
  const endpoint at = endpoint::parse(name).value();
  const auto program = [&] { return local::serve(name, echo<local::stream>, {.drain = {}}); };
  EXPECT_LE(bytes_for_each<local::stream>(*this, at, GetParam(), connect_local, program), idle_bytes_max);
}

// Both ends are on one loop: its calls are those of a server and of its clients.
constexpr int pairs = 64;
constexpr int echoes = 50;

task<result<void>> ask(tcp::stream& s) {
  for (int i = 0; i != echoes; ++i) {
    co_await ok(s.send("x"));
    EXPECT_EQ((co_await ok(s.receive())).text(), "x");
  }
  co_await ok(s.finish());
  co_return {};
}

TEST_P(cost, of_64_connections_an_echo_takes_few_system_calls) {
  play([this]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    std::vector<tcp_pair> all;
    for (int i = 0; i != pairs; ++i) all.push_back(co_await ok(connect_to(l)));
    auto body = [&](scope& s) -> task<result<void>> {
      for (tcp_pair& one : all) {
        s.spawn(echo(std::move(one.server)));
        s.spawn(ask(one.client));
      }
      co_return {};
    };
    const std::uint64_t before = counts().kernel_calls;
    co_await ok(with_scope(body));
    const double each = static_cast<double>(counts().kernel_calls - before) / (pairs * echoes);
    std::printf("%.3f system calls for an echo and its question\n", each);
    // Goal 7, for both ends: 0.08 each on io_uring, 2.1 on the others: a receive, a send, a part of a turn.
    EXPECT_LE(each, GetParam() == driver_choice::io_uring ? 0.16 : 4.2);
    co_return {};
  });
}

// One by one: a call to send each, and a few to receive all; now and then one that finds nothing.
TEST_P(cost, of_many_datagrams_each_takes_few_system_calls) {
  play([this]() -> task<result<void>> {
    udp_pair both = co_await ok(open_udp_pair());
    constexpr int rounds = 20, together = 16;
    const std::uint64_t before = counts().kernel_calls;
    for (int i = 0; i != rounds; ++i) {
      for (int n = 0; n != together; ++n) co_await ok(both.client.send("x"));
      for (int n = 0; n != together; ++n) EXPECT_EQ((co_await ok(both.server.receive())).text(), "x");
    }
    const double each = static_cast<double>(counts().kernel_calls - before) / (rounds * together);
    std::printf("%.3f system calls for a datagram, there and received\n", each);
    EXPECT_LE(each, 1.4);
    co_return {};
  });
}

// What the compiler says of an echo server.
std::string shell(const std::string& script) {
  process running({"bash", "-euo", "pipefail", "-c", script});
  running.finish_input();
  EXPECT_EQ(running.wait(std::chrono::minutes(5)), 0) << script << running.errors;
  return running.output;
}

TEST(cost_to_compile, including_everything_is_at_most_95_000_lines) {
  const std::string compile = SOQUETE_COMPILER " -std=c++23 -I " SOQUETE_SOURCE_DIR "/include -x c++ -E -";
  const std::string script = "echo '#include <soquete/soquete.hpp>' | " + compile + " | wc -l";
  const long lines = std::atol(shell(script).c_str());
  std::printf("%ld lines\n", lines);
  EXPECT_GT(lines, 1'000);
  EXPECT_LE(lines, 95'000);
}

// Goal 15: text and what else is loaded of an echo server's object.
TEST(cost_to_compile, an_echo_server_is_at_most_25_kilobytes_of_text) {
  const std::string object = testing::TempDir() + "/soquete_cost_" + std::to_string(::getpid()) + ".o";
  const std::string compile = SOQUETE_COMPILER " -std=c++23 -O2 -DNDEBUG -I " SOQUETE_SOURCE_DIR
                                               "/include -c " SOQUETE_SOURCE_DIR
                                               "/examples/echo_server.cpp -o " +
                              object;
  const long text = std::atol(shell(compile + "; size " + object + " | awk 'NR == 2 { print $1 }'").c_str());
  std::remove(object.c_str());
  std::printf("%ld bytes\n", text);
  EXPECT_GT(text, 100);
  EXPECT_LE(text, 25'000);
}

TEST(cost_counter, it_counts) {
  const std::int64_t before = live_bytes;
  auto* const made = new std::array<char, 100>;
  EXPECT_GE(live_bytes, before + 100);
  delete made;
  EXPECT_EQ(live_bytes, before);
}

}  // namespace
}  // namespace soquete::test
