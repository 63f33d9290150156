// A history as packets for Wireshark: pcapng.  draft-ietf-opsawg-pcapng
#pragma once

#include <string>

#include "world/scene.hpp"

namespace soquete::sim {

std::string capture_of(const recording& of, const caption& about);

}  // namespace soquete::sim
