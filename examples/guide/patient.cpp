// Serves lines with limits: on each line, on each wait, on all clients together and on each address.
#include <cstdio>
#include <soquete/soquete.hpp>

using namespace soquete;
using namespace std::chrono_literals;

task<result<void>> serve_lines(tcp::stream client) {
  reader in(client);
  for (;;) {
    std::string line = co_await ok(within(1s, in.line(20)));
    co_await ok(within(1s, client.send(line + "\n")));  // One who does not read is slow, too.
  }
}

int main() {
  tcp::serve_watch log;
  log.listening = [](const endpoint& where) { std::printf("listening on %s\n", to_string(where).c_str()); };
  log.client_failed = [](const endpoint& client, const error& why) {
    if (why == fault::end_of_stream) return;  // It has finished, in order.
    std::printf("%s: %s\n", to_string(client).c_str(), to_string(why).c_str());
  };
  return run_main([&] {
    return tcp::serve("[::1]:8080", serve_lines,
                      {.max_connections = 100, .max_per_address = 2, .watch = &log});
  });
}
