// Cancellation: one slot per strand of coroutines, one thread, no atomics.
#pragma once

#include <cstdint>

namespace soquete {

/// Why a strand is asked to end.
enum class stop : std::uint8_t { none, cancelled, timed_out };

/// What a strand waits for, as seen by whoever wants to end the wait.
struct cancel_hook {
  void (*fire)(cancel_hook*) noexcept = nullptr;  ///< Called when the end is asked for.
};

/// The cancellation of one strand: of a task and all that it awaits.
///
/// A strand waits for one thing at a time (an operation, a deadline, a scope), so one slot suffices.
/// A request is remembered: a wait that begins later ends at once. A wait that has already ended keeps
/// its result, which is never dropped.
struct cancel_context {
  cancel_hook* leaf = nullptr;  ///< What waits at the innermost await.
  stop why = stop::none;        ///< Why the end was asked for, if it was.

  bool requested() const noexcept { return why != stop::none; }  ///< Has the end been asked for?

  /// The first request counts; later ones change nothing.
  void request(stop reason) noexcept {
    if (why != stop::none || reason == stop::none) return;
    why = reason;
    if (leaf != nullptr) leaf->fire(leaf);
  }
};

}  // namespace soquete
