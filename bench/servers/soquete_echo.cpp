// soquete, as its users write it; SOQUETE_DRIVER chooses io_uring, epoll or poll.
#include <cstdint>
#include <cstring>
#include <soquete/soquete.hpp>
#include <string>
#include <string_view>

using namespace soquete;

static task<result<void>> echo(tcp::stream peer) {
  for (;;) {
    lease data = co_await ok(peer.receive());
    if (data.empty()) co_return {};
    co_await ok(peer.send(data));
  }
}

static task<result<void>> sink(tcp::stream peer) {
  std::uint64_t discarded = 0;
  for (;;) {
    lease data = co_await ok(peer.receive());
    if (data.empty()) break;
    discarded += data.size();
  }
  char total[sizeof discarded];
  std::memcpy(total, &discarded, sizeof total);
  co_await ok(peer.send(std::string_view(total, sizeof total)));
  co_return {};
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  std::string where = std::string("127.0.0.1:") + argv[1];
  bool sinks = argc > 2 && std::string_view(argv[2]) == "sink";
  return run_main({.threads = 1}, [&] { return tcp::serve(where, sinks ? sink : echo); });
}
