// Reads lines from one client, answers each, and says goodbye when the client has finished.
#include <cstdio>
#include <soquete/soquete.hpp>

using namespace soquete;

task<result<void>> answer_lines() {
  auto mailbox = co_await ok(tcp::listen("localhost:8080"));
  std::puts("listening");
  auto client = co_await ok(mailbox.accept());
  reader in(client);
  for (;;) {
    auto line = co_await in.line(20);  // At most 20 bytes: who sends more wants our memory.
    if (!line && line.error() == fault::end_of_stream) break;
    if (!line) co_return fail(line.error());
    co_await ok(client.send("you said: " + *line + "\n"));
  }
  co_return co_await client.send("goodbye\n");  // The client has finished; we have not.
}

int main() { return run_main(answer_lines); }
