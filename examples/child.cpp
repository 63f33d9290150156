// Runs `sort` with its input and output connected to this program.
#include <csignal>
#include <cstdio>
#include <soquete/soquete.hpp>

using namespace soquete;

// Nobody finishes the pipe for us: without this end, sort waits for more lines.
task<result<void>> feed(descriptor& input) {
  co_await ok(input.send("apple\npear\n"));
  co_return input.finish();
}

task<result<void>> print(descriptor& output) {
  for (;;) {
    lease lines = co_await ok(output.receive());
    if (lines.empty()) co_return {};
    std::fwrite(lines.data(), 1, lines.size(), stdout);
  }
}

// Both ways at once, so that neither waits for the other, however much there is. Whichever way this ends,
// also by Ctrl-C, the program has ended with it and is no zombie.
task<result<void>> sort() {
  loop& here = co_await this_loop();
  child program = co_await ok(
      child::start(here, {"sort", "-r"}, {.input = child_stream::pipe(), .output = child_stream::pipe()}));
  co_await ok(with_scope([&](scope& s) -> task<result<void>> {
    s.spawn(feed(program.input()));
    s.spawn(print(program.output()));
    co_return {};
  }));
  const exit_status how = co_await ok(program.wait());
  std::printf("sort %s\n", to_string(how).c_str());
  co_return {};
}

int main() {
  std::signal(SIGPIPE, SIG_IGN);  // A program that reads no more is an error, not our end.
  return run_main(sort);
}
