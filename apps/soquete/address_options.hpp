// Options of an address: what stands after its commas.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "address.hpp"

namespace command {

/// The parts of an address between its commas. Valid as long as the text.
std::vector<std::string_view> parts_of(std::string_view text);

/// A part with its commas, which are written "%2C".
std::string unescaped(std::string_view part);

/// The same address with that option, "wait=10s", instead of any of that name.
std::string with_option(std::string address, std::string_view option);

/// Reads "nodelay" or "rcvbuf=64KiB" into the place; or tells what is wrong with it.
std::optional<mistake> apply_option(place& into, std::string_view option, role as);

}  // namespace command
