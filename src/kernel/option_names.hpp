// Socket options as a system numbers them: linux/options.cpp, darwin/options.cpp.
#pragma once

#include <soquete/driver.hpp>
#include <string_view>

namespace soquete::kernel {

struct option_name {
  int level = -1;
  int number = -1;
  /// What it is called where it exists; empty where it exists here.
  std::string_view missing{};
};

/// Some have one number for IPv4 and another for IPv6.
option_name name_of(option, int descriptor) noexcept;
option_name name_of(text_option) noexcept;
/// IPv4's option, for what a socket of both families does over IPv4; 0: there is none, or it is needless.
int v4_twin(option) noexcept;

}  // namespace soquete::kernel
