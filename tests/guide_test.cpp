// The guide is true: its commands print what it shows, its code is the code that is compiled, its languages
// say the same.
//
// Goal: a learner who types what stands in docs/guide sees what stands there.
// Method: each chapter is one session, in a network and a folder of its own, in real terminals. What differs
// from run to run is masked on both sides; docs/guide/README.md tells how. With SOQUETE_GUIDE_WRITE=1 in the
// environment, the chapters are rewritten with what came.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

#include "chapter.hpp"
#include "child.hpp"
#include "network.hpp"
#include "terminal.hpp"

namespace soquete::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const fs::path tree = SOQUETE_SOURCE_DIR;
const std::vector<std::string> languages = {"en", "pt-BR"};

bool writes() { return std::getenv("SOQUETE_GUIDE_WRITE") != nullptr; }

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// What the first page of the guide tells people to set, and plain screens.
std::vector<std::pair<std::string, std::string>> variables_for(const std::string& language) {
  const std::string build = fs::path(SOQUETE_COMMAND).parent_path().string();
  const char* const others = std::getenv("PATH");
  return {
      {"PATH", build + ":" + build + "/examples:" + build + "/examples/guide:" + (others ? others : "")},
      {"LANG", language == "en" ? "C.UTF-8" : "pt_BR.UTF-8"},
      {"LANGUAGE", language == "en" ? "en" : "pt_BR"},
      {"LC_ALL", ""},
      {"LC_MESSAGES", ""},
      {"SOQUETE_THREADS", "1"},
      {"TERM", "dumb"},
      {"NO_COLOR", "1"},
  };
}

// Sockets that somebody can reach, in this network: servers that say nothing begin with one more.  proc(5)
std::size_t doors() {
  std::size_t count = 0;
  for (const char* table : {"tcp", "tcp6", "udp", "udp6", "unix"}) {
    const bool is_tcp = std::string_view(table).starts_with("tcp");
    for (const std::string& line : split(text_of(std::string("/proc/self/net/") + table)))
      if (!is_tcp || line.find(" 0A ") != line.npos) ++count;
  }
  return count;
}

// Runs the console blocks of a chapter, in order; with failures of this test where they show what did not
// come.
class session {
 public:
  session(chapter& of, const std::string& language, std::string folder)
      : chapter_(of), variables_(variables_for(language)), folder_(std::move(folder)) {}

  void run() {
    for (block& b : chapter_.blocks)
      if (b.language == "console" && !testing::Test::HasFailure()) run(b);
  }

 private:
  // A terminal, what its command has been said to print so far, and how much of that has been written down.
  struct seat {
    seat(const session& s) : screen(s.variables_, s.folder_) {}
    terminal screen;
    std::string shown{};
    std::size_t written = 0;
  };

  void run(block& b) {
    seat& here = seats_.try_emplace(b.about, *this).first->second;
    std::vector<moment> moments = moments_of(b);
    // Before the first act stands what has come meanwhile, should there be any.
    if (moments.empty() || moments.front().is_act) moments.insert(moments.begin(), moment());
    for (std::size_t i = 0; i < moments.size(); ++i) {
      begin(here, moments[i], b);
      const bool is_last = i + 1 == moments.size();
      // The nameless terminal is waited for; in others a command may go on beyond the block.
      see(here, moments[i], is_last ? b.about.empty() : begins(moments[i + 1]), b);
    }
    if (writes()) write_down(b, moments);
  }

  static bool begins(const moment& m) { return m.is_act && m.what == act::run; }

  void begin(seat& here, const moment& m, const block& b) {
    if (!m.is_act) return;
    if (m.what != act::run) {
      EXPECT_TRUE(here.screen.is_running()) << chapter_.at(b) << ": nobody is there for " << line_of(m);
      if (m.what == act::type) here.screen.type(m.text + "\n");
      if (m.what == act::interrupt) here.screen.type("\x03");
      if (m.what == act::finish) here.screen.type("\x04");
      return;
    }
    if (here.screen.is_running()) EXPECT_TRUE(here.screen.wait()) << chapter_.at(b) << ": still runs";
    const std::size_t before = doors();
    here.screen.run(m.text);
    // In another terminal it goes on; should it say nothing, this is how to see that it is ready.
    const auto limit = std::chrono::steady_clock::now() + patience;
    const bool is_silent = !b.about.empty() && m.shown.empty() && !writes();
    while (is_silent && doors() <= before && std::chrono::steady_clock::now() < limit)
      if (!here.screen.until_more(10ms)) break;
    here.shown.clear();
    here.written = 0;
  }

