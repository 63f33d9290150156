// One run of a scenario, and what came of it.
#include "world/once.hpp"

#include <cstdio>
#include <cstring>
#include <soquete/frame.hpp>

#include "world/command.hpp"
#include "world/drawing.hpp"
#include "world/inside.hpp"
#include "world/striker.hpp"

namespace soquete::sim {
namespace {

constexpr std::size_t told_max = 20;  // Faults that are listed.

std::string list_of(const std::vector<std::pair<numbered_fault, moment>>& all) {
  std::string text;
  for (std::size_t i = 0; i < all.size() && i < told_max; ++i) {
    const auto& [which, when] = all[i];
    text.append(i == 0 ? "" : ", ").append(to_string(which.kind)).append(":");
    text.append(std::to_string(which.number)).append(" at ").append(seconds(when));
  }
  if (all.size() > told_max)
    text.append(" and ").append(std::to_string(all.size() - told_max)).append(" more");
  return text;
}

void run_in(world& w, const scenario& what) {
#ifdef __cpp_exceptions
  try {
    what(w);
  } catch (const std::exception& thrown) {
    w.internals().fail(std::string("the scenario has thrown: ") + thrown.what());
  }
#else
  what(w);
#endif
  w.internals().finish();
}

class packer {
 public:
  void number(std::uint64_t value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof(value)); }
  void text(std::string_view words) {
    number(words.size());
    bytes.append(words);
  }
  std::string bytes;
};

class unpacker {
 public:
  explicit unpacker(std::string_view from) : left_(from) {}
  std::uint64_t number() {
    std::uint64_t value = 0;
    const std::string_view raw = take(sizeof(value));
    if (raw.size() == sizeof(value)) std::memcpy(&value, raw.data(), sizeof(value));
    return value;
  }
  std::string text() { return std::string(take(static_cast<std::size_t>(number()))); }

 private:
  std::string_view take(std::size_t size) {
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view left_;
};

}  // namespace

std::optional<fault_filter> faults_asked_for() {
  const auto text = words_in("SOQUETE_SIM_FAULTS");
  if (!text) return std::nullopt;
  auto only = fault_filter::parse(*text);
  if (!only)
    throw_failed("SOQUETE_SIM_FAULTS is none, or kinds and numbers such as cut,reset:3,pieces:5-9\n");
  return only;
}

outcome run_once(const scenario& what, const trial& how, const detail::test_in_progress& test) {
  outcome told;
  const std::size_t frames = live_frames();
  const auto test_has_failed = [&test] { return test.has_failed != nullptr && test.has_failed(); };
  const bool had_failed = test_has_failed();
  std::unique_ptr<recording> tape;
  {
    world w(how.seed);
    world::inside& in = w.internals();
    in.net.only = how.only;
    in.hand = how.hand;
    in.net.hand = how.hand;
    if (how.hand != nullptr) how.hand->enter(in, how.patience);
    if (how.keeps_history) w.keep_history();
    if (how.is_drawn && picture_folder() != nullptr) in.net.record();
    run_in(w, what);
    told.failure = w.failure();
    told.hash = w.trace_hash();
    told.events = w.events();
    told.virtual_time = w.now();
    told.struck = in.net.struck;
    told.occasions = in.net.occasions;
    told.let_through = list_of(in.net.let_through);
    told.sometimes = in.sometimes;
    if (how.is_drawn) tape = in.net.take_recording();
    if (how.keeps_history) std::fputs(w.history().c_str(), stderr);
  }
  if (told.failure.empty() && live_frames() != frames)
    told.failure = "leaked: " + std::to_string(live_frames() - frames) + " coroutines are left";
  if (told.failure.empty() && !had_failed && test_has_failed()) {
    told.failure = "a check of the test itself, see above";
    told.is_of_the_test = true;
  }
  if (!told.failure.empty() && tape && picture_folder() != nullptr)
    told.drawn = draw_into(picture_folder(), *tape, {name_of(test), how.seed, told.failure});
  return told;
}

std::string packed(const outcome& one) {
  packer to;
  to.text(one.failure);
  to.number(one.hash);
  to.number(one.events);
  to.number(static_cast<std::uint64_t>(one.virtual_time.count()));
  for (const std::uint64_t count : one.struck) to.number(count);
  for (const std::uint64_t count : one.occasions) to.number(count);
  to.text(one.let_through);
  to.text(one.drawn);
  to.number(one.is_of_the_test ? 1 : 0);
  to.number(one.sometimes.size());
  for (const auto& [words, holds] : one.sometimes) {
    to.text(words);
    to.number(holds ? 1 : 0);
  }
  return std::move(to.bytes);
}

outcome unpacked(std::string_view bytes) {
  unpacker from(bytes);
  outcome one;
  one.failure = from.text();
  one.hash = from.number();
  one.events = from.number();
  one.virtual_time = moment(from.number());
  for (std::uint64_t& count : one.struck) count = from.number();
  for (std::uint64_t& count : one.occasions) count = from.number();
  one.let_through = from.text();
  one.drawn = from.text();
  one.is_of_the_test = from.number() != 0;
  for (std::uint64_t left = from.number(); left != 0; --left) {
    std::string words = from.text();
    one.sometimes[std::move(words)] = from.number() != 0;
  }
  return one;
}

void sum::add(const outcome& one) {
  ++runs;
  events += one.events;
  virtual_time += one.virtual_time;
  hash = mixed(hash ^ one.hash);
  for (std::size_t i = 0; i < fault_count; ++i) struck[i] += one.struck[i];
  for (const auto& [words, holds] : one.sometimes) sometimes[words] |= holds;
}

void sum::look(const std::string& name, std::string_view of_what) const {
  for (const auto& [words, holds] : sometimes)
    if (!holds)
      throw_failed(name + ": in none of " + std::to_string(runs) + " " + std::string(of_what) + ": " + words +
                   "\n");
}

}  // namespace soquete::sim
