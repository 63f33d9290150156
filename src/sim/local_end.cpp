// One end of a simulated local socket: what comes, what goes, and how it ends.
#include "sim/local_end.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "sim/block.hpp"

namespace soquete::sim {
namespace {

constexpr std::size_t piece_max = 64 * 1024;
constexpr unsigned reader_event = 0, sender_event = 1;
constexpr std::size_t reserved = 32;  // Of the room, beside a message.
// A sender that waits is told when so much of its room is free.  unix_writable()
constexpr std::size_t used_part = 4;
// Of a message that nobody wanted to know the sender of, the kernel has not kept it.
constexpr credentials untold{0, 65'534, 65'534};

// Somebody else has the processor first.
void wake_sender_later(local_end& one) {
  network& net = one.at.net;
  net.events.add(net.now() + std::chrono::microseconds(net.faults.log_between(1, 100)), one, sender_event);
}

}  // namespace

void local_end::happen(network&, unsigned what) noexcept {
  if (owner == nullptr) return;
  if (what == sender_event)
    owner->wake_writer();
  else
    owner->wake_reader();
}

void local_end::wake_reader() noexcept {
  if (owner == nullptr) return;
  // The system lets somebody else run first.
  if (owner->is_reading() && at.net.strikes(fault::delay)) {
    const std::chrono::microseconds later(at.net.faults.log_between(1, 10'000));
    at.net.events.add(at.net.now() + later, *this, reader_event);
    return;
  }
  owner->wake_reader();
}

void local_end::wake_writer() noexcept {
  if (owner == nullptr) return;
  if (owner->is_writing() && at.net.strikes(fault::order)) return wake_sender_later(*this);
  owner->wake_writer();
}

void local_end::join(local_end& one, local_end& other) noexcept {
  one.peer_ = shared<local_end>(&other);
  other.peer_ = shared<local_end>(&one);
  one.was_connected_ = other.was_connected_ = one.has_pair();
}

void local_end::join_as_pipe(local_end& reading, local_end& writing) noexcept {
  join(reading, writing);
  reading.is_pipe_ = writing.is_pipe_ = true;
  reading.reads_pipe_ = true;
  writing.room = pipe_room;
}

int local_end::ask(local_end& listener) {
  if (listener.backlog < 0) return ECONNREFUSED;
  if (listener.waiting.size() > static_cast<std::size_t>(listener.backlog)) return EAGAIN;
  const shared<local_end> child(new local_end(at, carries, nullptr));
  child->name = listener.name;
  child->tells_sender = listener.tells_sender;
  child->peer_is = at.us();
  peer_is = listener.peer_is;
  join(*this, *child);
  at.net.note(at, noted::connected);
  listener.waiting.push(child);
  listener.wake_reader();
  return 0;
}

void local_end::connect(local_end* to) noexcept {
  const shared<local_end> before = std::exchange(peer_, shared<local_end>(to));
  // As unix_dgram_disconnected() has it: where nothing is lost, nobody is told.
  if (!before || before.get() == to || inbox_.empty()) return;
  drop_all();
  wake_those_who_want_room();
  if (before->is_closed_ || before->peer_.get() != this) return;
  before->error_ = ECONNRESET;
  before->wake_reader();
}

void local_end::taken(const delivery& one) noexcept {
  local_end& by = *one.by;
  by.used_ -= one.cost;
  if (by.is_pipe_ ? by.used_ < by.room : by.used_ * used_part <= by.room) by.wake_writer();
}

void local_end::drop_all() noexcept {
  line<delivery> all = std::exchange(inbox_, line<delivery>());
  for (const delivery& one : all) taken(one);
}

void local_end::wake_those_who_want_room() noexcept {
  if (wants_room_.empty()) return;
  line<shared<local_end>> all = std::exchange(wants_room_, line<shared<local_end>>());
  for (const shared<local_end>& one : all) one->wake_writer();
}

void local_end::deliver(bytes payload, std::vector<carried_descriptor> handles, local_end& to) {
  const bool is_told = tells_sender || to.tells_sender || to.owner == nullptr;
  const bool has_name = !name.local_name().empty();
  const std::size_t cost = payload.size() + (is_pipe_ ? 0 : overhead);
  used_ += cost;
  at.net.note(at, noted::arrived, payload.size());
  to.inbox_.push({{payload.begin(), payload.end()},
                  0,
                  has_name ? name : endpoint(),
                  is_told ? at.us() : untold,
                  shared<local_end>(this),
                  cost,
                  std::move(handles)});
  to.wake_reader();
}

std::int64_t local_end::receive(mutable_bytes into, delivery* beside) noexcept {
  if (!was_connected_) return -EINVAL;
  if (is_pipe_ && !reads_pipe_) return -EBADF;
  if (inbox_.empty()) {
    if (error_ != 0) return -take_error();
    return receives_no_more_ ? 0 : -EAGAIN;
  }
  std::size_t most = into.size();
  if (most > 1 && at.net.strikes(fault::pieces))
    most = static_cast<std::size_t>(at.net.faults.log_between(1, most));
  std::size_t size = 0;
  line<delivery> done;
  if (beside != nullptr) {
    beside->from = inbox_.front().from;
    beside->sender = inbox_.front().sender;
  }
  while (size < most && !inbox_.empty()) {
    delivery& first = inbox_.front();
    // What different peers have sent is told apart, where it is asked for.
    if (beside != nullptr && size != 0 && tells_sender && first.sender != beside->sender) break;
    const std::size_t part = std::min(most - size, first.payload.size() - first.read);
    std::memcpy(into.data() + size, first.payload.data() + first.read, part);
    size += part;
    first.read += part;
    const bool has_handles = !first.handles.empty();
    // Whoever does not ask for them has them closed.
    std::vector<carried_descriptor> handles = std::move(first.handles);
    if (first.read == first.payload.size()) done.push(inbox_.pop());
    if (beside != nullptr) beside->handles = std::move(handles);
    if (has_handles) break;
  }
  for (const delivery& one : done) taken(one);
  return static_cast<std::int64_t>(size);
}

std::int64_t local_end::send(bytes from, std::vector<carried_descriptor> handles) noexcept {
  if (!peer_) return -ENOTCONN;
  if (reads_pipe_) return -EBADF;
  if (sends_no_more_) return -EPIPE;
  if (used_ >= room) return -EAGAIN;
  // Between two pieces the reader may have the processor, and take all there is.
  if (used_ != 0 && handles.empty() && at.net.strikes(fault::order)) {
    wake_sender_later(*this);
    return -EAGAIN;
  }
  // A socket takes more than it has room for, once; a pipe does not.
  std::size_t size = std::min({from.size(), piece_max, is_pipe_ ? room - used_ : room / 2});
  if (size > 1 && at.net.strikes(fault::pieces))
    size = static_cast<std::size_t>(at.net.faults.log_between(1, size));
  deliver(from.first(size), std::move(handles), *peer_);
  return static_cast<std::int64_t>(size);
}

std::int64_t local_end::receive(delivery& into) noexcept {
  if (error_ != 0) return -take_error();
  if (inbox_.empty()) {
    if (!has_pair()) return -EAGAIN;
    if (!was_connected_) return -ENOTCONN;
    return receives_no_more_ ? 0 : -EAGAIN;
  }
  into = inbox_.pop();
  taken(into);
  if (inbox_.size() <= datagrams_max) wake_those_who_want_room();
  return 1;
}

// In the order of unix_seqpacket_sendmsg() and unix_dgram_sendmsg(), which look for the receiver afterwards.
int local_end::may_send(std::size_t size) noexcept {
  if (has_pair() && error_ != 0) return -take_error();
  if (has_pair() && !was_connected_) return -ENOTCONN;
  if (size + reserved > room) return -EMSGSIZE;
  if (error_ != 0) return -take_error();
  if (sends_no_more_) return -EPIPE;
  return used_ >= room ? -EAGAIN : 0;
}

int local_end::send(bytes payload, std::vector<carried_descriptor> handles, local_end* to) {
  const bool has_address = to != nullptr;
  if (!has_address) to = peer_.get();
  if (to == nullptr) return -ENOTCONN;
  if (to->is_closed_) {
    if (!has_address) connect(nullptr);
    return -ECONNREFUSED;
  }
  if (to->peer_ && to->peer_.get() != this) return -EPERM;
  if (to->receives_no_more_) return -EPIPE;
  if (to != this && to->peer_.get() != this && to->inbox_.size() > datagrams_max) {
    if (!has_address) to->wants_room_.push(shared<local_end>(this));
    return -EAGAIN;
  }
  deliver(payload, std::move(handles), *to);
  return 0;
}

void local_end::lose_carried(std::vector<carried_descriptor>& to) {
  for (delivery& one : inbox_)
    for (carried_descriptor& each : one.handles) to.push_back(std::move(each));
  for (delivery& one : inbox_) one.handles.clear();
  for (const shared<local_end>& one : waiting) one->lose_carried(to);
}

std::int64_t local_end::readable() const noexcept {
  if (is_pipe_ && !reads_pipe_) return -EBADF;
  if (backlog >= 0) return waiting.empty() ? -EAGAIN : 0;
  const bool is_over = receives_no_more_ || error_ != 0 || (has_pair() && !was_connected_);
  return inbox_.empty() && !is_over ? -EAGAIN : 0;
}

int local_end::shutdown(direction which) noexcept {
  local_end* const other = peer_.get();
  if (which != direction::sending) {
    receives_no_more_ = true;
    if (other != nullptr) other->sends_no_more_ = true;
  }
  if (which != direction::receiving) {
    sends_no_more_ = true;
    if (other != nullptr) other->receives_no_more_ = true;
  }
  for (local_end* const one : {this, other}) {
    if (one == nullptr) continue;
    one->wake_reader();
    one->wake_writer();
  }
  return 0;
}

std::string local_end::describe() const {
  if (is_pipe_) return reads_pipe_ ? " reads a pipe" : " writes a pipe";
  std::string text(carries == transport::stream      ? " local stream"
                   : carries == transport::sequenced ? " local seqpacket"
                                                     : " local datagrams");
  if (backlog >= 0) text += " listens on";
  if (backlog >= 0 || !has_pair() || !name.local_name().empty()) text.append(" ").append(to_string(name));
  if (peer_) text.append(" with ").append(to_string(peer_->name));
  if (!inbox_.empty()) text.append(" (").append(std::to_string(inbox_.size())).append(" unread)");
  return text;
}

void local_end::close(bool was_accepted) noexcept {
  owner = nullptr;
  is_closed_ = true;
  at.names.forget(name, *this);
  while (!waiting.empty()) waiting.pop()->close(false);
  const shared<local_end> other = std::exchange(peer_, shared<local_end>());
  if (other && has_pair()) {
    other->receives_no_more_ = other->sends_no_more_ = true;
    if (!is_pipe_ && (!inbox_.empty() || !was_accepted)) other->error_ = ECONNRESET;
    other->wake_reader();
    other->wake_writer();
  }
  drop_all();
  wake_those_who_want_room();
}

void local_end::vanish() noexcept {
  owner = nullptr;
  is_closed_ = true;
  at.names.forget(name, *this);
  peer_ = {};
  waiting.clear();
  inbox_.clear();
  wants_room_.clear();
}

}  // namespace soquete::sim
