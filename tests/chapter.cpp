// A chapter of the guide, as a test reads it.
#include "chapter.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

namespace soquete::test {
namespace fs = std::filesystem;

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all.append(line).append("\n");
  return all;
}

chapter::chapter(fs::path where) : path(std::move(where)) {
  std::ifstream in(path);
  lines = split(std::string(std::istreambuf_iterator<char>(in), {}));
  static const std::regex link(R"(\]\(([^)#:]+)(?:#[^)]*)?\))");
  bool is_inside = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    if (!line.starts_with("```")) {
      if (is_inside) blocks.back().lines.push_back(line);
      for (std::sregex_iterator one(line.begin(), line.end(), link), end; !is_inside && one != end; ++one)
        links.push_back((*one)[1]);
      continue;
    }
    is_inside = !is_inside;
    if (!is_inside) continue;
    std::istringstream words(line.substr(3));
    block made{.language = {}, .about = {}, .first_line = i + 1};
    words >> made.language >> made.about;
    blocks.push_back(made);
  }
}

std::string chapter::at(const block& b) const {
  return path.lexically_relative(SOQUETE_SOURCE_DIR).string() + ":" + std::to_string(b.first_line);
}

std::vector<moment> moments_of(const block& console) {
  std::vector<moment> all;
  for (const std::string& line : console.lines) {
    if (line.starts_with("$ "))
      all.push_back({act::run, true, line.substr(2)});
    else if (line.starts_with("> "))
      all.push_back({act::type, true, line.substr(2)});
    else if (line == "^C")
      all.push_back({act::interrupt, true});
    else if (line == "^D")
      all.push_back({act::finish, true});
    else {
      if (all.empty()) all.emplace_back();
      all.back().shown.push_back(line);
    }
  }
  return all;
}

std::string line_of(const moment& m) {
  switch (m.what) {
    case act::run: return "$ " + m.text;
    case act::type: return "> " + m.text;
    case act::interrupt: return "^C";
    case act::finish: return "^D";
  }
  return {};
}

std::vector<chapter> chapters_of(const std::string& language) {
  std::vector<fs::path> paths;
  for (const auto& one : fs::directory_iterator(fs::path(SOQUETE_SOURCE_DIR) / "docs/guide" / language)) {
    const std::string name = one.path().filename().string();
    if (std::isdigit(static_cast<unsigned char>(name.front())) != 0) paths.push_back(one.path());
  }
  std::ranges::sort(paths);
  std::vector<chapter> all;
  for (const fs::path& path : paths) all.emplace_back(path);
  return all;
}

std::string without_chance(std::string_view text) {
  struct rule {
    std::regex what;
    const char* instead;
  };
  // In this order: a process may have the number of a port. The first two are for --trace, which begins its
  // lines with a time.
  static const std::vector<rule> rules = [] {
    const auto sieve = [](const char* what) { return std::regex(what, std::regex::optimize); };
    return std::vector<rule>{
        {sieve(R"(^ *\d+\.\d{6}  (socket|accept)\((\d*)\) → \d+)"), "T $1(N) → N"},
        {sieve(R"(^ *\d+\.\d{6}  (\w+)\(\d+)"), "T $1(N"},
        {sieve(R"(\b(pid=|fd=|descriptor |process |processo |user |usuário |\w+\.[ch]pp:)\d+)"), "$1N"},
        {sieve(R"(\b(3[2-9]\d{3}|[45]\d{4}|60\d{3})\b)"), "PORT"},
        {sieve(R"(\b\d+(\.\d+ s|(\.\d+)? (ms|µs|us))(?!\w))"), "TIME"},
        {sieve(R"(\b\d+ s(?=:|  ↑))"), "TIME"},
        {sieve(R"(\((io_uring|epoll|poll)\))"), "(DRIVER)"},
        {sieve(R"(  +)"), " "},
        {sieve(R"([ \r]+$)"), ""},
    };
  }();
  std::string all;
  for (std::string line : split(text)) {
    for (const rule& r : rules) line = std::regex_replace(line, r.what, r.instead);
    all.append(line).append("\n");
  }
  return all;
}

std::string without_comments(std::string_view code) {
  std::string kept;
  bool is_text = false;
  for (std::size_t i = 0; i < code.size(); ++i) {
    const char c = code[i];
    if (c == '"' && (i == 0 || code[i - 1] != '\\')) is_text = !is_text;
    if (!is_text && code.substr(i).starts_with("//")) {
      i = std::min(code.find('\n', i), code.size());
      kept += ' ';
    } else {
      kept += std::isspace(static_cast<unsigned char>(c)) != 0 ? ' ' : c;
    }
  }
  return std::regex_replace(kept, std::regex(" +"), " ");
}

}  // namespace soquete::test
