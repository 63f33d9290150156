// Joins each client with a server of its own, both ways, until both ways have ended.
#include <cstdio>
#include <soquete/soquete.hpp>

using namespace soquete;

// Any shape of concurrency is a scope. It ends when all its children have ended: on success, on error, on
// cancellation. Nothing outlives it, so nothing that a child points to can vanish under it.
task<result<void>> both(tcp::stream& a, tcp::stream& b) {
  co_return co_await with_scope([&](scope& s) -> task<result<void>> {
    s.spawn(copy(a, b));
    s.spawn(copy(b, a));
    co_return {};
  });
}

task<result<void>> join(tcp::stream client, std::string_view server) {
  auto other = co_await ok(tcp::connect(server));
  co_return co_await both(client, other);
}

int main(int argc, char** argv) {
  if (argc != 3) return std::fputs("usage: relay :PORT HOST:PORT\n", stderr), 2;
  return run_main({.threads = 0}, [&] {
    return tcp::serve(argv[1],
                      [server = argv[2]](tcp::stream client) { return join(std::move(client), server); });
  });
}
