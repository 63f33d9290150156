// Two tasks wait for something; a third tells where and for what.
#include <cstdio>
#include <soquete/soquete.hpp>

using namespace soquete;
using namespace std::chrono_literals;

task<result<void>> wait_for_a_line() {
  auto peer = co_await ok(tcp::connect("127.0.0.1:8080"));
  reader in(peer);
  co_await ok(within(1s, in.line(80)));
  co_return {};
}

task<result<void>> look() {
  co_await ok(sleep(500ms));
  std::string where = co_await dump();
  std::puts(where.c_str());
  co_return {};
}

int main() {
  return run_main([] {
    return with_scope([](scope& s) -> task<result<void>> {
      s.spawn(wait_for_a_line());
      s.spawn(look());
      co_return {};
    });
  });
}
