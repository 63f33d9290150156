// docs/conformance.md says which test shows what: it names each case, and no test that there is not.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path tree = SOQUETE_SOURCE_DIR;

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The tests of the sources, as "suite.name", and the suites that run on each driver.
struct suites {
  std::set<std::string> tests;
  std::set<std::string> on_each_driver;
  std::set<std::string> on_every_driver;   // Also on the simulated one.
  std::set<std::string> needs_the_kernel;  // Of tests: not on that one.
};
const suites& in_sources() {
  static const suites all = [] {
    static const std::regex test(R"(\bTEST(?:_P|_F)?\(\s*(\w+),\s*(\w+)\))");
    static const std::regex each(R"(\bON_(EACH|EVERY)_DRIVER\((\w+)\))");
    static const std::regex needs(R"(\bTEST_P\(\s*(\w+),\s*(\w+)\)\s*\{\s*NEEDS_THE_KERNEL\()");
    suites found;
    for (const auto& entry : fs::directory_iterator(tree / "tests")) {
      if (!entry.path().filename().string().ends_with("_test.cpp")) continue;
      const std::string text = text_of(entry.path());
      for (std::sregex_iterator at(text.begin(), text.end(), test), end; at != end; ++at)
        found.tests.insert((*at)[1].str() + "." + (*at)[2].str());
      for (std::sregex_iterator at(text.begin(), text.end(), needs), end; at != end; ++at)
        found.needs_the_kernel.insert((*at)[1].str() + "." + (*at)[2].str());
      for (std::sregex_iterator at(text.begin(), text.end(), each), end; at != end; ++at) {
        found.on_each_driver.insert((*at)[2]);
        if ((*at)[1] == "EVERY") found.on_every_driver.insert((*at)[2]);
      }
    }
    return found;
  }();
  return all;
}

struct row {
  std::string number, situation, promise, tests, drivers;
};

std::vector<row> rows_of(const std::string& text) {
  static const std::regex line(R"(\| ([A-Z]\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| (\w+) \|)");
  std::vector<row> found;
  for (std::sregex_iterator at(text.begin(), text.end(), line), end; at != end; ++at)
    found.push_back({(*at)[1], (*at)[2], (*at)[3], (*at)[4], (*at)[5]});
  return found;
}

std::vector<std::string> names_in(const std::string& tests) {
  static const std::regex name(R"(`([\w.]+)`)");
  std::vector<std::string> found;
  for (std::sregex_iterator at(tests.begin(), tests.end(), name), end; at != end; ++at)
    found.push_back((*at)[1]);
  return found;
}

// What is wrong with a row; empty if nothing is.
std::string fault_in(const row& r) {
  const auto names = names_in(r.tests);
  if (names.empty()) return "it names no test";
  if (r.drivers != "each" && r.drivers != "one") return "it says neither each nor one: " + r.drivers;
  for (const std::string& name : names) {
    if (!in_sources().tests.contains(name)) return "there is no such test: " + name;
    if (r.drivers == "each" && !in_sources().on_each_driver.contains(name.substr(0, name.find('.'))))
      return "it does not run on each driver: " + name;
  }
  return "";
}

const std::string page = "docs/conformance.md";

TEST(conformance, every_case_has_its_line_and_each_line_its_tests) {
  const std::map<char, int> cases{{'R', 21}, {'B', 24}, {'C', 14}, {'D', 10}};
  std::map<std::string, int> lines;
  for (const row& r : rows_of(text_of(tree / page))) {
    ++lines[r.number];
    EXPECT_EQ(fault_in(r), "") << page << ", " << r.number;
  }
  for (const auto& [group, count] : cases)
    for (int i = 1; i <= count; ++i) EXPECT_EQ(lines[group + std::to_string(i)], 1) << group << i;
  EXPECT_EQ(lines.size(), 21U + 24 + 14 + 10);
}

TEST(conformance, a_line_that_is_wrong_is_found) {
  const auto fault_of = [](const std::string& text) {
    const auto rows = rows_of(text);
    return rows.size() != 1 ? "no line" : fault_in(rows[0]);
  };
  const std::string good = "`tcp_end.finishing_twice_is_fine`";
  EXPECT_EQ(fault_of("| B1 | a | b | " + good + " | each |"), "");
  EXPECT_NE(fault_of("| B1 | a | b | by hand | each |"), "");
  EXPECT_NE(fault_of("| B1 | a | b | " + good + " `tcp_end.nobody_wrote_this` | each |"), "");
  EXPECT_NE(fault_of("| B1 | a | b | " + good + " | some |"), "");
  EXPECT_NE(fault_of("| B1 | a | b | `reader.an_empty_delimiter_is_a_mistake` | each |"), "");
  EXPECT_EQ(fault_of("| B1 | a | b | `reader.an_empty_delimiter_is_a_mistake` | one |"), "");
  EXPECT_NE(fault_of("| B1 | a | b | " + good + " |"), "");
}

// As many as the page says, or more by now: GoogleTest runs each of them once a driver.
TEST(conformance, as_many_cases_run_on_each_driver_as_the_page_says) {
  const std::string text = text_of(tree / page);
  std::smatch said;
  ASSERT_TRUE(std::regex_search(text, said, std::regex(R"((\d+) cases on each of the three drivers)")));
  const auto runs_on_each = [](const std::string& test) {
    return in_sources().on_each_driver.contains(test.substr(0, test.find('.')));
  };
  const auto count = std::ranges::count_if(in_sources().tests, runs_on_each);
  EXPECT_GE(count, std::stol(said[1]));
  EXPECT_GE(std::stol(said[1]), 160);
}

TEST(conformance, as_many_cases_run_on_a_simulated_host_as_the_page_says) {
  const std::string text = text_of(tree / page);
  std::smatch said;
  ASSERT_TRUE(std::regex_search(text, said, std::regex(R"((\d+) cases run on a simulated host)")));
  const auto runs_there = [](const std::string& test) {
    return in_sources().on_every_driver.contains(test.substr(0, test.find('.'))) &&
           !in_sources().needs_the_kernel.contains(test);
  };
  const auto count = std::ranges::count_if(in_sources().tests, runs_there);
  EXPECT_GE(count, std::stol(said[1]));
  EXPECT_GE(std::stol(said[1]), 251);
}

}  // namespace
