// Translations, as they stand in po/*.po.  gettext(1)
#pragma once

#include <array>
#include <span>

namespace command {

/// An English text and what another language has for it.
struct message {
  const char* english;               ///< msgid; empty: the head of the catalog.
  const char* plural;                ///< msgid_plural; null where there is no number.
  std::array<const char*, 6> forms;  ///< msgstr, or msgstr[0] and so on; null after the last.
};

/// One language.
struct catalog {
  const char* language;  ///< "pt_BR", as its file is called.
  std::span<const message> messages;
  unsigned long (*form_of)(unsigned long n);  ///< Which form a number takes: Plural-Forms.
};

/// All that this program was built with; made by cmake/catalogs.cmake.
std::span<const catalog> catalogs();

}  // namespace command
