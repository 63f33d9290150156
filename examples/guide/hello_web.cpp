// A web server: HTTP/1.0 is lines on a stream.  RFC 1945
#include <soquete/soquete.hpp>

using namespace soquete;
using namespace std::chrono_literals;

task<result<void>> answer(tcp::stream client) {
  reader in(client);
  std::string request = co_await ok(within(5s, in.line(1024)));  // "GET /path HTTP/1.1"
  for (int left = 100; left > 0; --left) {                       // Header lines, up to an empty one.
    std::string header = co_await ok(within(5s, in.line(1024)));
    if (header.empty()) break;
  }
  std::string_view text = "HTTP/1.0 400 Bad Request\r\n\r\nI know GET only.\n";
  if (request.starts_with("GET "))
    text = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nHello, world!\n";
  co_return co_await within(5s, client.send(text));  // The client knows the end by our closing.
}

int main() {
  return run_main([] { return tcp::serve("localhost:8080", answer, {.max_connections = 1000}); });
}
