// Counts what each peer sends. There are no connections, so a peer is who has lately sent something.
#include <soquete/soquete.hpp>

using namespace soquete;
using namespace std::chrono_literals;

task<result<void>> count(udp::session& guest) {
  for (int number = 1;; ++number) {
    udp::received got = co_await ok(guest.receive());
    std::string answer = "number " + std::to_string(number) + ": " + std::string(got.text());
    co_await ok(guest.send(answer));
  }
}

int main() {
  return run_main([] {
    return udp::serve("localhost:8080", count, {.idle = 10s, .max_sessions = 100, .max_per_address = 10});
  });
}
