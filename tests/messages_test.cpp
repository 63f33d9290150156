// The texts of the command and their translations: none is missing, none has lost a value, each is found.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <soquete/error.hpp>
#include <soquete/where.hpp>
#include <sstream>
#include <string>

#include "borrowed.hpp"
#include "locale.hpp"
#include "process.hpp"

using namespace command;
using soquete::test::process;

namespace {

const catalog& portuguese() {
  const catalog* const found = catalog_for("pt_BR.UTF-8", "");
  if (found == nullptr) std::abort();
  return *found;
}

// Speaks a language while it lives.
struct speaking {
  explicit speaking(const catalog& language) { speak(&language); }
  speaking(const speaking&) = delete;
  ~speaking() { speak(nullptr); }
};

// What stands in braces, in order; "{}{}" is "{0}{1}", as a translation may write it to change the order.
std::vector<std::string> values_of(const char* text) {
  static const std::regex form(R"(\{\{|\}\}|\{([^}]*)\})");
  std::vector<std::string> all;
  std::size_t next = 0;
  const std::string whole(text);
  for (std::sregex_iterator one(whole.begin(), whole.end(), form), end; one != end; ++one) {
    if (!(*one)[1].matched) continue;
    const std::string inside = (*one)[1];
    const bool has_number = !inside.empty() && inside[0] >= '0' && inside[0] <= '9';
    all.push_back(has_number ? inside : std::to_string(next++) + inside);
  }
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

// Texts ---------------------------------------------------------------------------------------------------

TEST(messages, each_text_of_the_code_is_translated_and_none_is_left_over) {
  process check({"/bin/bash", SOQUETE_SOURCE_DIR "/po/update", "--check"});
  EXPECT_EQ(check.wait(), 0) << check.output << check.errors
                             << "./dev messages tells what is left to translate";
}

TEST(messages, a_translation_has_the_values_of_its_text) {
  for (const catalog& language : catalogs()) {
    for (const message& one : language.messages) {
      if (one.english == nullptr || *one.english == '\0') continue;
      for (const char* const form : one.forms)
        if (form != nullptr)
          EXPECT_EQ(values_of(form), values_of(one.english)) << one.english << "\n" << form;
    }
  }
  EXPECT_NE(values_of("{} of {}"), values_of("{}"));
  EXPECT_EQ(values_of("{} of {}"), values_of("{1} {0}"));
  EXPECT_EQ(values_of("{{}} {:d}"), values_of("{0:d}"));
}

TEST(messages, help_fits_a_terminal_in_each_language) {
  for (const catalog& language : catalogs()) {
    for (const message& one : language.messages) {
      if (one.english == nullptr || std::strstr(one.english, "\n  ") == nullptr) continue;
      std::istringstream text(one.forms[0]);
      for (std::string line; std::getline(text, line);)
        EXPECT_LE(std::ranges::count_if(line, [](char byte) { return (byte & 0xC0) != 0x80; }), 108) << line;
    }
  }
}

TEST(messages, a_text_without_translation_stays_english) {
  const speaking now(portuguese());
  EXPECT_EQ(translated("nobody translates this"), "nobody translates this");
  EXPECT_EQ(_n("{} thing", "{} things", 1, 1), "1 thing");
  EXPECT_EQ(_n("{} thing", "{} things", 0, 0), "0 things");
  EXPECT_STREQ(_(""), "");
}

TEST(messages, a_wrong_translation_falls_back_to_english) {
  const int value = 7;
  EXPECT_EQ(filled("{} {} {", "is {}", fmt::make_format_args(value)), "is 7");
}

TEST(messages, numbers_take_the_form_of_the_language) {
  const auto told = [](unsigned long count) {
    return _n("served {} connection in {}: {} received, {} sent, {} failed",
              "served {} connections in {}: {} received, {} sent, {} failed", count, count, "1 s", "1 B",
              "2 B", 3);
  };
  EXPECT_EQ(told(0), "served 0 connections in 1 s: 1 B received, 2 B sent, 3 failed");
  EXPECT_EQ(told(1), "served 1 connection in 1 s: 1 B received, 2 B sent, 3 failed");
  const speaking now(portuguese());
  EXPECT_EQ(told(0), "0 conexão atendida em 1 s: 1 B recebidos, 2 B enviados, 3 com falha");
  EXPECT_EQ(told(1), "1 conexão atendida em 1 s: 1 B recebidos, 2 B enviados, 3 com falha");
  EXPECT_EQ(told(2), "2 conexões atendidas em 1 s: 1 B recebidos, 2 B enviados, 3 com falha");
}

TEST(messages, the_manual_page_of_each_language_describes_the_same_things) {
  static const std::regex name(R"(\b(Fl|Cm|Ev|Xr) ([^ \n]*\w[^ \n]*))");
  const auto names_in = [](const std::string& path) {
    std::ifstream in(SOQUETE_SOURCE_DIR "/docs/man/" + path);
    const std::string text(std::istreambuf_iterator<char>(in), {});
    std::vector<std::string> all;
    for (std::sregex_iterator one(text.begin(), text.end(), name), end; one != end; ++one)
      all.push_back((*one)[0]);
    std::ranges::sort(all);
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  };
  const auto names = names_in("soquete.1");
  EXPECT_GT(names.size(), 40U);
  for (const catalog& language : catalogs())
    EXPECT_EQ(names_in(std::string(language.language) + "/soquete.1"), names) << language.language;
}

// Languages -----------------------------------------------------------------------------------------------

TEST(messages, the_locale_names_the_language_also_where_it_is_not_installed) {
  for (const char* const name :
       {"pt_BR.UTF-8", "pt_BR", "pt_BR.utf8", "pt_PT.UTF-8", "pt", "pt_BR@x", "pt.UTF-8"})
    EXPECT_EQ(catalog_for(name, ""), &portuguese()) << name;
  for (const char* const name :
       {"", "C", "POSIX", "C.UTF-8", "en_US.UTF-8", "en", "de_DE.UTF-8", "ptolemy", "p"})
    EXPECT_EQ(catalog_for(name, ""), nullptr) << name;
}

TEST(messages, the_list_of_languages_is_stronger_than_the_locale_unless_that_is_c) {
  EXPECT_EQ(catalog_for("en_US.UTF-8", "pt_BR"), &portuguese());
  EXPECT_EQ(catalog_for("C.UTF-8", "pt"), &portuguese());
  EXPECT_EQ(catalog_for("de_DE.UTF-8", "de:pt:en"), &portuguese());
  EXPECT_EQ(catalog_for("pt_BR.UTF-8", "en:pt"), nullptr);
  EXPECT_EQ(catalog_for("pt_BR.UTF-8", "en_US"), nullptr);
  EXPECT_EQ(catalog_for("pt_BR.UTF-8", "::de"), &portuguese());
  EXPECT_EQ(catalog_for("C", "pt_BR"), nullptr);
  EXPECT_EQ(catalog_for("POSIX", "pt_BR"), nullptr);
  EXPECT_EQ(catalog_for("", "pt_BR"), nullptr);
}

// Sentences of others -------------------------------------------------------------------------------------

TEST(messages, the_library_says_nothing_that_is_not_translated) {
  // A heuristic: a literal with two spaces is a sentence. Those on standard error are for programmers.
  static const std::regex literal(R"rx("((?:[^"\\]|\\.)*)")rx");
  const speaking now(portuguese());
  std::string known;
  std::ifstream list(SOQUETE_SOURCE_DIR "/apps/soquete/borrowed.cpp");
  known.assign(std::istreambuf_iterator<char>(list), {});
  std::size_t sentences = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(SOQUETE_SOURCE_DIR "/src")) {
    // What a simulated network says is for who writes the test.
    const std::string folder = file.path().parent_path().filename().string();
    if (file.path().extension() != ".cpp" || folder == "sim" || folder == "world") continue;
    std::ifstream in(file.path());
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("#include") || line.find("assert(") != line.npos) continue;
      line.erase(std::min(line.find("  // "), line.size()));
      if (line.find_first_not_of(' ') == line.find("//")) continue;
      for (std::sregex_iterator one(line.begin(), line.end(), literal), end; one != end; ++one) {
        const std::string text = (*one)[1];
        const bool is_sentence = std::ranges::count(text, ' ') >= 2 && !text.starts_with("soquete: ") &&
                                 std::isalpha(static_cast<unsigned char>(text[0])) != 0;
        if (!is_sentence) continue;
        ++sentences;
        EXPECT_NE(known.find("N_(\"" + text), known.npos) << file.path() << ": " << text;
      }
    }
  }
  EXPECT_GT(sentences, 50U);
}

TEST(messages, what_the_library_finds_wrong_with_an_address_is_told_in_the_language) {
  const speaking now(portuguese());
  std::ifstream file(SOQUETE_TEST_DATA "/addresses.txt");
  std::size_t refused = 0;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("no\t")) continue;
    const auto got = soquete::where::parse("[" + line.substr(3) + "]:80");
    if (got) continue;
    ++refused;
    EXPECT_NE(borrowed(got.error().detail()), got.error().detail()) << line;
  }
  EXPECT_GT(refused, 100U);
  EXPECT_EQ(borrowed("'a' or ' b' may stand only once"), "'a' or ' b' só pode aparecer uma vez");
  EXPECT_EQ(borrowed("the path of a socket has at most 107 bytes, not 200"),
            "o caminho de um socket tem no máximo 107 bytes, não 200");
  EXPECT_EQ(borrowed("io_uring does not work here: Operation not permitted (set-up)"),
            "io_uring não funciona aqui: operação não permitida (preparação)");
  EXPECT_EQ(borrowed("nobody knows this"), "nobody knows this");
}

