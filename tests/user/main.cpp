// A program of somebody else: it has only what an installation of soquete gives. Echoes over TCP on any port.
#include <cstdio>
#include <soquete/soquete.hpp>

using namespace soquete;

task<result<void>> echo_once(tcp::listener& door) {
  auto peer = co_await ok(door.accept());
  lease data = co_await ok(peer.receive());
  co_return co_await peer.send(data);
}

task<result<void>> ask() {
  auto door = co_await ok(tcp::listen("127.0.0.1:0"));
  const endpoint there = co_await ok(door.local());
  co_return co_await with_scope([&](scope& s) -> task<result<void>> {
    s.spawn(echo_once(door));
    auto peer = co_await ok(tcp::connect(there));
    co_await ok(peer.send("installed"));
    lease answer = co_await ok(peer.receive());
    std::printf("%s over %s\n", std::string(answer.text()).c_str(), to_string(there.addr()).c_str());
    co_return {};
  });
}

int main() {
  return run_main([] { return ask(); });
}
