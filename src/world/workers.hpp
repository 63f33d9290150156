// Pieces of work, each done in one of several processes; what is heard of them is the same with any number.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace soquete::sim {

/// What a piece of work has come to. After one that is not fine its process does no more.
struct answer {
  std::string bytes;
  bool is_fine = true;
};

/// Does work(0) to work(count - 1), and calls `take` for each in order, until it gives false. Work is done in
/// so many processes (0: one for each processor), so that it can neither change anything here nor take us
/// along when it dies: `died` then says how, and is empty otherwise. One process: all is done here.
void share_out(
    std::uint64_t count, unsigned processes, const std::function<answer(std::uint64_t)>& work,
    const std::function<bool(std::uint64_t which, std::string_view bytes, std::string_view died)>& take);

/// Does it in a process of its own, which nobody hears.
/// Gives its bytes; nothing when it has died.
std::string apart(const std::function<std::string()>& work);

}  // namespace soquete::sim
