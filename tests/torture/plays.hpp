// What programs do with sockets, in short: played while things go wrong under them.
#pragma once

#include <soquete/task.hpp>
#include <span>

namespace soquete::test {

/// Runs on one loop, with both ends in it. It checks by EXPECT that what was received is a beginning of what
/// was sent, and ends with an error only when the system had one.
struct torture_play {
  const char* name;
  task<result<void>> (*run)();
};

std::span<const torture_play> torture_plays();

}  // namespace soquete::test
