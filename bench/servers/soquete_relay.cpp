// soquete as a relay, as its users write it; SOQUETE_DRIVER chooses io_uring, epoll or poll.
#include <soquete/soquete.hpp>
#include <string>

using namespace soquete;

static task<result<void>> join(tcp::stream client, std::string target) {
  tcp::stream server = co_await ok(tcp::connect(target));
  co_return co_await with_scope([&](scope& s) -> task<result<void>> {
    s.spawn(copy(client, server));
    s.spawn(copy(server, client));
    co_return {};
  });
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  std::string where = std::string("127.0.0.1:") + argv[1], target = std::string("127.0.0.1:") + argv[2];
  auto handler = [&](tcp::stream client) { return join(std::move(client), target); };
  return run_main({.threads = 1}, [&] { return tcp::serve(where, handler); });
}
