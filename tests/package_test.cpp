// What others get: the library as installed, found by CMake and by pkg-config, and the Debian packages.
//
// Goal: what `cmake --install` and `./dev package` make is enough by itself, wherever it stands.
// Method: the release is built from this tree into package/ beside the tests, which is kept and so costs
// little the next time. It is installed below scratch/, which is not, and a project that knows nothing of
// this tree (tests/user) is built against it. No file of scratch/ may then name the folder it was installed
// to.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "process.hpp"
#include "user/history.hpp"

namespace soquete::test {
namespace {

namespace fs = std::filesystem;

const fs::path tree = SOQUETE_SOURCE_DIR;
const fs::path builds = fs::path(SOQUETE_COMMAND).parent_path() / "package";
const fs::path scratch = builds / "scratch";
const fs::path prefix = scratch / "installed";
const std::string compiler = SOQUETE_COMPILER;
const std::string greeting = "installed over 127.0.0.1\n";

// What it wrote; a step that fails says so with all of it.
std::string shell(const std::string& script, int status = 0) {
  process running({"bash", "-euo", "pipefail", "-c", script});
  running.finish_input();
  const int how = running.wait(std::chrono::minutes(20));
  EXPECT_EQ(how, status) << script << "\n" << running.output << running.errors;
  return running.output + running.errors;
}

std::string configure(const fs::path& into, const std::string& settings) {
  return "cd " + tree.string() + "; cmake --preset package -B " + into.string() +
         " -D CMAKE_CXX_COMPILER=" + compiler + " " + settings + " >/dev/null; cmake --build " +
         into.string() + " -j 2;";
}

// The folder of soquete.pc: lib, lib64 or lib/x86_64-linux-gnu stands above it.
fs::path folder_of(const fs::path& root, const std::string& name) {
  for (const auto& entry : fs::recursive_directory_iterator(root))
    if (entry.path().filename() == name) return entry.path().parent_path();
  ADD_FAILURE() << name << " is not below " << root;
  return {};
}

std::string flags_for(const fs::path& root, const std::string& question = "--cflags --libs") {
  return "$(PKG_CONFIG_PATH=" + folder_of(root, "soquete.pc").string() + " pkg-config " + question +
         " soquete)";
}

std::string made_by_cmake(const fs::path& root, const std::string& more = "") {
  const std::string into = (scratch / "user").string();
  fs::remove_all(into);
  return "cmake -G Ninja -S " + (tree / "tests/user").string() + " -B " + into +
         " -D CMAKE_CXX_COMPILER=" + compiler + " -D CMAKE_PREFIX_PATH=" + root.string() + " " + more +
         " >/dev/null; cmake --build " + into + " >/dev/null; " + into + "/user";
}

std::string made_by_hand(const fs::path& root) {
  const std::string program = (scratch / "by_hand").string();
  return compiler + " -std=c++23 " + (tree / "tests/user/main.cpp").string() + " -o " + program + " " +
         flags_for(root) + "; LD_LIBRARY_PATH=" + folder_of(root, "pkgconfig").string() + " " + program;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

class package : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fs::remove_all(scratch);
    shell(configure(builds / "static", "") + "cmake --install " + (builds / "static").string() +
          " --prefix " + prefix.string());
  }
  // The Debian packages, unpacked: a folder each.
  static fs::path unpacked(const std::string& name) {
    const fs::path into = scratch / name;
    if (!fs::exists(into))
      shell("cd " + (builds / "static").string() +
            "; rm -f *.deb; cpack -G DEB >/dev/null; for deb in *.deb; do "
            "dpkg-deb -x $deb " +
            scratch.string() + "/${deb%%_*}; done");
    return into;
  }
  static std::string field(const std::string& name, const std::string& which) {
    unpacked(name);
    return shell("dpkg-deb -f " + (builds / "static").string() + "/" + name + "_*.deb " + which);
  }
};

TEST_F(package, find_package_is_enough_for_a_program_that_echoes) {
  EXPECT_EQ(shell(made_by_cmake(prefix)), greeting);
}

TEST_F(package, pkg_config_is_enough_for_a_program_that_echoes) {
  EXPECT_EQ(shell(made_by_hand(prefix)), greeting);
}

// Here: this program, with asserts and, in most presets, sanitizers. There: the release, and a program with
// and without optimisation, at addresses that are drawn and at those that are not.
TEST_F(package, a_simulated_history_is_the_same_with_other_compiler_options) {
  std::array<char, 20> here{};
  std::snprintf(here.data(), here.size(), "%016llx\n", static_cast<unsigned long long>(history::hash()));
  for (const std::string options : {"-O0", "-O2 -DNDEBUG"}) {
    const std::string program = (scratch / "history").string();
    shell(compiler + " -std=c++23 " + options + " " + (tree / "tests/user/history.cpp").string() + " -o " +
          program + " " + flags_for(prefix));
    EXPECT_EQ(shell(program), here.data()) << options;
    EXPECT_EQ(shell("setarch --addr-no-randomize " + program), here.data()) << options;
  }
}

TEST_F(package, a_moved_installation_is_as_good) {
  const fs::path moved = scratch / "moved";
  fs::copy(prefix, scratch / "kept", fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  fs::rename(prefix, moved);
  EXPECT_EQ(shell(made_by_cmake(moved)), greeting);
  EXPECT_EQ(shell(made_by_hand(moved)), greeting);
  EXPECT_EQ(shell("! grep -rIl " + prefix.string() + " " + moved.string()), "");
  EXPECT_EQ(shell("! grep -rIl " + tree.string() + " " + moved.string()), "");
  fs::rename(scratch / "kept", prefix);
}

TEST_F(package, the_shared_library_is_found_by_its_minor_version) {
  const fs::path shared = scratch / "shared";
  shell(configure(builds / "shared", "-D BUILD_SHARED_LIBS=ON") + "cmake --install " +
        (builds / "shared").string() + " --prefix " + shared.string());
  EXPECT_EQ(shell(made_by_cmake(shared)), greeting);
  EXPECT_EQ(shell(made_by_hand(shared)), greeting);
  EXPECT_TRUE(has(shell("readelf -d " + (scratch / "by_hand").string()), "[libsoquete.so." SOQUETE_ABI "]"));
  EXPECT_TRUE(has(shell((shared / "bin/soquete").string() + " --version"), "soquete"));
}

TEST_F(package, another_minor_version_is_refused) {
  EXPECT_TRUE(has(shell(made_by_cmake(prefix, "-D WANTED=0.0"), 1), "soquete-config.cmake, version: "));
  EXPECT_TRUE(has(shell(made_by_cmake(prefix, "-D WANTED=1.0"), 1), "soquete-config.cmake, version: "));
}

TEST_F(package, every_public_header_is_installed_and_compiles_alone) {
  const fs::path headers = prefix / "include/soquete";
  EXPECT_EQ(names_in(headers), names_in(tree / "include/soquete"));
  // From a folder where nothing else can be found by accident.
  shell("cd /; export flags=\"" + flags_for(prefix, "--cflags") + "\"; ls " + headers.string() +
        " | xargs -P2 -I{} sh -c 'echo \"#include <soquete/{}>\" | " + compiler +
        " -std=c++23 -Wall -Wextra -Werror -fsyntax-only -x c++ $flags -'");
}

TEST_F(package, an_older_standard_is_told_what_is_missing) {
  EXPECT_TRUE(has(shell("echo '#include <soquete/soquete.hpp>' | " + compiler +
                            " -std=c++20 -fsyntax-only -x c++ " + flags_for(prefix, "--cflags") + " -",
                        1),
                  "soquete needs C++23"));
}

TEST_F(package, the_command_and_its_manual_are_installed) {
  EXPECT_TRUE(has(shell((prefix / "bin/soquete").string() + " --version"), "soquete " SOQUETE_VERSION));
  EXPECT_TRUE(fs::exists(prefix / "share/man/man1/soquete.1"));
  EXPECT_TRUE(fs::exists(prefix / "share/doc/soquete/docs/lifetimes.md"));
}

TEST_F(package, the_debian_package_of_the_command_runs) {
  const fs::path root = unpacked("soquete");
  EXPECT_TRUE(has(shell((root / "usr/bin/soquete").string() + " --version"), "soquete " SOQUETE_VERSION));
  // What it is linked with must be there, or it does not start.
  EXPECT_TRUE(has(field("soquete", "Depends"), "libc6 (>= "));
  EXPECT_TRUE(has(field("soquete", "Depends"), "libstdc++6 (>= "));
  EXPECT_EQ(field("soquete", "Section"), "net\n");
  EXPECT_EQ(field("soquete", "Version"), SOQUETE_VERSION "-1\n");
  EXPECT_TRUE(has(shell("zcat " + (root / "usr/share/man/man1/soquete.1.gz").string()), ".Dt SOQUETE 1"));
  const std::vector<std::string> documents{"README.md", "README.pt-BR.md", "changelog.Debian.gz",
                                           "changelog.gz", "copyright"};
  EXPECT_EQ(names_in(root / "usr/share/doc/soquete"), documents);
  EXPECT_FALSE(fs::exists(root / "usr/include"));
}

TEST_F(package, the_debian_package_of_the_library_is_enough_for_a_program_that_echoes) {
  const fs::path root = unpacked("libsoquete-dev");
  EXPECT_EQ(shell(made_by_cmake(root / "usr")), greeting);
  EXPECT_EQ(shell(made_by_hand(root / "usr")), greeting);
  EXPECT_EQ(field("libsoquete-dev", "Section"), "libdevel\n");
  const bool has_uring =
      has(shell("cat " + (folder_of(root, "soquete.pc") / "soquete.pc").string()), "liburing");
  EXPECT_EQ(has(field("libsoquete-dev", "Depends"), "liburing-dev"), has_uring);
  EXPECT_TRUE(fs::exists(root / "usr/share/doc/libsoquete-dev/copyright"));
  EXPECT_FALSE(fs::exists(root / "usr/bin"));
}

}  // namespace
}  // namespace soquete::test
