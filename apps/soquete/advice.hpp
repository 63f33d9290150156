// What an error means for who has typed the command, and what to try.
#pragma once

#include <soquete/error.hpp>
#include <string>

#include "address.hpp"

namespace command {

/// A sentence, and a command or two; each may be empty.
struct advice {
  std::string meaning;
  std::string attempt;
};

/// On an end that could not be opened as it was to be.
advice of_connecting(const place& to, const soquete::error& why);
advice of_listening(const place& on, const soquete::error& why);
/// On a message that could not be sent. Empty where nothing is known that is particular to messages.
advice of_sending(const place& to, const soquete::error& why);

/// The same for local sockets: unix:, and what is inherited of that kind.
advice of_connecting_here(const place& to, const soquete::error& why);
advice of_listening_here(const place& on, const soquete::error& why);
advice of_sending_here(const place& to, const soquete::error& why);

/// On what the machine has run out of.
advice of_resources(const soquete::error& why);

}  // namespace command
