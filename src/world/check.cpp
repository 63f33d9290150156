// One scenario, many seeds; and what is said when one of them fails.
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <soquete/frame.hpp>

#include "world/drawing.hpp"
#include "world/inside.hpp"

namespace soquete::sim {

failed::failed(std::string words) : words_(std::move(words)) {}
failed::~failed() = default;
const char* failed::what() const noexcept { return words_.c_str(); }

namespace {

std::optional<std::uint64_t> number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return std::nullopt;
  std::uint64_t value = 0;
  const char* const end = text + std::strlen(text);
  const auto [stopped, cause] = std::from_chars(text, end, value);
  if (cause != std::errc() || stopped != end) return std::nullopt;
  return value;
}

// As one types it from where one is.
std::string this_program() {
  std::error_code none;
  const auto whole = std::filesystem::read_symlink("/proc/self/exe", none);
  if (none) return program_name();
  const auto here = std::filesystem::current_path(none);
  const std::string relative = none ? std::string() : whole.lexically_relative(here).string();
  if (relative.empty() || relative.starts_with("..")) return whole.string();
  return relative.find('/') == std::string::npos ? "./" + relative : relative;
}

// What it was started with, as one types it.  proc(5)
std::string these_arguments() {
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  std::string each, typed;
  std::getline(in, each, '\0');  // The program.
  while (std::getline(in, each, '\0')) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+./:,@%";
    const bool is_plain = !each.empty() && each.find_first_not_of(plain) == each.npos;
    std::string quoted("'");
    for (const char c : each) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    typed += " " + (is_plain ? each : quoted + "'");
  }
  return typed;
}

std::string hexadecimal(std::uint64_t number) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(number));
  return text.data();
}

[[noreturn]] void give_up(std::string words) {
#ifdef __cpp_exceptions
  throw failed(std::move(words));
#else
  std::fprintf(stderr, "%s\n", words.c_str());
  std::abort();
#endif
}

struct one_run {
  std::string failure;
  std::uint64_t hash = 0;
  std::unique_ptr<recording> tape;  // Where it is to be drawn.
};

one_run run_one(std::uint64_t seed, const scenario& what, bool keeps_history, check_report& sum,
                std::map<std::string, bool, std::less<>>& sometimes) {
  one_run told;
  const std::size_t frames = live_frames();
  {
    world w(seed);
    if (keeps_history) w.keep_history();
    if (picture_folder() != nullptr) w.internals().net.record();
    what(w);
    w.internals().finish();
    told.failure = w.failure();
    told.hash = w.trace_hash();
    sum.events += w.events();
    sum.virtual_time += w.now();
    for (std::size_t i = 0; i < fault_count; ++i) sum.struck[i] += w.internals().net.struck[i];
    for (const auto& [name, holds] : w.internals().sometimes) sometimes[name] |= holds;
    told.tape = w.internals().net.take_recording();
    if (keeps_history) std::fputs(w.history().c_str(), stderr);
  }
  if (told.failure.empty() && live_frames() != frames)
    told.failure = "leaked: " + std::to_string(live_frames() - frames) + " coroutines are left";
  return told;
}

}  // namespace

check_report detail::check(check_options options, const scenario& what, test_in_progress test) {
  const auto only = number_in("SOQUETE_SIM_SEED");
  if (const auto count = number_in("SOQUETE_SIM_SEEDS")) options.seeds = *count;
  if (only) {
    options.seeds = 1;
    options.first_seed = *only;
  }
  const std::string name = !test.name.empty()      ? test.name
                           : !options.name.empty() ? std::string(options.name)
                                                   : "the scenario";
  const bool had_failed = test.has_failed != nullptr && test.has_failed();
  check_report sum;
  std::map<std::string, bool, std::less<>> sometimes;
  for (std::uint64_t i = 0; i < options.seeds; ++i) {
    const std::uint64_t seed = options.first_seed + i;
    one_run run = run_one(seed, what, only.has_value(), sum, sometimes);
    ++sum.seeds;
    sum.trace_hash = mixed(sum.trace_hash ^ run.hash);
    if (run.failure.empty() && !had_failed && test.has_failed != nullptr && test.has_failed())
      run.failure = "a check of the test itself, see above";
    if (run.failure.empty()) continue;
    give_up(name + " fails with seed " + std::to_string(seed) + ", number " + std::to_string(i + 1) + " of " +
            std::to_string(options.seeds) + ", " + run.failure + "\ntrace " + hexadecimal(run.hash) +
            "; to see it again, drawn in this folder:\n    SOQUETE_SIM_SEED=" + std::to_string(seed) +
            " SOQUETE_SIM_DRAW=. " + this_program() +
            (test.filter.empty() ? these_arguments() : " " + test.filter) + "\n" +
            (run.tape ? draw_into(picture_folder(), *run.tape, {name, seed, run.failure}) : ""));
  }
  if (!only)
    for (const auto& [words, holds] : sometimes)
      if (!holds) give_up(name + ": in none of " + std::to_string(options.seeds) + " seeds: " + words + "\n");
  return sum;
}

}  // namespace soquete::sim
