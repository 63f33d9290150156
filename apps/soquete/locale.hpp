// The language in which people are spoken to. Texts are marked as with gettext(3) and translated in po/*.po;
// the catalogs are part of the program, so that they are there wherever it runs.
#pragma once

#include <fmt/format.h>
#include <string>
#include <string_view>

#include "catalog.hpp"

namespace command {

/// The catalog for what the variables hold: the first of LC_ALL, LC_MESSAGES and LANG that is not empty, and
/// LANGUAGE, a list that is stronger unless that is C. Null: English. No locale need be installed.
const catalog* catalog_for(std::string_view locale, std::string_view language_list);

/// Reads those variables. Before it is called, and without a catalog, everything is English.
void choose_language();
/// Null: English.
void speak(const catalog* language);
bool speaks_english() noexcept;

/// The translation of a text, or itself. Valid for ever if the text is.
std::string_view translated(std::string_view english);
/// The form of a text that the number takes.
std::string_view translated(std::string_view one, std::string_view many, unsigned long count);

/// Marks a text that is translated later, where it is used: in a table, or in a constant.
constexpr const char* N_(const char* english) { return english; }

/// A text for people.
inline const char* _(const char* english) { return translated(english).data(); }

/// A translation may be wrong where the English text is checked by the compiler: then English it is.
std::string filled(std::string_view translation, std::string_view english, fmt::format_args values);

/// A text with values: _("cannot run {}", name).
template <class First, class... Rest>
std::string _(fmt::format_string<First, Rest...> english, First&& first, Rest&&... rest) {
  const fmt::string_view text = english;
  return filled(translated({text.data(), text.size()}), {text.data(), text.size()},
                fmt::make_format_args(first, rest...));
}

/// A text that depends on a number: _n("{} client", "{} clients", count, count).
template <class... Values>
std::string _n(fmt::format_string<Values...> one, fmt::format_string<Values...> many, unsigned long count,
               Values&&... values) {
  const fmt::string_view first = one;
  const fmt::string_view second = many;
  const std::string_view single(first.data(), first.size());
  const std::string_view several(second.data(), second.size());
  return filled(translated(single, several, count), count == 1 ? single : several,
                fmt::make_format_args(values...));
}

}  // namespace command
