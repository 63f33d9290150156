// A server that is restarted without a refused connection: start it once more, and the new one takes over.
#include <soquete/soquete.hpp>

using namespace soquete;

task<result<void>> echo(tcp::stream peer) {
  for (;;) {
    lease piece = co_await ok(peer.receive());
    if (piece.empty()) co_return {};
    co_await ok(peer.send(piece.bytes()));
  }
}

// The old one stops accepting once the new one does, lets its clients finish, and ends.
int main() {
  return run_main({.threads = 0},
                  [] { return tcp::serve(":8080", echo, {.handover = "unix:@echo.handover"}); });
}
