// Connects, and decides by the error what to do about it.
#include <cstdio>
#include <soquete/soquete.hpp>

using namespace soquete;
using namespace std::chrono_literals;

task<result<void>> greet(std::string_view where) {
  auto peer = co_await within(2s, tcp::connect(where));
  if (!peer && peer.error() == std::errc::connection_refused) {
    std::puts("nobody is listening there now; that is no reason to panic");
    co_return {};
  }
  if (!peer) co_return fail(peer.error());  // Whatever else it is, whoever called us should know.
  co_await ok(peer->send("hello\n"));
  lease answer = co_await ok(peer->receive());
  std::printf("the answer: %.*s", static_cast<int>(answer.size()), answer.text().data());
  co_return {};
}

int main(int argc, char** argv) {
  return run_main([&] { return greet(argc > 1 ? argv[1] : "localhost:8080"); });
}