  void see(seat& here, moment& m, bool is_over, const block& b) {
    if (writes()) {
      is_over ? static_cast<void>(here.screen.wait()) : here.screen.until_quiet(1s);
      std::vector<std::string> came = split(here.screen.output.substr(here.written));
      here.written = here.screen.output.size();
      for (std::string& line : came)
        if (line.ends_with('\r')) line.pop_back();
      if (without_chance(joined(came)) != without_chance(joined(m.shown))) m.shown = std::move(came);
      return;
    }
    here.shown += joined(m.shown);
    const std::string shown = without_chance(here.shown);
    if (is_over) {
      EXPECT_TRUE(here.screen.wait()) << chapter_.at(b) << ": does not end: " << line_of(m);
      EXPECT_EQ(without_chance(here.screen.output), shown) << chapter_.at(b) << ": " << line_of(m);
    } else {
      const auto has_come = [&] { return without_chance(here.screen.output).starts_with(shown); };
      // Whole lines that are not the ones shown: nothing that comes later makes them so.
      const auto differs = [&] {
        const std::size_t whole = here.screen.output.rfind('\n') + 1;
        return !shown.starts_with(without_chance(here.screen.output.substr(0, whole)));
      };
      here.screen.until([&] { return has_come() || differs(); });
      EXPECT_TRUE(has_come()) << chapter_.at(b) << ": " << line_of(m) << "\nshown:\n"
                              << shown << "came:\n"
                              << here.screen.output;
    }
  }

  void write_down(const block& b, const std::vector<moment>& moments) {
    std::vector<std::string> lines;
    for (const moment& m : moments) {
      if (m.is_act) lines.push_back(line_of(m));
      lines.insert(lines.end(), m.shown.begin(), m.shown.end());
    }
    const auto first = chapter_.lines.begin() + static_cast<std::ptrdiff_t>(b.first_line) + grown_;
    const auto old = static_cast<std::ptrdiff_t>(b.lines.size());
    chapter_.lines.insert(chapter_.lines.erase(first, first + old), lines.begin(), lines.end());
    grown_ += static_cast<std::ptrdiff_t>(lines.size()) - old;
    std::ofstream(chapter_.path) << joined(chapter_.lines);
  }

  chapter& chapter_;
  const std::vector<std::pair<std::string, std::string>> variables_;
  const std::string folder_;
  std::map<std::string, seat> seats_;
  std::ptrdiff_t grown_ = 0;  // Lines that have been written more than there were.
};

// Commands -----------------------------------------------------------------------------------------------

struct lesson {
  std::string language;
  chapter text;
};

void PrintTo(const lesson& one, std::ostream* out) { *out << one.text.path; }

std::vector<lesson> lessons() {
  std::vector<lesson> all;
  for (const std::string& language : languages)
    for (chapter& one : chapters_of(language)) all.push_back({language, std::move(one)});
  return all;
}

