// Handing the listeners of a server to its successor, a later process of the same user.
#pragma once

#include <soquete/local_seqpacket.hpp>
#include <string>
#include <vector>

namespace soquete::detail {

/// A listener on its way.
struct given_listener {
  owned_descriptor it;
  bool owns_path = false;  ///< Its path goes with it.
};

/// The server that runs already, and what it has given.
struct predecessor {
  local::seqpacket line;
  std::vector<given_listener> listeners;
  owned_descriptor door;  ///< Where successors ask.
};

/// Asks the server whose door this is, if there is one: else it has no listeners.
/// Errors: those of connecting; permission_denied if it is another user's; timed_out.
task<result<predecessor>> find_predecessor(std::string door);

/// Tells it that we serve. It has stopped accepting when this ends.
task<result<void>> confirm(predecessor& p);

/// A descriptor that is not ours to close.
struct lent_listener {
  int descriptor = -1;
  bool owns_path = false;
};
/// Gives copies to one who asks at the door; true once it has confirmed that it serves.
task<result<bool>> offer(local::seqpacket line, std::vector<lent_listener> all, int door);

}  // namespace soquete::detail
