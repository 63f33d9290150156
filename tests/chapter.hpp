// A chapter of the guide, as a test reads it. The conventions: docs/guide/README.md.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace soquete::test {

/// What is between two fences.
struct block {
  std::string language;        ///< "console", "cpp"; what the fence says first.
  std::string about;           ///< What it says else: the terminal, or the file that is quoted.
  std::size_t first_line = 0;  ///< In the chapter, counted from 0: the line after the fence.
  std::vector<std::string> lines{};
};

/// One file of the guide.
struct chapter {
  explicit chapter(std::filesystem::path where);

  std::filesystem::path path;
  std::vector<std::string> lines;
  std::vector<block> blocks;
  std::vector<std::string> links;  ///< That lead to files, without what follows a '#'.

  std::string at(const block& b) const;  ///< "docs/guide/en/x.md:12", for messages.
};

/// What a person does in a console block.
enum class act { run, type, interrupt, finish };

/// One act, and the lines that are shown after it. The first of a block may be no act: what came meanwhile.
struct moment {
  act what = act::run;
  bool is_act = false;
  std::string text{};
  std::vector<std::string> shown{};
};

std::vector<moment> moments_of(const block& console);
/// The line that stands for it: "$ ls", "> hello", "^C", "^D".
std::string line_of(const moment&);

/// The chapters of a language in order: docs/guide/en/01-….md, and so on; without the index.
std::vector<chapter> chapters_of(const std::string& language);

/// The same for what differs from run to run: ports of clients, times, descriptors.
std::string without_chance(std::string_view text);
/// C++ without comments, and with one space for any.
std::string without_comments(std::string_view code);

/// Lines, each with its end.
std::string joined(const std::vector<std::string>& lines);
std::vector<std::string> split(std::string_view text);

}  // namespace soquete::test
