// Gives an open connection to another process: file descriptors travel over a local (Unix-domain) socket.
#include <soquete/soquete.hpp>

using namespace soquete;

task<result<void>> give(local::stream& worker, tcp::stream client) {
  std::array handles{client.release()};
  co_return co_await worker.send("take it", handles);  // SCM_RIGHTS, unix(7)
}

task<result<tcp::stream>> take(local::stream& boss) {
  local::message m = co_await ok(boss.receive_message());  // every descriptor received is owned, CLOEXEC
  if (m.handles.empty() || boss.peer_credentials().uid != 0) co_return fail(std::errc::permission_denied);
  co_return co_await tcp::stream::adopt(std::move(m.handles.front()));
}

task<result<void>> show() {
  auto ends = co_await ok(local::pair());  // the worker would be another process
  auto door = co_await ok(tcp::listen("localhost:8080"));
  auto client = co_await ok(tcp::connect("localhost:8080"));
  auto server = co_await ok(door.accept());
  co_await ok(give(ends.first, std::move(server)));
  tcp::stream taken = co_await ok(take(ends.second));
  co_return co_await taken.send("hello from the worker");
}

int main() { return run_main(show); }
