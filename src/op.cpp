// The life of an operation, as its coroutine sees it.
#include <cerrno>
#include <soquete/driver.hpp>

namespace soquete {
namespace {

step step_of(opcode code) noexcept {
  switch (code) {
    case opcode::receive:
    case opcode::receive_messages:
    case opcode::splice_in:
    case opcode::receive_lease: return step::receive;
    case opcode::send:
    case opcode::send_some:
    case opcode::send_messages:
    case opcode::splice_out:
    case opcode::send_parts: return step::send;
    case opcode::accept: return step::accept;
    case opcode::connect: return step::connect;
    case opcode::readable:
    case opcode::signal: return step::wait;
  }
  return step::none;
}

std::int64_t bytes_of(std::span<const received_message> all) noexcept {
  std::int64_t sum = 0;
  for (const received_message& one : all) sum += one.size;
  return sum;
}

std::int64_t bytes_of(std::span<const outgoing_message> all) noexcept {
  std::int64_t sum = 0;
  for (const outgoing_message& one : all) sum += static_cast<std::int64_t>(one.payload.size());
  return sum;
}

// Their bytes and whom the first is about, not their number.
void tell_messages(trace_event& event, const slot& s) noexcept {
  event.note = "messages";
  if (s.code == opcode::receive_messages && s.outcome > 0) {
    const auto* const first = static_cast<const received_message*>(s.data);
    event.amount = bytes_of(std::span(first, static_cast<std::size_t>(s.outcome)));
    if (!first->from.is_empty()) event.subject = &first->from;
  }
  if (s.code == opcode::send_messages && s.moved > 0) {
    const auto* const first = static_cast<const outgoing_message*>(s.data);
    event.amount = bytes_of(std::span(first, s.moved));
    event.subject = first->to;
    if (s.moved == 1 && first->outcome < 0) event.cause = {-first->outcome, std::generic_category()};
  }
}

void tell(trace_sink& sink, const slot& s) noexcept {
  trace_event event{.what = step_of(s.code), .descriptor = s.on->descriptor};
  endpoint subject;
  if (s.outcome < 0)
    event.cause = s.cause();
  else
    event.amount = s.outcome;
  if (s.outcome >= 0 && s.on->kind == descriptor_kind::datagram) tell_messages(event, s);
  if (s.code == opcode::splice_in || s.code == opcode::splice_out) event.note = "splice";
  const socket_block* about = s.on;
  if (s.code == opcode::accept && s.outcome >= 0) {
    about = static_cast<const socket_block*>(s.data);
    event.amount = about->descriptor;
  }
  if (s.code == opcode::connect) {
    event.subject = static_cast<const endpoint*>(s.data);
  } else if (event.subject == nullptr && about->has_peer) {
    subject = endpoint(about->peer_address, about->peer_port);
    event.subject = &subject;
  }
  sink.told(&sink, event);
}

}  // namespace

bool slot::begin(environment env, waiter* whom) noexcept {
  // Two tasks that receive from one socket at a time would share its bytes by chance.
  if (is_pending()) std::abort();
  cancel = env.cancel;
  then = whom;
  moved = 0;
  if (cancel != nullptr && cancel->requested()) {
    outcome = -ECANCELED;
    now = state::done;
    return false;
  }
  wake = &finish;
  fire = &ask_to_end;
  now = state::in_flight;
  if (on->home.start(*this)) {
    now = state::done;
    if (on->home.trace != nullptr) tell(*on->home.trace, *this);
    return false;
  }
  if (cancel != nullptr) cancel->leaf = this;
  return true;
}

void slot::finish(waiter* w) noexcept {
  auto* self = static_cast<slot*>(w);
  self->now = state::done;
  if (self->cancel != nullptr) self->cancel->leaf = nullptr;
  if (self->on->home.trace != nullptr) tell(*self->on->home.trace, *self);
  self->then->wake(self->then);
}

void slot::ask_to_end(cancel_hook* hook) noexcept {
  auto* self = static_cast<slot*>(hook);
  // Once queued, the result has arrived: it is never thrown away.
  if (self->now == state::in_flight) self->on->home.cancel(*self);
}

std::error_code slot::cause() const noexcept {
  if (outcome == -ECANCELED && cancel != nullptr && cancel->why == stop::timed_out)
    return std::make_error_code(std::errc::timed_out);
  return {static_cast<int>(-outcome), std::generic_category()};
}

void slot::describe(suspension_report& report) const {
  std::string what(to_string(step_of(code)));
  what.append(" on descriptor ").append(std::to_string(on->descriptor));
  if (on->has_peer)
    what.append(" (").append(to_string(endpoint(on->peer_address, on->peer_port))).append(")");
  report.waits_for(what);
  report.reached(static_cast<const op*>(this));
  // Has one peer, and hears from nobody else: of local sockets only the driver knows.
  const auto is_connected = [this] {
    if (on->carries != transport::datagram || on->has_peer) return true;
    return on->domain == family::local && on->home.peer(*on).has_value();
  };
  const bool is_open_to_all = code == opcode::accept || code == opcode::signal ||
                              (code == opcode::receive_messages && !is_connected());
  is_open_to_all ? report.serves_anybody() : report.depends_on_a_peer();
}

}  // namespace soquete
