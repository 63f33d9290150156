// Datagrams: each arrives whole or not at all, and nobody tells the sender which.
#include <array>
#include <cstdio>
#include <soquete/soquete.hpp>

using namespace soquete;
using namespace std::chrono_literals;

task<result<void>> exchange() {
  auto mailbox = co_await ok(udp::bind("127.0.0.1:0", {.receive_buffer = 4096}));
  endpoint where = co_await ok(mailbox.local());
  auto sender = co_await ok(udp::connect(where));

  const std::array<std::string_view, 3> texts = {"one", "", "three"};
  for (std::string_view text : texts) co_await ok(sender.send(text));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    udp::received got = co_await ok(mailbox.receive());
    std::printf("%zu bytes: '%s'\n", got.payload().size(), std::string(got.text()).c_str());
  }

  for (int i = 0; i < 1000; ++i) co_await ok(sender.send("again"));  // Nobody receives meanwhile.
  int arrived = 0;
  while (co_await within(100ms, mailbox.receive())) ++arrived;
  std::puts(arrived < 1000 ? "of 1000 more, some were lost; no send has failed" : "all have arrived");

  auto knocking = co_await ok(udp::connect("127.0.0.1:9"));
  co_await ok(knocking.send("anybody there?"));
  auto answer = co_await within(1s, knocking.receive());
  if (!answer) std::printf("%s\n", to_string(answer.error()).c_str());
  co_return {};
}

int main() { return run_main(exchange); }
