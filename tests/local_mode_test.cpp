// Permissions of local paths where a system has only some ways to set them.  fchmodat2(2), proc(5)
#include "child.hpp"
#include "local_name.hpp"
#include "refused_calls.hpp"
#include "test_loop.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <soquete/local.hpp>

#if !defined(SYS_fchmodat2)
#define SYS_fchmodat2 452
#endif

namespace soquete::test {
namespace {

// Under a umask that leaves nothing, so that the path is born with none of its permissions.
task<result<void>> listen_at(std::string path) {
  ::umask(0777);
  auto door = co_await local::listen("unix:" + path, {.mode = 0640});
  if (!door) co_return fail(std::move(door.error()));
  struct stat about{};
  EXPECT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0640U);
  co_return {};
}

int listen_in_a_loop(const std::string& path) {
  test_loop own(driver_choice::automatic);
  const auto done = own.run(listen_at(path));
  if (!done) std::printf("%s\n", to_string(done.error()).c_str());
  return done ? 0 : 1;
}

// A root that holds nothing, without /proc.
bool enter_empty_root(const std::string& folder) {
  if (::chroot(folder.c_str()) != 0 && (::unshare(CLONE_NEWUSER) != 0 || ::chroot(folder.c_str()) != 0))
    return std::perror("chroot"), false;
  return ::chdir("/") == 0;
}

// Linux before 6.6.
TEST(local_mode, is_set_through_proc_where_no_call_does_it) {
  for (const int number : {ENOSYS, EPERM}) {
    const own_folder folder;
    const child_ending how = in_a_child([&] {
      if (!refuse_calls({SYS_fchmodat2}, number)) return 1;
      return listen_in_a_loop(folder.path("s"));
    });
    EXPECT_EQ(how.exit_code, 0) << how.output;
  }
}

TEST(local_mode, that_cannot_be_set_is_an_error_and_leaves_no_path) {
  const own_folder folder;
  const child_ending how = in_a_child([&] {
    if (!enter_empty_root(folder.path(""))) return lacks_permission;
    if (!refuse_calls({SYS_fchmodat2}, ENOSYS)) return 1;
    return listen_in_a_loop("/s");
  });
  if (how.exit_code == lacks_permission) GTEST_SKIP() << how.output;
  EXPECT_EQ(how.exit_code, 1);
  EXPECT_EQ(how.output,
            "bind unix:/s: function not implemented (its permissions cannot be set without /proc)\n");
  EXPECT_FALSE(folder.has("s"));
}

}  // namespace
}  // namespace soquete::test
