// Sockets passed by a service manager: what its variables say, to the letter.  sd_listen_fds(3)
#include "inherited.hpp"

#include <gtest/gtest.h>
#include <unistd.h>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

namespace soquete {
namespace {

// As a service manager sets it; nothing: it is not set.
class inherited : public testing::Test {
 protected:
  static void pass(const char* fds, const char* names, const std::optional<std::string>& pid) {
    const auto set = [](const char* variable, const char* value) {
      if (value != nullptr)
        ::setenv(variable, value, 1);
      else
        ::unsetenv(variable);
    };
    set("LISTEN_FDS", fds);
    set("LISTEN_FDNAMES", names);
    set("LISTEN_PID", pid ? pid->c_str() : nullptr);
  }
  static void pass(const char* fds, const char* names) { pass(fds, names, std::to_string(::getpid())); }
  void TearDown() override { pass(nullptr, nullptr, std::nullopt); }
};

TEST_F(inherited, a_name_is_the_number_of_its_place) {
  struct row {
    const char* fds;
    const char* names;
    const char* name;
    int number;
  };
  for (const row& r :
       {row{"1", nullptr, "", 3}, row{"1", "", "", 3}, row{"7", "a", "", 3}, row{"1", "web", "web", 3},
        row{"2", "web:admin", "admin", 4}, row{"3", "web:web:admin", "web", 3}, row{"3", "a::c", "c", 5},
        row{"3", "unknown:a b:c", "a b", 4}, row{"300", "x:y:z", "z", 5}, row{"2", "web:admin:", "admin", 4},
        row{"2147483647", "x", "x", 3}}) {
    pass(r.fds, r.names);
    const auto got = inherited_descriptor(r.name);
    ASSERT_TRUE(got) << r.fds << " " << r.name << ": " << to_string(got.error());
    EXPECT_EQ(*got, r.number) << r.name;
  }
}

TEST_F(inherited, what_is_not_there_or_not_for_us_is_told_with_the_variable_that_says_so) {
  struct row {
    const char* fds;
    const char* names;
    const char* name;
    const char* detail;
  };
  for (const row& r :
       {row{nullptr, nullptr, "", "LISTEN_FDS"}, row{"", "web", "web", "LISTEN_FDS"},
        row{"0", "web", "web", "LISTEN_FDS"}, row{"-1", "web", "web", "LISTEN_FDS"},
        row{"+1", "web", "web", "LISTEN_FDS"}, row{"1 ", "web", "web", "LISTEN_FDS"},
        row{"0x1", "web", "web", "LISTEN_FDS"}, row{"one", "web", "web", "LISTEN_FDS"},
        row{"99999999999", "web", "web", "LISTEN_FDS"},
        // A name beyond the number of descriptors is none of ours.
        row{"1", "web:admin", "admin", "LISTEN_FDNAMES"}, row{"2", "web", "admin", "LISTEN_FDNAMES"},
        row{"2", nullptr, "web", "LISTEN_FDNAMES"}, row{"2", "web:admin", "we", "LISTEN_FDNAMES"},
        row{"2", "web:admin", "Web", "LISTEN_FDNAMES"},
        row{"2", "web:admin", "web:admin", "LISTEN_FDNAMES"}}) {
    pass(r.fds, r.names);
    const auto got = inherited_descriptor(r.name);
    ASSERT_FALSE(got) << (r.fds != nullptr ? r.fds : "(none)") << " " << r.name;
    EXPECT_EQ(got.error(), fault::not_inherited);
    EXPECT_EQ(got.error().subject(), std::string("systemd:") + r.name);
    EXPECT_NE(got.error().detail().find(r.detail), std::string::npos) << got.error().detail();
  }
  for (const char* pid : {"1", "", "x", "0"}) {
    pass("1", "web", pid);
    const auto got = inherited_descriptor("web");
    ASSERT_FALSE(got) << pid;
    EXPECT_NE(got.error().detail().find("LISTEN_PID"), std::string::npos) << got.error().detail();
  }
  pass("1", "web", std::to_string(::getpid()) + " ");
  EXPECT_FALSE(inherited_descriptor("web"));
}

}  // namespace
}  // namespace soquete
