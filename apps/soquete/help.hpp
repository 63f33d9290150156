// The help texts.
#pragma once

#include <string>
#include <string_view>

namespace command {

std::string_view usage();
std::string version();
std::string short_help();
std::string long_help();
std::string help_of_listen();
std::string help_of_connect();
std::string help_of_addresses();

}  // namespace command