std::string name_of(const testing::TestParamInfo<lesson>& info) {
  std::string name = info.param.language + "_" + info.param.text.path.stem().string();
  std::ranges::replace_if(name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

class guide : public testing::TestWithParam<lesson> {};

TEST_P(guide, prints_what_it_shows) {
  const child_ending how = in_a_child([&] {
    if (!enter_own_network()) return lacks_permission;
    std::string folder = testing::TempDir() + "guide-XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) std::abort();
    chapter text = GetParam().text;
    session(text, GetParam().language, folder).run();
    fs::remove_all(folder);
    return 0;
  });
  if (how.exit_code == lacks_permission) GTEST_SKIP() << "no permission for a network of one's own";
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

INSTANTIATE_TEST_SUITE_P(each, guide, testing::ValuesIn(lessons()), name_of);

// Text ---------------------------------------------------------------------------------------------------

TEST(guide_text, code_is_that_of_the_files) {
  for (const lesson& one : lessons()) {
    for (const block& b : one.text.blocks) {
      if (b.language != "cpp") continue;
      const std::string file = text_of(tree / b.about);
      const std::string code = joined(b.lines);
      // Comments are translated.
      const bool is_quoted = one.language == "en"
                                 ? file.find(code) != file.npos
                                 : without_comments(file).find(without_comments(code)) != file.npos;
      EXPECT_TRUE(is_quoted && !code.empty())
          << one.text.at(b) << ": not in " << (b.about.empty() ? "any named file" : b.about);
    }
  }
}

// What a chapter has people do and read, in order.
std::vector<std::string> deeds(const chapter& text) {
  std::vector<std::string> all;
  for (const block& b : text.blocks) {
    all.push_back(b.language + " " + b.about);
    if (b.language != "console") continue;
    for (const moment& m : moments_of(b))
      if (m.is_act) all.push_back(line_of(m));
  }
  return all;
}

TEST(guide_text, every_language_has_the_same_chapters_and_commands) {
  const auto english = chapters_of("en");
  ASSERT_FALSE(english.empty());
  for (const std::string& language : languages) {
    const auto other = chapters_of(language);
    ASSERT_EQ(other.size(), english.size()) << language;
    for (std::size_t i = 0; i < other.size(); ++i) {
      EXPECT_EQ(other[i].path.filename().string().substr(0, 3),
                english[i].path.filename().string().substr(0, 3));
      EXPECT_EQ(deeds(other[i]), deeds(english[i])) << other[i].path;
    }
  }
}

TEST(guide_text, every_chapter_has_a_command_a_program_and_leads_on) {
  for (const std::string& language : languages) {
    const auto all = chapters_of(language);
    const chapter index(tree / "docs/guide" / language / "README.md");
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto leads_to = [](const chapter& from, const std::string& where) {
        return std::ranges::find(from.links, where) != from.links.end();
      };
      const std::string name = all[i].path.filename().string();
      EXPECT_TRUE(leads_to(index, name)) << index.path << " has no link to " << name;
      EXPECT_TRUE(leads_to(all[i], "README.md")) << name;
      if (i + 1 == all.size()) continue;
      EXPECT_TRUE(leads_to(all[i], all[i + 1].path.filename().string())) << name << " does not lead on";
      for (const char* kind : {"console", "cpp"})
        EXPECT_TRUE(std::ranges::any_of(all[i].blocks, [&](const block& b) { return b.language == kind; }))
            << name << " has no " << kind;
    }
  }
}

TEST(guide_text, links_lead_somewhere) {
  std::vector<fs::path> all = {tree / "README.md", tree / "README.pt-BR.md"};
  for (const auto& one : fs::recursive_directory_iterator(tree / "docs/guide"))
    if (one.path().extension() == ".md") all.push_back(one.path());
  for (const fs::path& path : all)
    for (const std::string& link : chapter(path).links)
      EXPECT_TRUE(fs::exists(path.parent_path() / link)) << path << " leads to " << link;
}

TEST(guide_text, only_what_differs_from_run_to_run_is_masked) {
  EXPECT_EQ(without_chance("#1 [::1]:50412 → echo:  0.0 s  ▲8 B"),
            without_chance("#1 [::1]:33012 → echo: 1.2 s ▲8 B"));
  EXPECT_EQ(without_chance("process 40212 of user 0"), without_chance("process 77 of user 0"));
  EXPECT_NE(without_chance("[::1]:8080"), without_chance("[::1]:8081"));
  EXPECT_NE(without_chance("3 s to finish"), without_chance("4 s to finish"));
  EXPECT_EQ(without_chance(" 0.000123  bind(5, x) → 0"), without_chance(" 0.100123  bind(12, x) → 0"));
  EXPECT_NE(without_chance(" 0.000123  recv(5) → 6"), without_chance(" 0.000123  recv(5) → 7"));
}

}  // namespace
}  // namespace soquete::test
