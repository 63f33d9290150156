// Hosts and the network between them, and what is told of them.
#include <algorithm>

#include "world/capture.hpp"
#include "world/command.hpp"
#include "world/drawing.hpp"
#include "world/inside.hpp"
#include "world/picture.hpp"

namespace soquete::sim {
namespace {

std::string indented(std::string_view text) {
  std::string out("    ");
  for (const char c : text) {
    out += c;
    if (c == '\n') out += "    ";
  }
  return out;
}

}  // namespace

world::inside::~inside() {
  // Programs may hold what belongs to a loop; loops go last.
  for (const auto& one : hosts) one->programs.clear();
  for (const auto& one : hosts) {
    if (one->now) one->dying.push_back(std::move(one->now));
    for (auto& each : one->dying) {
      const bool is_idle = each->is_over() && each->driver->counts().sockets == 0 &&
                           each->driver->counts().leases == 0 && each->here.timers().empty();
      // Somebody still holds something of it: told already, and better leaked than freed under them.
      if (!is_idle) static_cast<void>(each.release());
    }
  }
}

void world::inside::fail(std::string words) {
  if (!failure.empty()) return;
  if (net.tape) net.tape->add({mark::kind::failed, net.now()});
  failure = "at " + seconds(net.now()) + ": " + std::move(words);
}

std::string world::inside::dump() const {
  std::string text;
  for (const auto& one : hosts) {
    if (one->unfinished() == 0 || !one->now) continue;
    if (!text.empty()) text += '\n';
    text.append("  host ").append(one->at.name).append(one->at.is_paused ? " (paused)\n" : "\n");
    text += indented(one->now->here.dump());
  }
  return text;
}

void world::inside::run_ready() {
  std::vector<machine*> turns;
  while (!net.ready.empty() && failure.empty()) {
    turns.clear();
    turns.swap(net.ready);
    for (machine* one : turns) {
      one->is_waiting = false;
      of(*one).step();
      if (hand != nullptr) hand->look(of(*one));
    }
  }
}

void world::inside::run(moment latest) {
  for (;;) {
    run_ready();
    if (!failure.empty()) return;
    if (!net.events.is_busy()) return look_for_deadlock();
    if (net.events.next() > latest) return net.pass_until(latest);
    net.go_on(latest);
  }
}

void world::inside::look_for_deadlock() {
  std::size_t stuck = 0;
  for (const auto& one : hosts) {
    if (!one->now) continue;
    for (const running& each : one->now->programs) {
      if (each.is_over()) continue;
      suspension_report report(one->now->here.now());
      each.describe(report);
      if (report.waits_for_peers() != 0 || report.waits_for_anybody() == 0) ++stuck;
    }
  }
  if (stuck == 0) return;
  fail("deadlock: nothing can happen any more, and " + std::to_string(stuck) +
       (stuck == 1 ? " program waits\n" : " programs wait\n") + dump());
}

void world::inside::finish() {
  if (is_finished) return;
  is_finished = true;
  const bool had_failed = !failure.empty();
  std::string first = std::exchange(failure, std::string());
  is_ending = true;
  if (net.tape) net.tape->add({mark::kind::ending, net.now()});
  net.clouds = {};
  for (const auto& one : hosts)
    if (one->now)
      for (running& each : one->now->programs) each.cancel();
  for (const auto& one : hosts) {
    one->at.is_paused = false;
    one->rounds = 0;
    one->at.make_ready();
  }
  const moment latest = net.now() + patience;
  for (;;) {
    run_ready();
    if (!failure.empty() || !net.events.is_busy() || net.events.next() > latest) break;
    net.go_on(latest);
  }
  std::size_t left = 0;
  for (const auto& one : hosts) left += one->unfinished();
  if (left != 0) {
    fail(std::to_string(left) + (left == 1 ? " program does" : " programs do") + " not end when asked to\n" +
         dump());
  } else {
    look_for_leaks();
  }
  if (had_failed) failure = std::move(first);
}

void world::inside::look_for_leaks() {
  std::string words;
  const auto look = [&words](const host::inside& on, life& of) {
    const driver_counts counts = of.driver->counts();
    const auto say = [&](std::size_t count, std::string_view what) {
      if (count == 0) return;
      words.append(words.empty() ? "" : "; ").append("host ").append(on.at.name).append(": ");
      words.append(std::to_string(count)).append(" ").append(what);
    };
    say(counts.sockets, "sockets open");
    say(counts.leases, "leases not given back");
    say(of.here.timers().size(), "timers armed");
  };
  for (const auto& one : hosts) {
    if (one->now) look(*one, *one->now);
    for (const auto& each : one->dying) look(*one, *each);
  }
  if (!words.empty()) fail("leaked: all programs have ended, and left " + words);
}

world::world(std::uint64_t seed) : inside_(new inside(seed)) {}

world::~world() = default;

host& world::host(std::string_view name, const host_options& options) {
  machine& made = inside_->net.add_machine(std::string(name), options);
  auto& in = *inside_->hosts.emplace_back(std::make_unique<sim::host::inside>(*inside_, made));
  in.start();
  return in.it;
}

void world::name(std::string_view name, std::span<const address> addresses) {
  inside_->net.set_name(name, addresses);
}

namespace {

machine& machine_of(world::inside& in, const host& one) { return *in.net.find(std::string_view(one.name())); }

}  // namespace

void world::link(sim::host& one, sim::host& other, const link_options& how) {
  link_one_way(one, other, how);
  link_one_way(other, one, how);
}

void world::link_one_way(sim::host& from, sim::host& to, const link_options& how) {
  inside_->net.between(machine_of(*inside_, from), machine_of(*inside_, to)).set(how);
}

void world::usual_link(const link_options& how) { inside_->net.usual = how; }

void world::faults(const swarm& what) { unleash(*inside_, what); }

void world::partition(sim::host& one, sim::host& other) {
  partition_one_way(one, other);
  partition_one_way(other, one);
}

void world::partition_one_way(sim::host& from, sim::host& to) {
  inside_->net.cut(machine_of(*inside_, from), machine_of(*inside_, to), sim::link::cause::script);
}

void world::partition(const address& one) { inside_->net.cut(one); }

void world::heal() { inside_->net.mend_all(sim::link::cause::script); }

void world::at(std::chrono::nanoseconds when, std::function<void()> what) {
  const shared<call> one(new call(std::move(what)));
  inside_->net.events.add(std::max(when, inside_->net.now()), *one, 0);
}

void world::advance(std::chrono::nanoseconds how_long) { inside_->run(inside_->net.now() + how_long); }

void world::run_for(std::chrono::nanoseconds how_long) {
  advance(how_long);
  inside_->finish();
}

void world::always(bool holds, std::string_view what, std::source_location at) {
  if (holds) return;
  std::string_view file = at.file_name();
  file.remove_prefix(file.find_last_of('/') + 1);
  std::string words("not so: ");
  words.append(what).append(" (").append(file).append(":").append(std::to_string(at.line())).append(")");
  if (inside_->failure.empty()) inside_->fail(words + "\n" + inside_->dump());
}

void world::sometimes(bool holds, std::string_view what) {
  const auto found = inside_->sometimes.find(what);
  if (found == inside_->sometimes.end())
    inside_->sometimes.emplace(what, holds);
  else
    found->second |= holds;
}

std::string world::bytes(std::size_t size) {
  std::string drawn(size, '\0');
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (i % 8 == 0) word = inside_->draws.next();
    drawn[i] = static_cast<char>(word & 0xff);
    word >>= 8;
  }
  return drawn;
}

