// Addresses of sockets of this machine: unix:///path, unix://@name, fd:N, systemd:NAME.
#pragma once

#include "address.hpp"

namespace command {

/// Reads what follows "unix:", with its options.
read<place> local_from(std::string_view text, std::string_view rest, role as);

/// Reads what follows "fd:", without its options: a descriptor that is open, perhaps.
read<place> descriptor_from(std::string_view text, std::string_view number, role as);

/// Reads what follows "systemd:", without its options.
read<place> passed_from(std::string_view text, std::string_view name, role as);

}  // namespace command
