// How a failure is told, and how it is seen again.
#include "world/command.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace soquete::sim {

failed::failed(std::string words) : words_(std::move(words)) {}
failed::~failed() = default;
const char* failed::what() const noexcept { return words_.c_str(); }

namespace {

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

}  // namespace

std::optional<std::string> words_in(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return std::nullopt;
  return text;
}

std::optional<std::uint64_t> number_in(const char* variable) {
  const auto text = words_in(variable);
  if (!text) return std::nullopt;
  std::uint64_t value = 0;
  const char* const end = text->data() + text->size();
  const auto [stopped, cause] = std::from_chars(text->data(), end, value);
  if (cause != std::errc() || stopped != end) return std::nullopt;
  return value;
}

std::string seconds(std::chrono::nanoseconds at) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6f s", std::chrono::duration<double>(at).count());
  return text.data();
}

std::string hexadecimal(std::uint64_t number) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(number));
  return text.data();
}

std::string way_back(std::uint64_t hash, std::uint64_t seed, const std::string& variables,
                     const detail::test_in_progress& test) {
  return "trace " + hexadecimal(hash) +
         "; to see it again, drawn in this folder:\n    SOQUETE_SIM_SEED=" + std::to_string(seed) + " " +
         variables + "SOQUETE_SIM_DRAW=. " + this_program() +
         (test.filter.empty() ? these_arguments() : " " + test.filter) + "\n";
}

std::string name_of(const detail::test_in_progress& test) {
  return test.name.empty() ? "the scenario" : test.name;
}

void throw_failed(std::string words) {
#ifdef __cpp_exceptions
  throw failed(std::move(words));
#else
  std::fprintf(stderr, "%s\n", words.c_str());
  std::abort();
#endif
}

}  // namespace soquete::sim
