// The driver of one simulated host: local sockets.  unix(7)
#include <algorithm>
#include <cerrno>

#include "sim/driver.hpp"

namespace soquete::sim {
namespace {

constexpr std::size_t message_max = 256 * 1024;  // What the kernel drivers have room for.
constexpr unsigned permission_bits = 0777;
constexpr std::uint64_t file_system = 1;  // There is one.

error of_errno(int cause, step during) { return {std::error_code(cause, std::generic_category()), during}; }

result<void> told(int cause, step during) {
  if (cause == 0) return {};
  return fail(of_errno(cause, during));
}

bool has_path(const endpoint& name) noexcept { return !name.is_abstract() && !name.local_name().empty(); }

}  // namespace

result<block*> host_driver::make_local(transport how) {
  auto made = make_block(family::local, how);
  if (!made) return made;
  (*made)->local = shared<local_end>(new local_end(at_, how, *made));
  return made;
}

result<socket_pair> host_driver::pair(transport how) {
  if (is_dead_) return fail(std::errc::operation_canceled, step::open);
  if (const int cause = meddled(request::pair); cause != 0) return fail(of_errno(cause, step::open));
  return make_pair(how);
}

result<socket_pair> host_driver::make_pair(transport how) {
  auto one = make_local(how);
  if (!one) return fail(std::move(one.error()));
  auto other = make_local(how);
  if (!other) {
    close(**one);
    return fail(std::move(other.error()));
  }
  local_end& a = *(*one)->local;
  local_end& b = *(*other)->local;
  local_end::join(a, b);
  a.peer_is = b.peer_is = at_.us();
  return socket_pair{*one, *other};
}

result<socket_pair> host_driver::pipe() {
  if (is_dead_) return fail(std::errc::operation_canceled, step::open);
  if (const int cause = meddled(request::pipe); cause != 0) return fail(of_errno(cause, step::open));
  auto both = make_pair(transport::stream);
  if (!both) return both;
  for (socket_block* const one : {both->first, both->second}) {
    one->kind = descriptor_kind::other;
    one->domain = family::v4;
  }
  local_end::join_as_pipe(*data_of(*both->first).local, *data_of(*both->second).local);
  return both;
}

int host_driver::bind_local(block& b, const endpoint& where) {
  if (!is_socket(b.kind)) return ENOTSOCK;
  if (!where.is_local()) return EINVAL;
  local_end& end = *b.local;
  if (!end.name.local_name().empty()) return EINVAL;
  const endpoint name = where.local_name().empty() ? at_.free_name() : where;
  const int cause = at_.names.bind(name, end);
  if (cause == 0) end.name = name;
  return cause;
}

int host_driver::listen_local(block& b, int backlog) {
  local_end& end = *b.local;
  if (!is_socket(b.kind)) return ENOTSOCK;
  if (end.carries == transport::datagram) return EOPNOTSUPP;
  if (end.name.local_name().empty() || end.peer() != nullptr) return EINVAL;
  constexpr int backlog_max = 4096;  // net.core.somaxconn, listen(2)
  end.backlog = backlog < 0 || backlog > backlog_max ? backlog_max : backlog;
  end.peer_is = at_.us();
  b.kind = descriptor_kind::listener;
  return 0;
}

result<void> host_driver::claim(socket_block& socket, const endpoint& where, const path_claim& how) {
  auto& b = data_of(socket);
  if (!b.local) return fail(std::errc::invalid_argument, step::bind);
  if (const int why = meddled(request::claim); why != 0) return told(why, step::bind);
  int cause = bind_local(b, where);
  if (cause == EADDRINUSE && has_path(where) && how.replace_stale && at_.names.remove_stale(where))
    cause = bind_local(b, where);
  if (cause != 0) return told(cause, step::bind);
  if (has_path(where)) at_.names.set_mode(where, how.mode & permission_bits);
  own_path(socket);
  return how.backlog < 0 ? result<void>() : listen(socket, how.backlog);
}

void host_driver::own_path(socket_block& socket) {
  const auto& b = data_of(socket);
  if (!b.local || !has_path(b.local->name)) return;
  const std::uint64_t file = at_.names.file_of(b.local->name, *b.local);
  if (file == 0) return;
  delete socket.path;
  socket.path = new owned_path{name_table::path_of(b.local->name), file_system, file};
}

bool host_driver::owns_path(const socket_block& socket) const {
  return socket.path != nullptr && at_.names.is_there(socket.path->path, socket.path->inode);
}

void host_driver::remove_path(block& b) noexcept {
  if (b.path != nullptr) at_.names.remove(b.path->path, b.path->inode);
  delete std::exchange(b.path, nullptr);
}

result<credentials> host_driver::peer_credentials(const socket_block& socket) const {
  if (const int cause = meddled(request::get_option); cause != 0)
    return fail(of_errno(cause, step::get_option));
  const auto& b = data_of(socket);
  if (!is_socket(b.kind)) return fail(std::errc::not_a_socket, step::get_option);
  if (!b.local) return fail(std::errc::no_protocol_option, step::get_option);
  return b.local->peer_is;
}

// 0 or an errno: the socket that has the name, of that type.
int host_driver::find_local(const endpoint& name, transport how, local_end*& it) const {
  const name_table::found there = at_.names.find(name);
  if (there.cause != 0) return there.cause;
  if (there.it->carries != how) return EPROTOTYPE;
  it = there.it;
  return 0;
}

// Who wants to be told of senders wants to be known as well.
int host_driver::name_if_told(block& b) {
  if (!b.local->tells_sender || !b.local->name.local_name().empty()) return 0;
  return bind_local(b, endpoint::local_unnamed());
}

int host_driver::connect_local(block& b, const endpoint& to) {
  if (!is_socket(b.kind)) return ENOTSOCK;
  if (!to.is_local()) return EINVAL;
  local_end& end = *b.local;
  local_end* there = nullptr;
  if (const int cause = name_if_told(b); cause != 0) return cause;
  if (net_.strikes(fault::exhaust)) return ENOBUFS;
  if (const int cause = find_local(to, end.carries, there); cause != 0) return cause;
  if (end.carries == transport::datagram) {
    if (there->peer() != nullptr && there->peer() != &end) return EPERM;
    end.connect(there);
    return 0;
  }
  if (end.backlog >= 0) return EINVAL;
  if (end.was_connected()) return EISCONN;
  return end.ask(*there);
}

std::int64_t host_driver::accept_local(block& listener, op& o) noexcept {
  if (listener.local->waiting.empty()) return -EAGAIN;
  if (net_.strikes(fault::exhaust)) return net_.faults.below(2) == 0 ? -EMFILE : -ENFILE;
  auto made = make_block(family::local, listener.carries);
  if (!made) return -made.error().code().value();
  block& child = **made;
  child.local = listener.local->waiting.pop();
  child.local->owner = &child;
  child.value(option::tell_sender) = child.local->tells_sender ? 1 : 0;
  o.data = static_cast<socket_block*>(&child);
  return 0;
}

// What is to travel along. 0 or an errno.
int host_driver::carry(const outgoing_message& m, std::vector<carried_descriptor>& handles) {
  if (m.handles.size() > message_handles_max) return EINVAL;
  if (home_->travelling > at_.descriptor_limit) return ETOOMANYREFS;
  for (const owned_descriptor& one : m.handles) {
    block* const open = one.home() == nullptr || one.home() == home_ ? find(one.descriptor()) : nullptr;
    if (open != nullptr) {
      handles.emplace_back(*home_, *open);
      continue;
    }
    if (one.home() != nullptr) return EBADF;
    auto copy = one.duplicate();
    if (!copy) return EBADF;
    handles.emplace_back(std::move(*copy));
  }
  return 0;
}

// As many as the host may have open. The others are closed.
void host_driver::hand_over(std::vector<carried_descriptor> handles, received_message& to) {
  std::size_t most = handles.size();
  if (most != 0 && net_.strikes(fault::exhaust)) most = static_cast<std::size_t>(net_.faults.below(most));
  for (carried_descriptor& one : handles) {
    result<owned_descriptor> got = fail(std::errc::too_many_files_open, step::receive);
    if (to.handles.size() != most) got = one.arrive();
    to.handles_lost = !got;
    if (!got) return;
    to.handles.push_back(std::move(*got));
  }
}

// 0 or -errno.
int host_driver::send_record(block& b, const outgoing_message& m) {
  std::vector<carried_descriptor> handles;
  if (const int cause = carry(m, handles); cause != 0) return -cause;
  // To name the peer of a connection is no use and no harm, as the kernel has it for records.
  const bool has_address = m.to != nullptr && b.carries == transport::datagram;
  if (has_address && !m.to->is_local()) return -EINVAL;
  if (b.carries == transport::datagram)
    if (const int cause = name_if_told(b); cause != 0) return -cause;
  if (const int cause = b.local->may_send(m.payload.size()); cause != 0) return cause;
  local_end* to = nullptr;
  if (has_address) {
    if (const int cause = find_local(*m.to, transport::datagram, to); cause != 0) return -cause;
    if (net_.strikes(fault::exhaust)) return -EAGAIN;
  }
  return b.local->send(m.payload, std::move(handles), to);
}

// True: done.
bool host_driver::send_local_messages(block& b, op& o) noexcept {
  const std::span<outgoing_message> all(static_cast<outgoing_message*>(const_cast<void*>(o.data)), o.size);
  const auto is_refused = [&](const outgoing_message& m) {
    return (m.sender != nullptr && *m.sender != at_.us()) || !m.from.is_unspecified() || m.interface != 0 ||
           m.hops >= 0 || m.traffic_class >= 0;
  };
  if (!is_socket(b.kind)) return o.outcome = -ENOTSOCK, true;
  if (b.kind == descriptor_kind::stream) {
    outgoing_message& m = all.front();
    if (m.payload.empty() || is_refused(m)) return o.outcome = m.outcome = -EINVAL, true;
    while (o.moved < m.payload.size()) {
      std::vector<carried_descriptor> handles;
      if (o.moved == 0)
        if (const int cause = carry(m, handles); cause != 0) return o.outcome = m.outcome = -cause, true;
      const std::int64_t sent = b.local->send(m.payload.subspan(o.moved), std::move(handles));
      if (sent == -EAGAIN) return false;
      if (sent < 0) return o.outcome = m.outcome = static_cast<std::int32_t>(sent), true;
      o.moved += static_cast<std::size_t>(sent);
    }
    return o.outcome = 1, true;
  }
  for (; o.moved < all.size(); ++o.moved) {
    outgoing_message& m = all[o.moved];
    const int how = is_refused(m) ? -EINVAL : send_record(b, m);
    // The kernel tells of room only those who are connected.
    if (how == -EAGAIN && m.to == nullptr) return false;
    if (how < 0) m.outcome = how;
  }
  o.outcome = static_cast<std::int64_t>(o.moved);
  return true;
}

message_pool::held_message host_driver::opened(delivery one, const local_end& by) {
  message_pool::held_message m;
  m.told.from = one.from;
  m.told.length = static_cast<std::uint32_t>(one.payload.size());
  m.told.sender = one.sender;
  m.told.has_sender = by.tells_sender;
  hand_over(std::move(one.handles), m.told);
  m.held = std::move(one.payload);
  if (m.held.size() > message_max) m.held.resize(message_max);
  return m;
}

std::int64_t host_driver::receive_local_messages(block& b, op& o) noexcept {
  local_end& end = *b.local;
  if (!is_socket(b.kind)) return -ENOTSOCK;
  std::vector<message_pool::held_message> all;
  if (b.kind == descriptor_kind::stream) {
    delivery beside;
    const std::int64_t got = end.receive(net_.scratch, &beside);
    if (got <= 0) return got;
    beside.payload.assign(net_.scratch.begin(), net_.scratch.begin() + got);
    message_pool::held_message m = opened(std::move(beside), end);
    all.push_back(std::move(m));
    return messages_.lend(std::move(all), o);
  }
  std::size_t count = messages_.has_room() ? std::min(o.size, message_pool::messages_max) : 1;
  if (count > 1 && net_.strikes(fault::pieces))
    count = static_cast<std::size_t>(net_.faults.between(1, count));
  while (all.size() != count) {
    delivery one;
    // An error or the end is for the next call where there is something already.
    if (!all.empty() && end.readable() != 0) break;
    const std::int64_t got = end.receive(one);
    if (got <= 0 && all.empty()) return got;
    if (got <= 0) break;
    all.push_back(opened(std::move(one), end));
  }
  return messages_.lend(std::move(all), o);
}

}  // namespace soquete::sim
