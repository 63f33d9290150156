// How the arrow of a message runs through a picture.
#pragma once

#include <string_view>
#include <vector>

#include "world/labels.hpp"
#include "world/scene.hpp"

namespace soquete::sim {

/// Straight, then perhaps down along the line that it waits at.
struct route {
  point from;
  point bend;  ///< Where it ends if nothing holds it up.
  point to;
  bool is_held = false;
  bool is_lost = false;
  bool is_open = false;  ///< It never ended.
  bool is_loop = false;  ///< Within a host.
};

/// One for each arrow of the scene.
std::vector<route> routes_of(const scene& all);

/// How it is coloured: "stream", "datagram", "copy", "control" or "reset".
std::string_view sort_of(const message& one) noexcept;
/// Late, though nothing holds it up.
bool is_late(const message& one) noexcept;

}  // namespace soquete::sim
