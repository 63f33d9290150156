// Local names: who gets them, with which permissions, and what becomes of them.  unix(7)
#include "child.hpp"
#include "local_name.hpp"
#include "on_each_driver.hpp"
#include "tcp_pair.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <soquete/local_datagram.hpp>
#include <soquete/local_seqpacket.hpp>
#include <soquete/run.hpp>
#include <soquete/scope.hpp>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class local_listen : public on_each_driver {};
ON_EVERY_DRIVER(local_listen);
// Its tests make loops in children.
class local_listen_race : public with_driver {};
ON_EACH_DRIVER(local_listen_race);

sockaddr_un name_of(const std::string& path) {
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::memcpy(at.sun_path, path.data(), path.size());
  return at;
}

// What a server leaves that was killed.
void leave_stale(const std::string& path) {
  const int s = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un at = name_of(path);
  EXPECT_EQ(::bind(s, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  ::close(s);
}

// What the kernel itself says to one who does not wait: 0 or errno.
int raw_connect(const std::string& path) {
  const int s = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const sockaddr_un at = name_of(path);
  const int why = ::connect(s, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 ? 0 : errno;
  ::close(s);
  return why;
}

unsigned mode_of(const std::string& path) {
  struct stat about{};
  return ::stat(path.c_str(), &about) == 0 ? about.st_mode & 0777 : 0;
}

// What a server leaves that was killed, on any driver: the path of a released socket stays.
task<result<void>> leave_stale_name(std::string where) {
  auto door = co_await ok(local::listen(where));
  static_cast<void>(door.release());
  co_return {};
}

task<result<void>> talk(local::listener& door, const std::string& where) {
  local::stream client = co_await ok(local::connect(where));
  local::stream server = co_await ok(door.accept());
  co_await ok(client.send("hello"));
  lease got = co_await ok(server.receive());
  EXPECT_EQ(got.text(), "hello");
  co_return {};
}

TEST_P(local_listen, a_path_is_served_and_removed_at_the_end) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    {
      auto door = co_await ok(local::listen(folder.at("s")));
      const endpoint at = co_await ok(door.local());
      EXPECT_EQ(to_string(at), folder.at("s"));
      co_await ok(talk(door, folder.at("s")));
      EXPECT_TRUE(co_await ok(is_there(folder.at("s"))));
    }
    EXPECT_FALSE(co_await ok(is_there(folder.at("s"))));
    co_return {};
  });
}

// D1
TEST_P(local_listen, a_missing_path_a_stale_one_and_a_live_one_differ) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    auto missing = co_await local::connect(folder.at("s"));
    EXPECT_TRUE(fails_with(missing, std::errc::no_such_file_or_directory));
    EXPECT_EQ(missing.error().subject(), folder.at("s"));
    co_await ok(leave_stale_name(folder.at("s")));
    auto stale = co_await local::connect(folder.at("s"));
    EXPECT_TRUE(fails_with(stale, std::errc::connection_refused));
    auto kept = co_await local::listen(folder.at("s"), {.replace_stale = false});
    EXPECT_TRUE(fails_with(kept, std::errc::address_in_use));
    auto door = co_await ok(local::listen(folder.at("s")));
    auto second = co_await local::listen(folder.at("s"));
    EXPECT_TRUE(fails_with(second, std::errc::address_in_use));
    EXPECT_EQ(to_string(second.error()).find("listen"), std::string::npos);
    co_await ok(talk(door, folder.at("s")));
    co_return {};
  });
}

