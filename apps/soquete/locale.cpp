// The language in which people are spoken to.
#include "locale.hpp"

#include <cstdlib>
#include <unordered_map>

namespace command {
namespace {

struct spoken {
  const catalog* language = nullptr;
  std::unordered_map<std::string_view, const message*> messages;
};

// Written before there are threads, by main.
spoken& now() {
  static spoken only;
  return only;
}

const message* find(std::string_view english) {
  if (english.empty()) return nullptr;  // That is the head of the catalog.
  const auto found = now().messages.find(english);
  return found == now().messages.end() ? nullptr : found->second;
}

// "pt_BR.UTF-8@latin" is "pt_BR", in language "pt".
std::string_view without_encoding(std::string_view name) { return name.substr(0, name.find_first_of(".@")); }
std::string_view language_of(std::string_view name) { return name.substr(0, name.find_first_of("_.@")); }

bool is_english(std::string_view name) {
  return without_encoding(name) == "C" || without_encoding(name) == "POSIX" || language_of(name) == "en";
}

// The same language of another country is nearer than English.
const catalog* nearest_to(std::string_view name) {
  for (const catalog& one : catalogs())
    if (without_encoding(name) == one.language) return &one;
  for (const catalog& one : catalogs())
    if (language_of(name) == language_of(one.language)) return &one;
  return nullptr;
}

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

}  // namespace

const catalog* catalog_for(std::string_view locale, std::string_view language_list) {
  if (locale.empty() || locale == "C" || locale == "POSIX") return nullptr;
  while (!language_list.empty()) {
    const std::size_t colon = language_list.find(':');
    const std::string_view one = language_list.substr(0, colon);
    if (is_english(one)) return nullptr;
    if (const catalog* const found = one.empty() ? nullptr : nearest_to(one)) return found;
    language_list.remove_prefix(colon == language_list.npos ? language_list.size() : colon + 1);
  }
  return nearest_to(locale);
}

void choose_language() {
  std::string_view locale;
  for (const char* const name : {"LC_ALL", "LC_MESSAGES", "LANG"})
    if (locale.empty()) locale = variable(name);
  speak(catalog_for(locale, variable("LANGUAGE")));
}

void speak(const catalog* language) {
  now() = {language, {}};
  if (language == nullptr) return;
  for (const message& one : language->messages)
    if (one.english != nullptr) now().messages.emplace(one.english, &one);
}

bool speaks_english() noexcept { return now().language == nullptr; }

std::string_view translated(std::string_view english) {
  const message* const found = find(english);
  if (found == nullptr || found->forms[0] == nullptr || *found->forms[0] == '\0') return english;
  return found->forms[0];
}

std::string_view translated(std::string_view one, std::string_view many, unsigned long count) {
  const std::string_view english = count == 1 ? one : many;
  const message* const found = find(one);
  if (found == nullptr) return english;
  const unsigned long which = now().language->form_of(count);
  if (which >= found->forms.size()) return english;
  const char* const text = found->forms[which];
  return text == nullptr || *text == '\0' ? english : std::string_view(text);
}

std::string filled(std::string_view translation, std::string_view english, fmt::format_args values) {
  try {
    return fmt::vformat(translation, values);
  } catch (const fmt::format_error&) {
    return fmt::vformat(english, values);
  }
}

}  // namespace command
