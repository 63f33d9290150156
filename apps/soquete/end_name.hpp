// What the ends of conversations are called, for people and on the command line.
#pragma once

#include <soquete/endpoint.hpp>
#include <soquete/message.hpp>
#include <string>

#include "socket_kind.hpp"

namespace command {

/// The text that stands for a local name in an address: "unix:///run/x", "unix://@name".
std::string address_of(const soquete::endpoint& name);
/// The same with the type of the socket: "unix:///run/x,dgram".
std::string address_of(const soquete::endpoint& name, carrier type);

/// For people: "127.0.0.1:80", also where the kernel writes [::ffff:127.0.0.1]:80; local names as in an
/// address; nothing for nothing.
std::string shown(const soquete::endpoint& end);

/// "process 4711 of user 1000"
std::string shown(const soquete::credentials& who);

}  // namespace command