TEST_P(local_listen, what_is_no_socket_is_never_removed) {
  NEEDS_THE_KERNEL("a simulated host has no other files");
  play([]() -> task<result<void>> {
    const own_folder folder;
    std::ofstream(folder.path("file")) << "precious";
    ::mkdir(folder.path("folder").c_str(), 0700);
    EXPECT_EQ(::symlink("nowhere", folder.path("link").c_str()), 0);
    for (const char* name : {"file", "folder", "link"}) {
      auto refused = co_await local::listen(folder.at(name));
      EXPECT_TRUE(fails_with(refused, std::errc::address_in_use));
      EXPECT_NE(to_string(refused.error()).find("no socket"), std::string::npos);
      struct stat about{};
      EXPECT_EQ(::lstat(folder.path(name).c_str(), &about), 0);
    }
    co_return {};
  });
}

// D2
TEST_P(local_listen, paths_of_108_bytes_work_and_longer_ones_are_refused) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    const std::string shortest = folder.path("");
    for (const std::size_t size : {107U, 108U}) {
      const std::string name(size - shortest.size(), 'x');
      auto door = co_await ok(local::listen(folder.at(name)));
      co_await ok(talk(door, folder.at(name)));
      const endpoint at = co_await ok(door.local());
      EXPECT_EQ(at.local_name(), folder.path(name));
      door.close();
      EXPECT_FALSE(co_await ok(is_there(folder.at(name))));
    }
    auto longer = co_await local::listen(folder.at(std::string(109 - shortest.size(), 'x')));
    EXPECT_TRUE(fails_with(longer, std::errc::filename_too_long));
    co_return {};
  });
}

TEST_P(local_listen, a_name_that_is_too_long_is_refused_and_never_cut) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    const std::string shortest = folder.path("");
    const std::string fits(108 - shortest.size(), 'x');
    auto door = co_await ok(local::listen(folder.at(fits)));
    auto letters = co_await ok(local::bind(folder.at(fits.substr(1))));
    // Cut to 108 bytes these would be the two that are there.
    auto client = co_await local::connect(folder.at(fits + "y"));
    EXPECT_TRUE(fails_with(client, std::errc::filename_too_long));
    if (!client) EXPECT_NE(to_string(client.error()).find("at most 108 bytes"), std::string::npos);
    EXPECT_TRUE(
        fails_with(co_await local::connect_seqpacket(folder.at(fits + "y")), std::errc::filename_too_long));
    EXPECT_TRUE(
        fails_with(co_await local::connect_datagram(folder.at(fits + "y")), std::errc::filename_too_long));
    EXPECT_TRUE(fails_with(co_await local::bind(folder.at(fits + "y")), std::errc::filename_too_long));
    EXPECT_TRUE(fails_with(endpoint::local_path(folder.path(fits) + "y"), std::errc::filename_too_long));
    EXPECT_TRUE(fails_with(co_await within(1ms, door.accept()), std::errc::timed_out));
    co_return {};
  });
}

// D3
TEST_P(local_listen, abstract_names_are_bytes_of_a_length_outside_the_file_system) {
  play([]() -> task<result<void>> {
    const std::string name = "soquete-test-" + std::to_string(::getpid()) + std::string(1, '\0') + "x";
    const endpoint whole = co_await ok(endpoint::local_abstract(name));
    const endpoint part = co_await ok(endpoint::local_abstract(name.substr(0, name.size() - 1)));
    auto door = co_await ok(local::listen(whole));
    auto other = co_await local::connect(part);
    EXPECT_TRUE(fails_with(other, std::errc::connection_refused));
    co_await ok(talk(door, to_string(whole)));
    auto second = co_await local::listen(whole);
    EXPECT_TRUE(fails_with(second, std::errc::address_in_use));
    const endpoint same = co_await ok(door.local());
    EXPECT_EQ(same, whole);
    co_return {};
  });
}

