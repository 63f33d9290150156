// Takes a port, takes it once more, and then takes any port that is free.
#include <cstdio>
#include <soquete/soquete.hpp>

using namespace soquete;

task<result<void>> take_ports() {
  auto first = co_await ok(tcp::listen("127.0.0.1:8080"));
  auto second = co_await tcp::listen("127.0.0.1:8080");  // No ok(): we want to look at what comes.
  if (!second) std::printf("%s\n", to_string(second.error()).c_str());
  auto other = co_await ok(tcp::listen("127.0.0.2:8080"));
  std::puts("but 127.0.0.2:8080 is another address");
  auto any = co_await ok(tcp::listen("127.0.0.1:0"));
  endpoint where = co_await ok(any.local());
  std::printf("and port 0 became %u\n", where.port());
  co_return {};
}

int main() { return run_main(take_ports); }
