// One line of the trace: a call, its result, and what it means.
#pragma once

#include <soquete/driver.hpp>
#include <string>

#include "options.hpp"

namespace command {

/// A call as a program would write it, its result, and a sentence.
struct trace_line {
  std::string call;
  std::string result;
  std::string meaning;
};

/// What an event of a socket of that kind says, in a run that does this.
trace_line line_of(const soquete::trace_event& event, const socket_kind& kind, const options& how);

}  // namespace command