TEST_P(local_listen, abstract_names_have_1_to_107_bytes_and_are_free_again_at_once) {
  play([this]() -> task<result<void>> {
    const std::string some = "soquete-test-" + std::to_string(::getpid());
    std::string longest = some;
    longest.resize(107, '\xff');
    for (const std::string& name : {std::string("\0", 1) + some, longest}) {
      const endpoint at = co_await ok(endpoint::local_abstract(name));
      for (int i = 0; i != 2; ++i) {
        auto door = co_await ok(local::listen(at));
        EXPECT_FALSE(door.owns_path());
        EXPECT_FALSE(std::filesystem::exists("@" + name));
        co_await ok(talk(door, to_string(at)));
        door.close();
        // A driver may close in a later turn.
        co_await ok(wait_until([&] { return counts().sockets == 0; }));
      }
      EXPECT_TRUE(fails_with(co_await local::connect(at), std::errc::connection_refused));
    }
    EXPECT_TRUE(fails_with(endpoint::local_abstract(longest + "x"), std::errc::filename_too_long));
    co_return {};
  });
}

// D9
TEST_P(local_listen, permissions_are_exact_whatever_the_umask) {
  NEEDS_THE_KERNEL("a simulated process has no umask");
  play([]() -> task<result<void>> {
    const own_folder folder;
    for (const ::mode_t mask : {0022, 0077, 0777, 0000}) {
      const ::mode_t before = ::umask(mask);
      auto door = co_await local::listen(folder.at("s"), {.mode = 0660});
      auto open = co_await local::listen(folder.at("open"), {.mode = 0666});
      ::umask(before);
      EXPECT_TRUE(succeeds(door));
      EXPECT_EQ(mode_of(folder.path("s")), 0660U);
      EXPECT_EQ(mode_of(folder.path("open")), 0666U);
    }
    co_return {};
  });
}

TEST_P(local_listen, every_type_of_socket_gets_exactly_its_permissions) {
  NEEDS_THE_KERNEL("a simulated process has no umask");
  play([]() -> task<result<void>> {
    const own_folder folder;
    const ::mode_t before = ::umask(0277);
    auto records = co_await local::listen_seqpacket(folder.at("records"), {.mode = 0622});
    auto letters = co_await local::bind(folder.at("letters"), {.mode = 0642});
    auto nobody = co_await local::listen(folder.at("nobody"), {.mode = 0});
    auto usual = co_await local::listen(folder.at("usual"));
    ::umask(before);
    EXPECT_TRUE(succeeds(records) && succeeds(letters) && succeeds(nobody) && succeeds(usual));
    EXPECT_EQ(mode_of(folder.path("records")), 0622U);
    EXPECT_EQ(mode_of(folder.path("letters")), 0642U);
    EXPECT_EQ(mode_of(folder.path("nobody")), 0U);
    EXPECT_EQ(mode_of(folder.path("usual")), 0660U);
    co_return {};
  });
}

