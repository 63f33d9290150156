// soquete, as its users write it; SOQUETE_DRIVER chooses io_uring, epoll or poll.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <soquete/soquete.hpp>
#include <string>
#include <string_view>

using namespace soquete;

template <class Stream>
static task<result<void>> echo(Stream peer) {
  for (;;) {
    lease data = co_await ok(peer.receive());
    if (data.empty()) co_return {};
    co_await ok(peer.send(data));
  }
}

template <class Stream>
static task<result<void>> sink(Stream peer) {
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
  bool local = argv[1][0] == '/';
  std::string where = (local ? "unix:" : "127.0.0.1:") + std::string(argv[1]);
  bool sinks = argc > 2 && std::string_view(argv[2]) == "sink";
  auto loops = static_cast<unsigned>(argc > 3 ? std::atoi(argv[3]) : 1);
  return run_main({.threads = loops}, [&] {
    return local ? local::serve(where, sinks ? sink<local::stream> : echo<local::stream>)
                 : tcp::serve(where, sinks ? sink<tcp::stream> : echo<tcp::stream>);
  });
}
