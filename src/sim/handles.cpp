// The driver of one simulated host: who has what open.
#include "sim/handles.hpp"

#include <algorithm>
#include <cerrno>

#include "sim/driver.hpp"
#include "unread_datagrams.hpp"

namespace soquete::sim {
namespace {

error of_errno(int cause, step during) {
  return {std::error_code(cause < 0 ? -cause : cause, std::generic_category()), during};
}

error of_the_real_system() {
  error why(soquete::fault::unsupported, step::adopt);
  return std::move(why.set_detail("descriptors of the real system are not simulated"));
}

}  // namespace

handle_home::handle_home(host_driver& of) noexcept : driver(&of) {
  close = [](descriptor_home* home, int number) noexcept {
    if (auto* const here = static_cast<handle_home*>(home)->driver; here != nullptr)
      here->drop_number(number);
  };
  duplicate = [](descriptor_home* home, int number) -> result<owned_descriptor> {
    auto* const here = static_cast<handle_home*>(home)->driver;
    if (here == nullptr) return fail(std::errc::bad_file_descriptor, step::adopt);
    return here->copy_of(number);
  };
  destroy = [](descriptor_home* home) noexcept { delete static_cast<handle_home*>(home); };
}

carried_descriptor::carried_descriptor(handle_home& of, block& open) noexcept : home_(&of), open_(&open) {
  of.keep();
  ++open.travelling;
  ++of.travelling;
}

carried_descriptor::~carried_descriptor() {
  if (home_ == nullptr) return;
  --home_->travelling;
  if (home_->driver != nullptr) home_->driver->arrived_or_lost(*open_);
  home_->let_go();
}

result<owned_descriptor> carried_descriptor::arrive() {
  if (home_ == nullptr) return std::move(real_);
  if (home_->driver == nullptr) return fail(std::errc::bad_file_descriptor, step::receive);
  return home_->driver->number_for(*open_);
}

// What is open under that number, or null.
block* host_driver::find(int number) const noexcept {
  const std::int64_t place = std::int64_t{number} - machine::first_descriptor;
  const auto& all = at_.descriptors();
  if (is_dead_ || place < 0 || place >= static_cast<std::int64_t>(all.size())) return nullptr;
  return all[static_cast<std::size_t>(place)];
}

bool host_driver::is_in_hand(const block& open, int number) noexcept {
  if (open.is_held && open.descriptor == number) return true;
  return std::any_of(open.twins.begin(), open.twins.end(),
                     [number](const block* one) { return one->descriptor == number; });
}

result<owned_descriptor> host_driver::number_for(block& open) {
  const int number = at_.take_descriptor(open);
  if (number < 0) return fail(of_errno(number, step::adopt));
  net_.note(at_, noted::opened, static_cast<std::uint64_t>(number - machine::first_descriptor));
  if (open.numbers++ == 0) std::erase(afloat_, &open);
  return owned_descriptor(number, *home_);
}

result<owned_descriptor> host_driver::copy_of(int number) {
  if (number < machine::first_descriptor) return fail(of_the_real_system());
  block* const open = find(number);
  if (open == nullptr) return fail(std::errc::bad_file_descriptor, step::adopt);
  if (const int cause = meddled(request::copy); cause != 0) return fail(of_errno(cause, step::adopt));
  return number_for(*open);
}

void host_driver::drop_number(int number) noexcept {
  block* const open = find(number);
  if (open == nullptr) return;
  net_.note(at_, noted::closed, static_cast<std::uint64_t>(number - machine::first_descriptor));
  at_.free_descriptor(number);
  if (--open->numbers != 0) return;
  if (open->travelling == 0) return end(*open);
  afloat_.push_back(open);
  collect();
}

void host_driver::arrived_or_lost(block& open) noexcept {
  if (--open.travelling != 0 || open.numbers != 0) return;
  std::erase(afloat_, &open);
  end(open);
}

// Descriptors that travel in lines which nobody can read any more, since their sockets travel there
// themselves.  "garbage collection" of unix(7) sockets
void host_driver::collect() noexcept {
  std::vector<block*> reached;
  const auto reach = [&reached](block* one) {
    if (one == nullptr || one->is_reached) return;
    one->is_reached = true;
    reached.push_back(one);
  };
  for (block* const one : at_.descriptors()) reach(one);
  for (std::size_t i = 0; i != reached.size(); ++i)
    if (reached[i]->local) reached[i]->local->for_each_carried(reach);
  std::vector<carried_descriptor> lost;
  for (block* const one : afloat_)
    if (!one->is_reached && one->local) one->local->lose_carried(lost);
  for (block* const one : reached) one->is_reached = false;
}

// Nobody has it any more.
void host_driver::end(block& b) noexcept {
  const bool resets = b.reset_on_close || b.value(option::linger) == 0;
  b.forgotten = true;
  at_.unbind(b);
  if (b.local) b.local->close();
  if (b.wire) b.wire->close(b.side, resets);
  // Connections that nobody has accepted are reset.
  while (!b.waiting.empty()) b.waiting.pop()->close(1, true);
  retire(b);
}

void host_driver::retire(block& b) noexcept {
  b.closing = true;
  if (!b.poke_queued) free(b);
}

void host_driver::free(block& b) noexcept {
  --open_;
  delete &b;
}

// The program has let go of it; others may hold it.
void host_driver::let_go(block& b) noexcept {
  block& open = b.data();
  delete std::exchange(b.path, nullptr);
  delete std::exchange(b.carried, nullptr);
  if (&b == &open) {
    b.is_held = false;
  } else {
    std::erase(open.twins, &b);
    retire(b);
  }
}

void host_driver::close(socket_block& closed) noexcept {
  auto& b = static_cast<block&>(closed);
  assert(!b.reader.is_pending() && !b.writer.is_pending());
  block& open = b.data();
  const int number = b.descriptor;
  open.reset_on_close |= b.reset_on_close;
  if (!is_dead_) remove_path(b);
  let_go(b);
  if (!is_dead_) return drop_number(number);
  if (!open.is_held && open.twins.empty()) retire(open);
}

owned_descriptor host_driver::release(socket_block& released) {
  auto& b = static_cast<block&>(released);
  owned_descriptor out(b.descriptor, *home_);
  if (b.carried != nullptr) {
    out.set_unread(b.carried->take_unread());
    out.set_accepted(b.carried->take_accepted());
  }
  block& open = b.data();
  let_go(b);
  if (is_dead_ && !open.is_held && open.twins.empty()) retire(open);
  return out;
}

result<socket_block*> host_driver::adopt(owned_descriptor taken) {
  if (is_dead_) return fail(std::errc::operation_canceled, step::adopt);
  const int number = taken.descriptor();
  const bool is_ours = taken.home() == nullptr ? number >= machine::first_descriptor : taken.home() == home_;
  if (!is_ours && taken.home() == nullptr) return fail(of_the_real_system());
  block* const open = is_ours ? find(number) : nullptr;
  if (open == nullptr || is_in_hand(*open, number)) return fail(std::errc::bad_file_descriptor, step::adopt);
  block* hand = open;
  if (open->is_held) {
    hand = new block(*this, at_);
    ++open_;
    prepare(*hand, open->domain, open->carries);
    hand->main = open;
    hand->kind = open->kind;
    hand->has_peer = open->has_peer;
    hand->peer_address = open->peer_address;
    hand->peer_port = open->peer_port;
    open->twins.push_back(hand);
  }
  static_cast<void>(taken.release());
  hand->is_held = true;
  hand->descriptor = number;
  hand->was_open = true;
  hand->send_broken = hand->reset_on_close = false;
  if (!taken.unread().empty() || !taken.accepted().empty())
    hand->carried = new owned_descriptor(std::move(taken));
  return static_cast<socket_block*>(hand);
}

// Takes from what an adopted stream has brought along.
void host_driver::read_unread_bytes(std::vector<std::byte>& unread, op& o) {
  const std::size_t size = o.code == opcode::receive ? std::min(o.size, unread.size()) : unread.size();
  const auto rest = unread.begin() + static_cast<std::ptrdiff_t>(size);
  o.outcome = static_cast<std::int64_t>(size);
  if (o.code == opcode::receive) {
    std::copy(unread.begin(), rest, static_cast<std::byte*>(const_cast<void*>(o.data)));
  } else if (o.code == opcode::receive_lease) {
    bytes_.lend(unread, o);
  } else {
    std::vector<message_pool::held_message> one(1);
    one[0].told.length = static_cast<std::uint32_t>(size);
    one[0].held = unread;
    o.outcome = messages_.lend(std::move(one), o);
  }
  unread.erase(unread.begin(), rest);
}

// The same of a socket of datagrams.
void host_driver::read_unread_datagram(std::vector<std::byte>& unread, op& o) {
  bytes rest = unread;
  const auto first = next_unread(rest);
  if (!first) {  // Whoever gave it to us made that up.
    unread.clear();
    o.outcome = -EPROTO;
    return;
  }
  std::vector<message_pool::held_message> one(1);
  one[0].told.from = first->from;
  one[0].told.length = static_cast<std::uint32_t>(first->payload.size());
  one[0].held.assign(first->payload.begin(), first->payload.end());
  o.outcome = messages_.lend(std::move(one), o);
  unread.erase(unread.begin(), unread.end() - static_cast<std::ptrdiff_t>(rest.size()));
}

// What an adopted descriptor has brought along comes first. False: it is of another kind than what is asked
// for.
bool host_driver::read_carried(block& b, op& o) {
  std::vector<std::byte> unread = b.carried->take_unread();
  std::vector<owned_descriptor> waiting = b.carried->take_accepted();
  const bool wants_bytes =
      o.code == opcode::receive || o.code == opcode::receive_lease || o.code == opcode::receive_messages;
  bool is_done = o.code == opcode::readable;
  if (is_done) o.outcome = 0;
  if (wants_bytes && !unread.empty()) {
    if (b.carries == transport::datagram)
      read_unread_datagram(unread, o);
    else
      read_unread_bytes(unread, o);
    is_done = true;
  }
  if (o.code == opcode::accept && !waiting.empty()) {
    auto got = adopt(std::move(waiting.front()));
    waiting.erase(waiting.begin());
    o.outcome = got ? 0 : -got.error().code().value();
    if (got) o.data = *got;
    is_done = true;
  }
  if (unread.empty() && waiting.empty()) {
    delete std::exchange(b.carried, nullptr);
  } else {
    b.carried->set_unread(std::move(unread));
    b.carried->set_accepted(std::move(waiting));
  }
  return is_done;
}

}  // namespace soquete::sim