// Who may write may connect: another user is told so, and where.
TEST_P(local_listen_race, a_user_without_permission_is_refused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const own_folder folder;
  ::chmod(folder.path("").c_str(), 0755);
  const child_ending how = in_a_child([&] {
    auto program = [&]() -> task<result<void>> {
      auto ours = co_await ok(local::listen(folder.at("ours"), {.mode = 0660}));
      auto everybodys = co_await ok(local::listen(folder.at("everybodys"), {.mode = 0666}));
      become_another_user();
      auto refused = co_await local::connect(folder.at("ours"));
      EXPECT_TRUE(fails_with(refused, std::errc::permission_denied));
      if (!refused) EXPECT_EQ(refused.error().subject(), folder.at("ours"));
      co_await ok(talk(everybodys, folder.at("everybodys")));
      auto denied = co_await local::listen(folder.at("new"));
      EXPECT_TRUE(fails_with(denied, std::errc::permission_denied));
      // A path of somebody else's that we may not remove is no reason to lose anything of ours.
      auto taken = co_await local::listen(folder.at("ours"));
      EXPECT_TRUE(fails_with(taken, std::errc::address_in_use) ||
                  fails_with(taken, std::errc::permission_denied));
      co_return {};
    };
    EXPECT_TRUE(succeeds(test_loop(GetParam()).run(program())));
    return 0;
  });
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

// D10
TEST_P(local_listen, a_path_that_was_unlinked_or_taken_by_another_is_left_alone) {
  NEEDS_THE_KERNEL("nobody removes the path of a simulated socket");
  play([]() -> task<result<void>> {
    const own_folder folder;
    auto first = co_await ok(local::listen(folder.at("s")));
    auto before = co_await ok(local::connect(folder.at("s")));
    ::unlink(folder.path("s").c_str());
    auto none = co_await local::connect(folder.at("s"));
    EXPECT_TRUE(fails_with(none, std::errc::no_such_file_or_directory));
    auto second = co_await ok(local::listen(folder.at("s")));
    local::stream served = co_await ok(first.accept());
    co_await ok(before.send("still"));
    lease got = co_await ok(served.receive());
    EXPECT_EQ(got.text(), "still");
    first.close();
    EXPECT_TRUE(folder.has("s"));
    co_await ok(talk(second, folder.at("s")));
    co_return {};
  });
}

TEST_P(local_listen_race, a_relative_path_is_removed_wherever_the_program_has_gone) {
  const own_folder folder;
  const child_ending how = in_a_child([&] {
    EXPECT_EQ(::chdir(folder.path("").c_str()), 0);
    auto program = [&]() -> task<result<void>> {
      auto door = co_await ok(local::listen("unix:s"));
      auto letters = co_await ok(local::bind("unix:./d"));
      EXPECT_EQ(to_string(co_await ok(door.local())), "unix:s");
      EXPECT_EQ(::chdir("/"), 0);
      EXPECT_TRUE(folder.has("s") && folder.has("d"));
      co_await ok(talk(door, folder.at("s")));
      co_return {};
    };
    EXPECT_TRUE(succeeds(test_loop(GetParam()).run(program())));
    EXPECT_FALSE(folder.has("s") || folder.has("d"));
    return 0;
  });
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

// D6: connect(2) says EAGAIN and has no way to tell when there is room.
TEST_P(local_listen, a_connect_waits_for_a_full_backlog_without_spinning) {
  play([this]() -> task<result<void>> {
    const own_folder folder;
    auto door = co_await ok(local::listen(folder.at("s"), {.backlog = 0}));
    auto first = co_await ok(local::connect(folder.at("s")));
    const auto before = counts().kernel_calls;
    auto full = co_await within(100ms, local::connect(folder.at("s")));
    EXPECT_TRUE(fails_with(full, std::errc::timed_out));
    // After 1, 2, 4, 8, 16, 32 and 50 ms, with a turn for each.
    EXPECT_LE(counts().kernel_calls - before, 40U);
    auto connects = [&]() -> task<result<void>> {
      auto second = co_await ok(local::connect(folder.at("s")));
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(connects());
      co_await ok(door.accept());
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

// simulation.md 4.9: the kernel says "ok, EAGAIN, EAGAIN"; with us the two wait, and come in one by one.
TEST_P(local_listen, of_three_connects_to_a_backlog_of_0_one_is_in_and_two_wait_their_turn) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    auto door = co_await ok(local::listen(folder.at("s"), {.backlog = 0}));
    int connected = 0;
    auto connects = [&]() -> task<result<void>> {
      auto mine = co_await ok(local::connect(folder.at("s")));
      ++connected;
      lease got = co_await ok(mine.receive());
      EXPECT_EQ(got.text(), "in");
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      for (int i = 0; i != 3; ++i) s.spawn(connects());
      co_await ok(sleep(5ms));
      EXPECT_EQ(connected, 1);
      if (GetParam() != simulated) EXPECT_EQ(raw_connect(folder.path("s")), EAGAIN);
      for (int i = 0; i != 3; ++i) {
        auto server = co_await ok(door.accept());
        co_await ok(server.send("in"));
      }
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_EQ(connected, 3);
    co_return {};
  });
}

TEST_P(local_listen, alternatives_are_tried_in_turn_and_told) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    // Every folder of a simulated host exists: there somebody else has the first name.
    auto other = co_await local::listen(folder.at("no/such"));
    EXPECT_EQ(other.has_value(), GetParam() == simulated);
    auto door = co_await ok(local::listen(folder.at("no/such") + "|" + folder.at("s")));
    co_await ok(talk(door, folder.at("none") + "|" + folder.at("s")));
    auto none = co_await local::connect(folder.at("a") + "|" + folder.at("b"));
    EXPECT_FALSE(none);
    if (!none) EXPECT_EQ(none.error().attempts().size(), 2U);
    auto not_local = co_await local::connect("127.0.0.1:80");
    EXPECT_TRUE(fails_with(not_local, fault::unsupported));
    const std::string inherited = "fd:" + std::to_string(door.release().release());
    auto again = co_await ok(local::listen(inherited));
    co_await ok(talk(again, folder.at("s")));
    co_return {};
  });
}

TEST_P(local_listen, a_cancelled_accept_loses_no_connection_and_no_descriptor) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    auto door = co_await ok(local::listen(folder.at("s")));
    for (int i = 0; i != 3; ++i) {
      auto none = co_await within(1ms, door.accept());
      EXPECT_TRUE(fails_with(none, std::errc::timed_out));
      co_await ok(talk(door, folder.at("s")));
    }
    auto waiting = co_await ok(local::connect(folder.at("s")));
    door.close();
    auto end = co_await waiting.receive();
    EXPECT_TRUE(!end || end->empty());
    co_return {};
  });
}

