// Where the pictures and captures of a history go.
#pragma once

#include <soquete/error.hpp>
#include <string>
#include <string_view>

#include "world/scene.hpp"

namespace soquete::sim {

/// Errors: io_error.
result<void> write_file(const std::string& path, std::string_view content);

/// The folder for what fails, SOQUETE_SIM_DRAW; null: nothing is to be drawn.
const char* picture_folder() noexcept;

/// Draws and captures a history there, in files named after it. What is told of that, a line each.
std::string draw_into(const std::string& folder, const recording& what, const caption& about);

}  // namespace soquete::sim
