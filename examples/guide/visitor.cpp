// Goes to the door, and reads from the open file that it is given there.
#include <unistd.h>
#include <array>
#include <cstdio>
#include <soquete/soquete.hpp>

using namespace soquete;

task<result<void>> visit() {
  auto door = co_await ok(local::connect("unix:door"));
  local::message got = co_await ok(door.receive_message());
  if (got.handles.empty()) co_return fail(fault::end_of_stream, step::receive);
  std::printf("%s, and %zu descriptor\n", std::string(got.payload.text()).c_str(), got.handles.size());
  std::array<char, 100> text;
  const ssize_t size = ::read(got.handles.front().descriptor(), text.data(), text.size());
  if (size > 0) std::printf("%.*s", static_cast<int>(size), text.data());
  co_return {};
}

int main() { return run_main(visit); }
