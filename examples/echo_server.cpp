// Answers every client with its own bytes (RFC 862), on every core, until SIGINT or SIGTERM.
#include <soquete/soquete.hpp>

using namespace soquete;

task<result<void>> echo(tcp::stream peer) {
  for (;;) {
    lease data = co_await ok(peer.receive());  // 1.. bytes, owned; empty once the peer has finished
    if (data.empty()) co_return {};
    co_await ok(peer.send(data));  // all of them, or an error
  }
}

int main() {
  return run_main({.threads = 0}, [] { return tcp::serve("[::]:8080", echo); });
}
