// Answers each datagram with itself, from the address it was sent to, a batch at a time.
#include <soquete/soquete.hpp>

using namespace soquete;

task<result<void>> echo(udp::socket socket) {
  for (;;) {
    udp::batch got = co_await ok(socket.receive_batch());  // One call or completion for all that is there.
    for (const udp::datagram& d : got)
      if (!d.truncated) socket.queue_reply(d, d.payload);  // Bytes stay in the batch until flushed.
    co_await ok(socket.flush());                           // One call, too; waits, so pressure is felt.
  }
}

int main() {
  return run_main([]() -> task<result<void>> {
    auto socket = co_await ok(udp::bind("[::]:8080"));
    co_return co_await echo(std::move(socket));
  });
}
