// --trace: each socket call as it happens.
#include "trace.hpp"

#include <fmt/format.h>

#include "locale.hpp"
#include "trace_line.hpp"

namespace command {
namespace {

using soquete::step;
using soquete::trace_event;

constexpr std::size_t width = 38;  // Of call and result, so that sentences stand below each other.

bool is_mapped(const trace_event& e) {
  return e.subject != nullptr && e.subject->is_ip() && e.subject->addr() != e.subject->addr().unmapped();
}

}  // namespace

narrator::narrator(console& to, const options& how) : to_(to), how_(how) {
  trace_sink::told = [](soquete::trace_sink* self, const trace_event& event) noexcept {
    static_cast<narrator*>(self)->narrate(event);
  };
}

void narrator::narrate(const trace_event& event) {
  // Signals and programs are waited for until the end, which is no step of any socket.
  if (event.what == step::wait && event.cause == std::errc::operation_canceled) return;
  // Given to another event loop: no call is made.
  if (event.what == step::none && event.note == "release") return;
  trace_line l = line_of(event, kind_of(event.descriptor), how_);
  if (is_mapped(event) && !has_explained_mapping_.exchange(true))
    l.meaning.append(" ").append(
        _("(IPv4, which the kernel writes as {} on an IPv6 socket)", to_string(*event.subject)));
  const double since = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  const std::size_t used = l.call.size() + l.result.size();
  to_.trace(fmt::format("{:9.6f}  {} → {}{:{}}  {}", since, l.call, l.result, "",
                        used < width ? width - used : 0, l.meaning));
}

}  // namespace command
