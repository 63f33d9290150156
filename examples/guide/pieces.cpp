// Receives from one client into a small buffer, and shows each piece.
#include <array>
#include <cstdio>
#include <soquete/soquete.hpp>

using namespace soquete;

task<result<void>> show_pieces() {
  auto mailbox = co_await ok(tcp::listen("localhost:8080"));
  std::puts("listening");
  auto client = co_await ok(mailbox.accept());
  std::array<std::byte, 5> room;
  for (;;) {
    std::size_t size = co_await ok(client.receive(room));  // 1 to 5 bytes; 0: the client has finished
    if (size == 0) break;
    std::printf("%zu bytes: %.*s\n", size, static_cast<int>(size), as_text(room).data());
  }
  std::puts("the end of the stream");
  co_return {};
}

int main() { return run_main(show_pieces); }
