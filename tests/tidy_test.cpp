// The rules of the house that a program can check: CONTRIBUTING.md gives them in words.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

// What stands on which floor: `loop` is include/soquete/loop.hpp, src/loop.hpp and src/loop.cpp, whichever
// exist; `address_*` is address_parse.cpp and so on; `kernel/` is that folder. A file includes its own floor
// and those below.
constexpr std::string_view floors[] = {
    // F0, values
    "address address_* bytes endpoint error exit_status lease message option owned owned_descriptor prefix "
    "sim_options tcp_info text unread_datagrams where",
    // F1, coroutines
    "cancel copy event frame memory race reader run_queue scope stream suspended task",
    // F2, the seam
    "descriptors driver known_endpoints op process processors",
    // F3, drivers
    "kernel/ sim/",
    // F4, turns, deadlines, threads
    "blocking context deadline loop loop_* post run signals spin_rule timers",
    // F5, what users hold
    "child connecting datagram datagram_options descriptor handover inherited local local_* options pipe "
    "serve serve_* socket splice tcp tcp_* transfer udp udp_*",
    // F6, names and secrecy
    "dns/ resolve sim tls tls/ world/",
    // F7, all of it; apps/ and examples/ stand here too
    "soquete",
};
constexpr int ground = 0, drivers = 3, top = 7, unknown = -1;

// What public headers may include besides soquete. Headers of C and of the system stay in src/.
constexpr std::string_view standard_headers =
    "algorithm any array atomic bit bitset cassert charconv chrono climits compare concepts "
    "condition_variable coroutine cstddef cstdint cstdlib cstring deque exception expected functional "
    "initializer_list iosfwd iterator limits map memory mutex new numeric optional ostream ranges ratio set "
    "source_location span stop_token string string_view system_error thread tuple type_traits unordered_map "
    "utility variant vector version";

constexpr std::size_t columns_max = 110;
constexpr std::size_t lines_max = 500;

struct source {
  std::string path;  // From the top of the tree: "src/kernel/epoll.cpp".
  std::vector<std::string> lines;

  bool in(std::string_view folder) const { return path.starts_with(folder); }
};

std::vector<std::string> words(std::string_view list) {
  std::istringstream in{std::string(list)};
  return {std::istream_iterator<std::string>(in), {}};
}

