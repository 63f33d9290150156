// Creates a TCP socket, binds it to port 8080 of every address, listens, says so, and closes it.
#include <cstdio>
#include <soquete/soquete.hpp>

using namespace soquete;

task<result<void>> open_a_mailbox() {
  tcp::listener mailbox = co_await ok(tcp::listen("[::]:8080"));  // socket(), bind() and listen()
  endpoint where = co_await ok(mailbox.local());
  std::printf("listening on %s\n", to_string(where).c_str());
  co_return {};  // The mailbox is closed here, because it ends here.
}

int main() { return run_main(open_a_mailbox); }
