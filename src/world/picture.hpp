// A history as a space-time diagram: hosts are lines, messages are arrows, time runs down.  SVG 1.1
#pragma once

#include <string>

#include "world/scene.hpp"

namespace soquete::sim {

std::string picture_of(const recording& of, const caption& about);

}  // namespace soquete::sim
