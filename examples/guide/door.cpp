// Waits behind a path for one visitor, looks who it is, and hands out an open file.
#include <fcntl.h>
#include <unistd.h>
#include <array>
#include <cstdio>
#include <soquete/soquete.hpp>

using namespace soquete;

task<result<void>> open_the_door() {
  auto door = co_await ok(local::listen("unix:door", {.mode = 0600}));  // For our own user only.
  std::puts("listening on unix:door");
  auto visitor = co_await ok(door.accept());
  const bool is_us = visitor.peer_credentials().uid == ::getuid();
  std::puts(is_us ? "a program of ours has come" : "a program of somebody else has come");

  const std::array letter = {owned_descriptor(::open("letter", O_RDONLY | O_CLOEXEC))};
  co_return co_await visitor.send("a letter for you", letter);
}

int main() { return run_main(open_the_door); }
