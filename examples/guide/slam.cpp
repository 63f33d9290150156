// A rude server: takes one client, hears one piece, and slams the door.
#include <cstdio>
#include <soquete/soquete.hpp>

using namespace soquete;

task<result<void>> slam() {
  auto mailbox = co_await ok(tcp::listen("localhost:8080"));
  std::puts("listening");
  auto client = co_await ok(mailbox.accept());
  co_await ok(client.receive());
  client.abort();  // No end of stream, but a reset.
  co_return {};
}

int main() { return run_main(slam); }
