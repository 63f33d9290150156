// docs/simulation.md is true: its program prints what it shows, its picture is the one that is drawn, its
// code is that which is compiled, and its languages say the same.
//
// With SOQUETE_GUIDE_WRITE=1 in the environment, what came is written into the documents.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "chapter.hpp"

namespace soquete::test {
namespace {

namespace fs = std::filesystem;

const fs::path tree = SOQUETE_SOURCE_DIR;
const std::array<const char*, 2> languages = {"docs/simulation.md", "docs/simulation.pt-BR.md"};
constexpr const char* picture = "docs/simulation-counter.svg";
constexpr const char* drawn = "counter-3.svg";

bool writes() { return std::getenv("SOQUETE_GUIDE_WRITE") != nullptr; }

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

// Readers build the release; this is whatever is tested.
const std::string shown_build = "build/release";

std::vector<std::string> run(const std::string& command, const fs::path& folder) {
  const std::string programs = fs::path(SOQUETE_EXAMPLES_DIR).parent_path().string();
  const std::string whole = "cd '" + folder.string() + "' && " + replaced(command, shown_build, programs);
  std::string output;
  FILE* const from = ::popen(whole.c_str(), "r");
  if (from == nullptr) return {"cannot run it"};
  std::array<char, 4096> part{};
  for (std::size_t size = 0; (size = std::fread(part.data(), 1, part.size(), from)) != 0;)
    output.append(part.data(), size);
  ::pclose(from);
  output = replaced(output, programs, shown_build);
  // A program for another processor knows where it is itself, not the script that starts it.
  return split(replaced(output, replaced(programs, "/emulated", ""), shown_build));
}

// Runs the commands of the document in a folder of their own, in order.
void follow(chapter text, const fs::path& folder) {
  std::ptrdiff_t grown = 0;
  int commands = 0;
  for (const block& b : text.blocks) {
    if (b.language != "console") continue;
    std::vector<std::string> came;
    for (const moment& one : moments_of(b)) {
      ASSERT_TRUE(one.is_act) << text.at(b);
      came.push_back(line_of(one));
      for (std::string& line : run(one.text, folder)) came.push_back(std::move(line));
      ++commands;
    }
    if (!writes()) {
      EXPECT_EQ(joined(came), joined(b.lines)) << text.at(b);
      continue;
    }
    const auto first = text.lines.begin() + static_cast<std::ptrdiff_t>(b.first_line) + grown;
    const auto old = static_cast<std::ptrdiff_t>(b.lines.size());
    text.lines.insert(text.lines.erase(first, first + old), came.begin(), came.end());
    grown += static_cast<std::ptrdiff_t>(came.size()) - old;
    std::ofstream(text.path) << joined(text.lines);
  }
  EXPECT_GE(commands, 4);
}

TEST(sim_tutorial, prints_and_draws_what_it_shows) {
  for (const char* language : languages) {
    std::string folder = testing::TempDir() + "sim_tutorial-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    follow(chapter(tree / language), folder);
    const std::string svg = text_of(fs::path(folder) / drawn);
    EXPECT_FALSE(svg.empty());
    if (writes()) std::ofstream(tree / picture, std::ios::binary) << svg;
    EXPECT_TRUE(svg == text_of(tree / picture)) << picture << " is not what is drawn";
    fs::remove_all(folder);
  }
}

TEST(sim_tutorial, code_is_that_of_the_program) {
  for (const char* language : languages) {
    const chapter text(tree / language);
    int quoted = 0;
    for (const block& b : text.blocks) {
      if (b.language != "cpp" || b.about.empty()) continue;
      ++quoted;
      const std::string file = text_of(tree / b.about);
      const std::string code = joined(b.lines);
      const bool is_there = language == languages[0]
                                ? file.find(code) != file.npos
                                : without_comments(file).find(without_comments(code)) != file.npos;
      EXPECT_TRUE(is_there && !code.empty()) << text.at(b) << ": not in " << b.about;
    }
    EXPECT_GE(quoted, 3);
  }
}

TEST(sim_tutorial, every_language_has_the_same_commands_code_and_links) {
  const auto outline = [](const chapter& text) {
    std::vector<std::string> all;
    for (const std::string& line : text.lines)
      if (line.starts_with("#")) all.push_back(line.substr(0, line.find(' ')));
    for (const block& b : text.blocks) {
      all.push_back(b.language + " " + b.about);
      if (b.language == "console") all.push_back(joined(b.lines));
      if (b.language == "cpp") all.push_back(without_comments(joined(b.lines)));
    }
    return all;
  };
  EXPECT_EQ(outline(chapter(tree / languages[1])), outline(chapter(tree / languages[0])));
  for (const char* language : languages) {
    const chapter text(tree / language);
    EXPECT_NE(std::ranges::find(text.links, fs::path(picture).filename().string()), text.links.end());
    for (const std::string& link : text.links)
      EXPECT_TRUE(fs::exists(text.path.parent_path() / link)) << language << " leads to " << link;
  }
}

}  // namespace
}  // namespace soquete::test
