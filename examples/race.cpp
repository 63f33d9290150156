// Asks two mirrors, takes the first answer, cancels the other and waits for its end.
#include <cstdio>
#include <soquete/soquete.hpp>

using namespace soquete;

task<result<std::string>> ask(std::string_view mirror) {
  auto peer = co_await ok(tcp::connect(mirror));
  co_await ok(peer.send("which?\n"));
  reader in(peer);
  co_return co_await in.line(1024);
}

task<result<std::string>> fastest(std::string_view one, std::string_view other) {
  co_return co_await first_of(ask(one), ask(other));
}

int main(int argc, char** argv) {
  if (argc != 3) return std::fputs("usage: race HOST:PORT HOST:PORT\n", stderr), 2;
  return run_main([&]() -> task<result<void>> {
    std::string answer = co_await ok(fastest(argv[1], argv[2]));
    std::puts(answer.c_str());
    co_return {};
  });
}
