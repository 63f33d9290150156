// Sentences of the library, of the system and of CLI11, which speak English, in the language of the user.
#pragma once

#include <string>
#include <string_view>
#include <system_error>

namespace command {

/// What they have said; unchanged if it is not known.
std::string borrowed(std::string_view english);
/// The cause of an error. It is known by its number: systems use different words.
std::string borrowed(const std::error_code& why);

}  // namespace command