std::vector<std::string> split(std::istream& text) {
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

source made_up(std::string path, const std::string& text) {
  std::istringstream in(text);
  return {std::move(path), split(in)};
}

const fs::path tree = SOQUETE_SOURCE_DIR;

// All C++ of the project, in order of path.
const std::vector<source>& sources() {
  static const auto all = [] {
    std::vector<source> found;
    for (const char* folder : {"include", "src", "apps", "examples", "tests", "bench"}) {
      if (!fs::exists(tree / folder)) continue;
      for (const auto& entry : fs::recursive_directory_iterator(tree / folder)) {
        const auto kind = entry.path().extension();
        if (kind != ".hpp" && kind != ".cpp") continue;
        std::ifstream in(entry.path());
        found.push_back({entry.path().lexically_relative(tree).string(), split(in)});
      }
    }
    std::ranges::sort(found, {}, &source::path);
    return found;
  }();
  return all;
}

// What a check found, one line each, in the form that editors jump to.
class findings {
 public:
  void add(const source& file, std::size_t index, std::string_view what) {
    text_ += file.path + ":" + std::to_string(index + 1) + ": ";
    text_ += what;
    text_ += "\n";
  }
  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

template <class Check>
void holds_everywhere(Check check) {
  findings found;
  for (const auto& file : sources()) check(file, found);
  EXPECT_TRUE(found.empty()) << found.text();
}

template <class Check>
bool objects(Check check, std::string path, const std::string& text) {
  findings found;
  check(made_up(std::move(path), text), found);
  return !found.empty();
}

// Floors -------------------------------------------------------------------------------------------------

// "src/kernel/epoll.cpp" -> "kernel/epoll"; "include/soquete/tcp.hpp" -> "tcp".
std::string room(std::string_view path) {
  for (std::string_view root : {"include/soquete/", "src/"})
    if (path.starts_with(root)) path.remove_prefix(root.size());
  return std::string(path.substr(0, path.rfind('.')));
}

bool matches(std::string_view name, std::string_view entry) {
  const bool open = entry.ends_with('/') || entry.ends_with('*');
  if (entry.ends_with('*')) entry.remove_suffix(1);
  return open ? name.starts_with(entry) : name == entry;
}

int floor_of(std::string_view path) {
  if (path.starts_with("apps/") || path.starts_with("examples/")) return top;
  const auto name = room(path);
  for (int floor = ground; floor <= top; ++floor) {
    for (const auto& entry : words(floors[floor]))
      if (matches(name, entry)) return floor;
  }
  return unknown;
}

struct include {
  std::size_t index;
  bool quoted;
  std::string name;
};

std::vector<include> includes(const source& file) {
  static const std::regex form(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<include> found;
  std::smatch match;
  for (std::size_t i = 0; i < file.lines.size(); ++i)
    if (std::regex_search(file.lines[i], match, form)) found.push_back({i, match[1] == "\"", match[2]});
  return found;
}

// Where an include leads in this tree; empty when it leads out of it.
std::string target(const source& file, const include& it) {
  std::vector<fs::path> places = {"include"};
  if (it.quoted) places.insert(places.begin(), fs::path(file.path).parent_path());
  if (file.in("src/")) places.emplace_back("src");
  for (const auto& place : places) {
    const auto path = (place / it.name).lexically_normal();
    if (fs::exists(tree / path)) return path.string();
  }
  return "";
}

bool is_driver_folder(const std::string& path, const char* folder) {
  return room(path).starts_with(std::string(folder) + "/") || room(path) == folder;
}

void floors_hold(const source& file, findings& found) {
  if (file.in("tests/") || file.in("bench/")) return;
  const int here = floor_of(file.path);
  if (here == unknown)
    return found.add(file, 0, "stands on no floor; add it to `floors` in tests/tidy_test.cpp");
  for (const auto& it : includes(file)) {
    const auto path = target(file, it);
    if (path.empty()) {
      if (it.quoted || it.name.starts_with("soquete/"))
        found.add(file, it.index, "leads nowhere (apps and examples see public headers only): " + it.name);
      continue;
    }
    const int there = floor_of(path);
    const auto both = "F" + std::to_string(here) + " includes F" + std::to_string(there) + ": " + it.name;
    if (there == unknown) continue;  // Told once, at the file itself.
    if (there > here) found.add(file, it.index, both);
    const bool is_world = file.in("src/world/") && is_driver_folder(path, "sim");
    if (there == drivers && here > drivers && here < top && !is_world)
      found.add(file, it.index, both + "; hold a driver& instead");
    if (here == drivers && there == drivers &&
        is_driver_folder(file.path, "kernel") != is_driver_folder(path, "kernel"))
      found.add(file, it.index, "kernel and sim are strangers: " + it.name);
    if (here == top && !path.starts_with("include/") &&
        fs::path(path).parent_path() != fs::path(file.path).parent_path())
      found.add(file, it.index, "apps and examples see public headers only: " + it.name);
  }
}

TEST(tidy, a_file_includes_only_its_own_floor_and_lower_ones) { holds_everywhere(floors_hold); }

TEST(tidy, an_include_that_climbs_is_found) {
  EXPECT_TRUE(objects(floors_hold, "src/error.cpp", "#include <soquete/task.hpp>"));
  EXPECT_TRUE(objects(floors_hold, "src/nobody_knows.cpp", ""));
  EXPECT_TRUE(objects(floors_hold, "examples/echo.cpp", "#include \"../src/text.hpp\""));
  EXPECT_FALSE(objects(floors_hold, "src/task.cpp", "#include <soquete/error.hpp>\n#include <sys/socket.h>"));
}

// Public headers -----------------------------------------------------------------------------------------

void headers_are_light(const source& file, findings& found) {
  static const auto allowed = words(standard_headers);
  if (!file.in("include/")) return;
  for (const auto& it : includes(file))
    if (!it.name.starts_with("soquete/") && std::ranges::find(allowed, it.name) == allowed.end())
      found.add(file, it.index, "not a header of C++ or of soquete: " + it.name);
}

void headers_have_no_macros(const source& file, findings& found) {
  static const std::regex macro(R"(^\s*#\s*(define|undef)\b)");
  if (!file.in("include/")) return;
  for (std::size_t i = 0; i < file.lines.size(); ++i)
    if (std::regex_search(file.lines[i], macro)) found.add(file, i, "a macro reaches every user");
}

// A heuristic: what stands at the first column inside a namespace, outside `detail`, is a public name. Its
// comment opens the paragraph it stands in, so that overloads may share one.
void public_names_are_explained(const source& file, findings& found) {
  static const std::regex space(R"(^(?:inline )?namespace ([\w:]+) \{)");
  static const std::regex space_end(R"(^\}  // namespace)");
  static const std::regex forward(R"(^(?:class|struct|enum class|enum)(?: \[\[\w+\]\])? \w+(?: : [\w:]+)?;)");
  static const std::regex type(R"(^(?:(?:class|struct|union|enum|concept)\b|using \w+ =))");
  static const std::regex value(R"(^(?:inline )?(?:constexpr|constinit) .*=)");
  static const std::regex function(R"(^[\w:<>,&*\s\[\]]*\b(\w+|operator\S+)\()");
  // A member or a specialization is explained where it was first declared.
  static const std::regex elsewhere(
      R"(^template <>|^(?:class|struct)[^:{]*::|[\w>]::~?\w+\(|::operator|->.*;$)");
  static const std::regex no_name(R"(^(?:static_assert|requires|extern template|friend|if|else)\b)");
  if (!file.in("include/")) return;

  std::vector<std::string> spaces;
  bool explained = false, specialized = false;
  std::smatch match;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const auto& line = file.lines[i];
    if (line.empty()) explained = specialized = false;
    if (line.starts_with("///")) explained = true;
    if (line.starts_with("template <>")) specialized = true;
    if (std::regex_search(line, match, space) && !line.ends_with('}')) spaces.push_back(match[1]);
    if (std::regex_search(line, space_end) && !spaces.empty()) spaces.pop_back();

    const bool is_public = !spaces.empty() && std::ranges::none_of(spaces, [](const std::string& name) {
      return name == "detail" || name.ends_with("::detail");
    });
    const bool is_declaration = !line.empty() && (std::isalpha(line[0]) != 0 || line.starts_with("[["));
    if (!is_public || !is_declaration || explained || specialized) continue;
    if (std::regex_search(line, forward) || std::regex_search(line, elsewhere)) continue;
    if (std::regex_search(line, no_name)) continue;
    if (std::regex_search(line, type) || std::regex_search(line, value) || std::regex_search(line, function))
      found.add(file, i, "a public name without a /// comment: " + line);
  }
}

TEST(tidy, public_headers_include_only_standard_cpp_and_soquete) {
  holds_everywhere(headers_are_light);
  EXPECT_TRUE(objects(headers_are_light, "include/soquete/x.hpp", "#include <sys/socket.h>"));
}

TEST(tidy, public_headers_define_no_macros) {
  holds_everywhere(headers_have_no_macros);
  EXPECT_TRUE(objects(headers_have_no_macros, "include/soquete/x.hpp", "#  define X"));
}

TEST(tidy, every_public_name_is_explained) { holds_everywhere(public_names_are_explained); }

TEST(tidy, a_public_name_without_a_comment_is_found) {
  const auto bare = [](const std::string& declaration) {
    return objects(public_names_are_explained, "include/soquete/x.hpp",
                   "namespace soquete {\n\n" + declaration + "\n\n}  // namespace soquete\n");
  };
  EXPECT_TRUE(bare("class a {\n};"));
  EXPECT_TRUE(bare("enum class a : int {"));
  EXPECT_TRUE(bare("using a = int;"));
  EXPECT_TRUE(bare("inline constexpr int a = 1;"));
  EXPECT_TRUE(bare("const std::error_category& a() noexcept;"));
  EXPECT_TRUE(bare("template <class T>\n[[nodiscard]] std::vector<T> a(T b);"));
  EXPECT_TRUE(bare("/// One.\nint a();\n\nint b();"));
  EXPECT_FALSE(bare("/// One.\nint a();\nint a(int);"));
  EXPECT_FALSE(bare("/// One.\ntemplate <class T>\nclass a {\n};"));
  EXPECT_FALSE(bare("class a;"));
  EXPECT_FALSE(bare("namespace detail {\n\nint a();\n\n}  // namespace detail"));
  EXPECT_FALSE(bare("template <class T>\nvoid a<T>::b() {\n}"));
  EXPECT_FALSE(bare("template <class T>\nclass a<T>::b {\n};"));
  EXPECT_FALSE(bare("static_assert(sizeof(int) == 4);"));
}

// Every file ---------------------------------------------------------------------------------------------

void lines_fit(const source& file, findings& found) {
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    // Continuation bytes of UTF-8 take no column.
    const auto width = std::ranges::count_if(
        file.lines[i], [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; });
    if (static_cast<std::size_t>(width) > columns_max)
      found.add(file, i, std::to_string(width) + " columns; " + std::to_string(columns_max) + " fit");
  }
}

void files_fit(const source& file, findings& found) {
  if (file.lines.size() > lines_max)
    found.add(file, 0, std::to_string(file.lines.size()) + " lines; a file is one noun and at most 500");
}

// The words are in two pieces, so that this file does not hold them.
void promises_have_numbers(const source& file, findings& found) {
  static const std::regex promise(
      "\\b(TO"
      "DO|FIX"
      "ME)\\b(?! ?\\(#\\d+\\))");
  for (std::size_t i = 0; i < file.lines.size(); ++i)
    if (std::regex_search(file.lines[i], promise)) found.add(file, i, "needs an issue number, as in (#12)");
}

// A heuristic: soquete's own sleep takes a duration, that of <unistd.h> a bare number.
void tests_do_not_sleep(const source& file, findings& found) {
  static const std::regex sleep(
      "sleep_"
      "(for|until)|\\b(u|nano)sleep"
      "\\(|\\bsleep\\(\\d+\\)");
  if (!file.in("tests/")) return;
  for (std::size_t i = 0; i < file.lines.size(); ++i)
    if (std::regex_search(file.lines[i], sleep))
      found.add(file, i, "wait for what is to happen, not for time");
}

// A heuristic: a literal port given to listen or bind. A simulated network has its ports to itself.
void tests_use_any_port(const source& file, findings& found) {
  static const std::regex port(R"(\b(listen|bind)\([^)]*:[1-9]\d*"|sin6?_port = htons\([1-9])");
  if (!file.in("tests/") || file.path == "tests/tidy_test.cpp") return;
  if (std::ranges::any_of(includes(file),
                          [](const include& it) { return it.name.starts_with("soquete/sim"); }))
    return;
  for (std::size_t i = 0; i < file.lines.size(); ++i)
    if (std::regex_search(file.lines[i], port)) found.add(file, i, "bind port 0 and ask which it became");
}

TEST(tidy, a_line_fits_the_screen) {
  holds_everywhere(lines_fit);
  EXPECT_TRUE(objects(lines_fit, "src/x.cpp", std::string(columns_max + 1, 'x')));
}

TEST(tidy, a_file_has_one_noun_and_at_most_500_lines) {
  holds_everywhere(files_fit);
  EXPECT_TRUE(objects(files_fit, "src/x.cpp", std::string(lines_max + 1, '\n')));
}

TEST(tidy, what_is_put_off_has_an_issue_number) {
  holds_everywhere(promises_have_numbers);
  EXPECT_TRUE(objects(promises_have_numbers, "src/x.cpp",
                      "// TO"
                      "DO: later"));
  EXPECT_FALSE(objects(promises_have_numbers, "src/x.cpp",
                       "// TO"
                       "DO(#12): later"));
}

TEST(tidy, no_test_sleeps) {
  holds_everywhere(tests_do_not_sleep);
  EXPECT_TRUE(objects(tests_do_not_sleep, "tests/x_test.cpp",
                      "::sleep"
                      "(1);"));
  EXPECT_FALSE(objects(tests_do_not_sleep, "tests/x_test.cpp", "co_await sleep(10ms);"));
}

TEST(tidy, no_test_takes_a_fixed_port) {
  holds_everywhere(tests_use_any_port);
  EXPECT_TRUE(objects(tests_use_any_port, "tests/x_test.cpp", R"(tcp::listen("127.0.0.1:8080"))"));
  EXPECT_FALSE(objects(tests_use_any_port, "tests/x_test.cpp", R"(tcp::listen("127.0.0.1:0"))"));
  EXPECT_FALSE(objects(tests_use_any_port, "tests/x_test.cpp", R"(tcp::listen("[::1]:0"))"));
}

// A file that CMake does not know is a test that never runs, or a header that nobody compiles alone.
TEST(tidy, cmake_lists_every_file_by_name) {
  std::string lists;
  for (const char* path : {"CMakeLists.txt", "tests/CMakeLists.txt"}) {
    std::ifstream in(tree / path);
    lists.append(std::istreambuf_iterator<char>(in), {});
  }
  const auto listed = [&lists](const std::string& name) {
    return std::regex_search(lists, std::regex("(^|[\\s(])" + name + "($|[\\s)])"));
  };
  findings found;
  for (const auto& file : sources()) {
    const auto name = fs::path(file.path).stem().string();
    const bool is_test = file.in("tests/") && name.ends_with("_test");
    const bool is_private_header = !file.in("include/") && file.path.ends_with(".hpp");
    if (is_private_header || file.in("bench/") || (file.in("tests/") && !is_test)) continue;
    const auto entry = is_test                ? name.substr(0, name.size() - 5)
                       : file.in("examples/") ? name
                                              : std::regex_replace(file.path, std::regex(R"(\.)"), "\\.");
    if (!listed(entry)) found.add(file, 0, "is in no CMakeLists.txt");
  }
  EXPECT_TRUE(found.empty()) << found.text();
}

}  // namespace
