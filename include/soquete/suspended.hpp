// Where every task is stuck: the tree of suspended awaits.
#pragma once

#include <optional>
#include <soquete/run_queue.hpp>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

namespace soquete {

/// Collects the suspended awaits of a loop as indented text, parents above children.
class suspension_report {
 public:
  explicit suspension_report(time_point now) : now_(now) {}  ///< Ages are counted until `now`.

  /// One await: where it stands in the source, and since when it waits.
  void await(const std::source_location& at, time_point since);
  /// A coroutine that does not wait: it runs now, or is about to.
  void running();
  /// What the await last added waits for: "receive on socket 7".
  void waits_for(std::string_view what);
  /// The deadline that governs all awaits below the current one.
  void until(time_point deadline);

  /// Of an operation: it waits for one peer, which may never answer.
  void depends_on_a_peer() noexcept { ++of_peers_; }
  /// Of an operation: it waits for whoever comes, and may do so for ever.
  void serves_anybody() noexcept { ++of_anybody_; }
  std::size_t waits_for_peers() const noexcept { return of_peers_; }      ///< How many did.
  std::size_t waits_for_anybody() const noexcept { return of_anybody_; }  ///< How many did.

  /// Of something that keeps requests to end from what is below it, as shield() does.
  void shielded() noexcept;

  /// Looks for this wait meanwhile: an op, or what a wait_watch was told of. See found().
  void seek(const void* wait) noexcept { sought_ = wait; }
  /// Of a wait: the awaits above lead to it. It ends by itself at `end`.
  void reached(const void* wait, std::optional<time_point> end = std::nullopt);
  /// The way to a wait that was sought.
  struct way {
    std::string awaits;  ///< "client.cpp:9, from client.cpp:20": the innermost of the program's own first.
    std::optional<time_point> until;  ///< The nearest deadline above it.
    std::optional<time_point> end;    ///< When it ends by itself, a sleep.
    bool is_shielded = false;         ///< A request to end from outside does not reach it at once.
  };
  /// Nothing: it was not reached.
  const std::optional<way>& found() const noexcept { return found_; }

  /// Opens a level of the tree.
  void enter() { ++depth_; }
  void leave() { --depth_; }  ///< Closes the level.

  /// The text, once.
  std::string take() && { return std::move(text_); }

 private:
  void indent();

  time_point now_;
  unsigned depth_ = 0;
  struct level {
    std::source_location at;
    std::optional<time_point> until;
    bool is_shielded = false;
  };
  std::vector<level> above_;  // While something is sought.
  const void* sought_ = nullptr;
  std::optional<way> found_;
  std::size_t of_peers_ = 0;
  std::size_t of_anybody_ = 0;
  std::string text_;
};

}  // namespace soquete