TEST(messages, causes_are_told_in_the_language_and_english_is_what_the_library_says) {
  const auto cause = [](int number) { return std::error_code(number, std::generic_category()); };
  const std::array<int, 20> usual{EPERM,        ENOENT,    EBADF,         EAGAIN,      ENOMEM,
                                  EACCES,       EINVAL,    EMFILE,        ENOSPC,      EPIPE,
                                  EADDRINUSE,   ENETDOWN,  EADDRNOTAVAIL, ENETUNREACH, ECONNRESET,
                                  ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH,  ECANCELED,   ENOTCONN};
  for (const int number : usual) {
    const std::string english = to_string(soquete::error(cause(number)));
    EXPECT_EQ(borrowed(cause(number)), english);
    const speaking now(portuguese());
    EXPECT_NE(borrowed(cause(number)), english);
    EXPECT_NE(translated(english), english) << "is in no catalog as the library says it";
  }
  const speaking now(portuguese());
  EXPECT_EQ(borrowed(cause(ECONNREFUSED)), "conexão recusada");
  for (int one = 1; one <= static_cast<int>(soquete::fault::unsupported); ++one) {
    const std::error_code fault = static_cast<soquete::fault>(one);
    EXPECT_NE(borrowed(fault), to_string(soquete::error(fault)));
  }
}

}  // namespace