// Goal: of servers that start at once on a stale path, one has it, and clients find that one.
// Method: processes that all try as soon as a pipe is closed; each winner keeps it until the pipe to it ends.
TEST_P(local_listen_race, of_servers_that_start_at_once_one_gets_the_path) {
  for (int round = 0; round != 10; ++round) {
    const own_folder folder;
    leave_stale(folder.path("s"));
    std::array<int, 2> go{}, end{}, told{};
    ASSERT_EQ(
        ::pipe2(go.data(), O_CLOEXEC) | ::pipe2(end.data(), O_CLOEXEC) | ::pipe2(told.data(), O_CLOEXEC), 0);
    constexpr int servers = 6;
    std::vector<pid_t> all;
    for (int i = 0; i != servers; ++i) {
      const pid_t pid = ::fork();
      if (pid != 0) {
        all.push_back(pid);
        continue;
      }
      ::close(go[1]);
      ::close(end[1]);
      char byte;
      while (::read(go[0], &byte, 1) > 0) {}
      auto program = [&]() -> task<result<void>> {
        auto door = co_await local::listen(folder.at("s"));
        const char what = door ? '+' : door.error() == std::errc::address_in_use ? '-' : '?';
        EXPECT_EQ(::write(told[1], &what, 1), 1);
        if (door)
          while (::read(end[0], &byte, 1) > 0) {}
        co_return {};
      };
      static_cast<void>(run({.driver = GetParam()}, program));
      ::_exit(0);
    }
    ::close(go[0]);
    ::close(go[1]);
    ::close(end[0]);
    std::string said;
    while (said.size() < servers) {
      char what = 0;
      ASSERT_EQ(::read(told[0], &what, 1), 1);
      said += what;
    }
    EXPECT_EQ(std::count(said.begin(), said.end(), '+'), 1) << said;
    EXPECT_EQ(std::count(said.begin(), said.end(), '-'), servers - 1) << said;
    EXPECT_TRUE(folder.has("s"));
    ::close(end[1]);
    for (const pid_t pid : all) ::waitpid(pid, nullptr, 0);
    EXPECT_FALSE(folder.has("s"));
    ::close(told[0]);
    ::close(told[1]);
  }
}

}  // namespace
}  // namespace soquete::test
