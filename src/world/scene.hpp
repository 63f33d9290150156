// What of a history is drawn, and where: columns for hosts, rows for moments.
#pragma once

#include <string>
#include <vector>

#include "sim/recording.hpp"

namespace soquete::sim {

/// What is said of a picture or a capture besides what is recorded.
struct caption {
  std::string name;  ///< Of the scenario.
  std::uint64_t seed = 0;
  std::string failure;  ///< Empty: it has not failed.
};

/// All in pixels.
struct scene {
  struct column {
    std::uint32_t host;
    int x;
  };
  /// The time of which this is the height. Only rows that begin something must be told.
  struct row {
    moment at;
    int y;
    bool begins;
  };
  /// Time that is shown shorter than it is.
  struct gap {
    int from;
    int to;
    moment how_long;
  };
  struct arrow {
    const message* of;
    std::uint64_t number;
    int left;      ///< Where it begins,
    int due = 0;   ///< where it would end if nothing held it up; 0: it was not held up,
    int over = 0;  ///< and where it ends; 0: it has not ended.
  };
  /// Between two marks, or the edge of the picture.
  struct span {
    mark::kind what;  ///< How it begins: crashed, paused, cut.
    std::uint32_t on;
    std::uint32_t other;  ///< Of a link: its far end; nobody: all others, both ways.
    int from;
    int to;
    moment begins;
    moment ends;     ///< moment::max(): it does not.
    bool has_begin;  ///< Else it began before the picture.
    bool has_end;
  };

  /// Told beside the line of a host.
  struct remark {
    std::uint32_t on;
    int y;
    std::string words;
  };

  std::vector<column> columns;
  std::vector<row> rows;
  std::vector<gap> gaps;
  std::vector<arrow> arrows;
  std::vector<span> spans;
  std::vector<remark> remarks;
  int width = 0;
  int top = 0;     ///< Of the lines of the hosts.
  int bottom = 0;  ///< Of the lines of the hosts.
  int failed = 0;  ///< 0: it has not.
  moment failed_at{};
  int ending = 0;  ///< Where programs are asked to end. 0: not here.

  // What is left out.
  std::size_t hosts_out = 0;
  std::size_t between_hosts_out = 0;  ///< Messages from or to these.
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  bool marks_out = false;
  bool begins_late = false;  ///< The first moment shown is not the beginning.

  const column* find(std::uint32_t host) const noexcept {
    for (const column& one : columns)
      if (one.host == host) return &one;
    return nullptr;
  }
};

scene arrange(const recording& of);

}  // namespace soquete::sim
