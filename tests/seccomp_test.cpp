// Where io_uring is refused, as in many containers, epoll takes its place and says why.  seccomp(2)
#include "child.hpp"
#include "refused_calls.hpp"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <soquete/run.hpp>
#include <soquete/tcp.hpp>
#include <string>

namespace soquete::test {
namespace {

struct refusal {
  const char* name;
  int number;
  const char* words;
};
class seccomp : public testing::TestWithParam<refusal> {};
std::string name_of(const testing::TestParamInfo<refusal>& one) { return one.param.name; }
INSTANTIATE_TEST_SUITE_P(with, seccomp,
                         testing::Values(refusal{"EPERM", EPERM, "Operation not permitted"},
                                         refusal{"ENOSYS", ENOSYS, "Function not implemented"}),
                         name_of);

bool refuse_io_uring(int number) {
  return refuse_calls({SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register}, number);
}

task<result<void>> talk_and_tell() {
  loop& here = co_await this_loop();
  std::printf("%s: %s\n", std::string(here.net().name()).c_str(), here.driver_reason().c_str());
  auto l = co_await ok(tcp::listen("127.0.0.1:0"));
  const endpoint door = co_await ok(l.local());
  tcp::stream client = co_await ok(tcp::connect(door));
  tcp::stream server = co_await ok(l.accept());
  co_await ok(client.send("hello"));
  lease got = co_await ok(server.receive());
  EXPECT_EQ(got.text(), "hello");
  co_return {};
}

child_ending run_refused(const refusal& r, run_options options) {
  return in_a_child([&] {
    ::unsetenv("SOQUETE_DRIVER");
    if (!refuse_io_uring(r.number)) return 1;
    return run_main(options, talk_and_tell);
  });
}

TEST_P(seccomp, the_automatic_choice_is_epoll_and_the_reason_is_told) {
  const child_ending how = run_refused(GetParam(), {});
  EXPECT_EQ(how.exit_code, 0);
  EXPECT_EQ(how.output,
            std::string("epoll: io_uring does not work here: ") + GetParam().words + " (set-up)\n");
}

TEST_P(seccomp, several_loops_fall_back_too) {
  const child_ending how = run_refused(GetParam(), {.threads = 2});
  EXPECT_EQ(how.exit_code, 0);
  EXPECT_TRUE(how.output.starts_with("epoll: ")) << how.output;
}

TEST_P(seccomp, asking_for_io_uring_is_a_clear_error) {
  const child_ending how = run_refused(GetParam(), {.driver = driver_choice::io_uring});
  EXPECT_EQ(how.exit_code, 1);
  std::string words = GetParam().words;
  words[0] = static_cast<char>(words[0] - 'A' + 'a');
  EXPECT_EQ(how.output, "seccomp_test: start driver io_uring: " + words + " (set-up)\n");
}

TEST_P(seccomp, the_suite_is_green) {
  for (const char* name :
       {"tcp",        "tcp_end", "tcp_connect",    "tcp_listen",       "options",      "copy",
        "descriptor", "run",     "serve",          "serve_loops",      "dump",         "cancel",
        "allocation", "udp",     "udp_ancillary",  "udp_batch",        "udp_cancel",   "udp_error",
        "udp_group",  "local",   "local_datagram", "local_descriptor", "local_listen", "local_serve"}) {
    const std::string program = folder_of_tests() + "/" + name + "_test";
    const child_ending how = in_a_child([&] {
      ::setenv("SOQUETE_TEST_REFUSED", GetParam().name, 1);
      ::setenv("GTEST_COLOR", "no", 1);
      if (!refuse_io_uring(GetParam().number)) return 1;
      ::execl(program.c_str(), program.c_str(), static_cast<char*>(nullptr));
      return 127;
    });
    EXPECT_EQ(how.exit_code, 0) << program << "\n" << how.output;
    const std::string reason =
        std::string("refused on purpose (") + GetParam().name + "): start driver io_uring";
    EXPECT_NE(how.output.find(reason), std::string::npos) << program << "\n" << how.output;
    EXPECT_NE(how.output.find("/epoll"), std::string::npos) << program;
    EXPECT_EQ(how.output.find("FAILED"), std::string::npos) << program;
  }
}

}  // namespace
}  // namespace soquete::test
