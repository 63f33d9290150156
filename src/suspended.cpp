// The tree of suspended awaits as text.
#include <array>
#include <cstdio>
#include <soquete/suspended.hpp>

namespace soquete {
namespace {

std::string seconds(clock::duration span) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f s", std::chrono::duration<double>(span).count());
  return text.data();
}

std::string_view file_name(std::string_view path) { return path.substr(path.find_last_of('/') + 1); }

}  // namespace

void suspension_report::indent() {
  if (!text_.empty()) text_ += '\n';
  text_.append(2 * depth_, ' ');
}

void suspension_report::await(const std::source_location& at, time_point since) {
  indent();
  text_.append(file_name(at.file_name())).append(":").append(std::to_string(at.line()));
  text_.append(" waits since ").append(seconds(now_ - since));
}

void suspension_report::running() {
  indent();
  text_.append("running");
}

void suspension_report::waits_for(std::string_view what) { text_.append(" for ").append(what); }

void suspension_report::until(time_point deadline) {
  text_.append(", at most ").append(seconds(deadline - now_)).append(" more");
}

}  // namespace soquete
