// A network in memory.
#include "sim/network.hpp"

#include <algorithm>

#include "sim/connection.hpp"
#include "sim/machine.hpp"

namespace soquete::sim {
namespace {

constexpr moment inside_delay = std::chrono::microseconds(10);
constexpr std::size_t inside_window = 256 * 1024;
constexpr std::uint64_t nanoseconds_each_second = 1'000'000'000;

}  // namespace

void link::set(const link_options& how) noexcept {
  how_ = how;
  loss_ = rate_of(how.loss);
  duplicates_ = rate_of(how.duplicates);
}

moment link::leave(moment now, std::size_t size) noexcept {
  if (is_inside_ || how_.bytes_per_second == 0) return now;
  const moment begins = std::max(now, busy_until_);
  const auto takes = static_cast<std::uint64_t>(size) * nanoseconds_each_second / how_.bytes_per_second;
  busy_until_ = begins + moment(takes);
  return busy_until_;
}

moment link::delay() noexcept {
  if (is_inside_) return inside_delay;
  const std::int64_t least = std::max<std::int64_t>(how_.delay.least.count(), 0);
  const std::int64_t most = std::max<std::int64_t>(how_.delay.most.count(), least);
  return moment(draws_.low_between(static_cast<std::uint64_t>(least), static_cast<std::uint64_t>(most)));
}

std::size_t link::draw_window() noexcept {
  if (is_inside_) return inside_window;
  return draws_.log_between(std::max<std::size_t>(how_.window.least, 1), how_.window.most);
}

network::network(std::uint64_t from) noexcept : seed(from), faults(from, purpose::swarm) {}

// Connections that are under way are known here.
network::~network() { events.clear(); }

void network::go_on(moment latest) noexcept {
  const moment next = events.next();
  if (next > latest || next == moment::max()) return;
  now_ = std::max(now_, next);
  while (events.next() <= now_) events.happen(*this);
}

machine& network::add_machine(std::string name, const host_options& options) {
  const auto number = static_cast<std::uint32_t>(machines_.size());
  machine& made = *machines_.emplace_back(std::make_unique<machine>(*this, number, std::move(name), options));
  for (const address& one : made.addresses) by_address_.emplace(one.unmapped(), &made);
  by_name_.emplace(made.name, &made);
  if (tape) tape->add_host(made.name, made.addresses);
  return made;
}

machine* network::find(const address& at) noexcept {
  const auto found = by_address_.find(at);
  return found == by_address_.end() ? nullptr : found->second;
}

machine* network::find(std::string_view name) noexcept {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

void network::set_name(std::string_view name, std::span<const address> addresses) {
  other_names_[std::string(name)].assign(addresses.begin(), addresses.end());
}

std::span<const address> network::addresses_of(std::string_view name) const noexcept {
  if (const auto found = other_names_.find(name); found != other_names_.end()) return found->second;
  if (const auto found = by_name_.find(name); found != by_name_.end()) return found->second->addresses;
  return {};
}

link& network::between(machine& from, machine& to) {
  const auto key = std::pair(from.number, to.number);
  const auto found = links_.lower_bound(key);
  if (found != links_.end() && found->first == key) return found->second;
  const auto number = static_cast<std::uint64_t>(from.number) << 32 | to.number;
  const auto made =
      links_.emplace_hint(found, std::piecewise_construct, std::forward_as_tuple(key),
                          std::forward_as_tuple(mixed(seed ^ number), to.number, from.number == to.number));
  made->second.set(usual);
  return made->second;
}

void network::cut(machine& from, machine& to, link::cause why) {
  if (&from == &to) return;
  link& one_way = between(from, to);
  if (tape && !one_way.is_cut()) tape->add({mark::kind::cut, now_, from.number, to.number});
  one_way.cut(why);
  note(from, noted::cut, to.number);
  suspect_all();
}

void network::cut(const address& one) {
  if (!cut_addresses_.insert(one.unmapped()).second) return;
  remark(one, noted::cut, " is cut off");
  suspect_all();
}

// Told with the host that has it.
void network::remark(const address& about, noted what, std::string_view words) {
  const machine* const whose = find(about.unmapped());
  if (whose == nullptr) return;
  note(*whose, what, whose->number);
  if (tape)
    tape->add({mark::kind::remark, now_, whose->number, message::nobody, 0, to_string(about).append(words)});
}

void network::suspect_all() {
  for (connection* one : connections_)
    for (const unsigned side : {0U, 1U}) one->suspect(side);
}

void network::mend(machine& from, machine& to, link::cause why) {
  if (&from == &to) return;
  mend(between(from, to), why, from.number, to.number);
  note(from, noted::healed, to.number);
  resume_all();
}

void network::mend(link& one, link::cause why, std::uint32_t from, std::uint32_t to) {
  const bool was_cut = one.is_cut();
  one.mend(why);
  if (tape && was_cut && !one.is_cut()) tape->add({mark::kind::healed, now_, from, to});
}

void network::mend_all(link::cause why) {
  for (auto& [ends, one] : links_) mend(one, why, ends.first, ends.second);
  if (why == link::cause::script)
    for (const address& one : std::exchange(cut_addresses_, {}))
      remark(one, noted::healed, " is whole again");
  resume_all();
}

void network::resume_all() {
  for (connection* one : connections_) one->resume();
}

void network::add(connection& one) {
  one.place = connections_.size();
  connections_.push_back(&one);
}

void network::remove(connection& one) noexcept {
  connections_[one.place] = connections_.back();
  connections_[one.place]->place = one.place;
  connections_.pop_back();
}

bool network::may_strike(fault kind) {
  const auto at = static_cast<std::size_t>(kind);
  const std::uint64_t number = ++occasions[at];
  if (only != nullptr) {
    if (!only->lets(kind, number)) return false;
    let_through.push_back({{kind, number}, now_});
  }
  ++struck[at];
  return true;
}

void network::note(const machine& who, noted what, std::uint64_t a, std::uint64_t b) {
  story.note(now_, who.number, what, a, b);
}

std::unique_ptr<recording> network::take_recording() noexcept {
  story.tell(nullptr);
  return std::move(tape);
}

void network::record() {
  if (tape) return;
  tape = std::make_unique<recording>();
  story.tell(tape.get());
  unusual = "";
  for (const connection* one : connections_) one->record_flights();
  for (const auto& one : machines_) {
    tape->add_host(one->name, one->addresses);
    if (!one->is_up()) tape->add({mark::kind::crashed, now_, one->number});
    if (one->is_paused) tape->add({mark::kind::paused, now_, one->number});
  }
  for (const auto& [ends, one] : links_)
    if (one.is_cut()) tape->add({mark::kind::cut, now_, ends.first, ends.second});
}

}  // namespace soquete::sim