std::uint64_t world::number(std::uint64_t below) { return inside_->draws.below(below); }
std::chrono::nanoseconds world::now() const noexcept { return inside_->net.now(); }
std::uint64_t world::seed() const noexcept { return inside_->net.seed; }
std::uint64_t world::trace_hash() const noexcept { return inside_->net.story.hash(); }
std::uint64_t world::events() const noexcept { return inside_->net.events.happened(); }

void world::keep_history() {
  inside_->net.story.keep_text();
  inside_->net.record();
}
const std::string& world::history() const noexcept { return inside_->net.story.text(); }

namespace {

result<void> write(const std::string& path, const recording* what, const caption& about,
                   std::string (*form)(const recording&, const caption&)) {
  if (what == nullptr) {
    error why(std::errc::invalid_argument, step::none);
    why.set_detail("no history is kept: call keep_history() before");
    return fail(std::move(why));
  }
  return write_file(path, form(*what, about));
}

}  // namespace

result<void> world::draw(const std::string& path) const {
  return write(path, inside_->net.tape.get(), {{}, seed(), failure()}, picture_of);
}

result<void> world::capture(const std::string& path) const {
  return write(path, inside_->net.tape.get(), {{}, seed(), failure()}, capture_of);
}

const std::string& world::failure() const noexcept { return inside_->failure; }

std::string world::netstat() const {
  std::string text;
  for (const auto& one : inside_->hosts) {
    for (const block* b : one->at.descriptors()) {
      if (b == nullptr) continue;
      text.append(one->at.name).append(" ").append(std::to_string(b->descriptor));
      if (b->local)
        text.append(b->local->describe());
      else if (b->kind == descriptor_kind::listener)
        text.append(" listens on ").append(to_string(b->bound));
      else if (b->kind == descriptor_kind::datagram)
        text.append(" datagrams ").append(b->bound.is_empty() ? "unbound" : to_string(b->bound));
      else
        text.append(b->wire ? " connection " : " unconnected").append(b->wire ? b->wire->describe() : "");
      text += '\n';
    }
  }
  return text;
}

}  // namespace soquete::sim
