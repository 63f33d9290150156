// A program can always say where it is stuck.
#include "on_each_driver.hpp"
#include "tcp_pair.hpp"

#include <regex>
#include <soquete/event.hpp>
#include <soquete/run.hpp>
#include <soquete/scope.hpp>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class dumps : public on_each_driver {};
ON_EVERY_DRIVER(dumps);

bool tells(const std::string& text, const std::string& form) {
  return std::regex_search(text, std::regex(form));
}

task<result<void>> wait_for_bytes(tcp::stream& from) {
  static_cast<void>(co_await ok(from.receive()));
  co_return {};
}

TEST_P(dumps, every_suspended_await_is_told_with_its_place_and_what_it_waits_for) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    event never;
    std::string text;
    auto wait = [](event& e) -> task<result<void>> { co_return co_await e.wait(); };
    auto doze = []() -> task<result<void>> { co_return co_await within(10s, sleep(1h)); };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(wait_for_bytes(both.server));
      s.spawn(wait(never));
      s.spawn(doze());
      co_await ok(sleep(1ms));
      text = co_await dump();
      s.cancel();
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_TRUE(
        tells(text, "dump_test.cpp:\\d+ waits since [0-9.]+ s\n +soquete/scope.hpp:\\d+ [^\n]*for its scope"))
        << text;
    const std::string peer = to_string(both.server.peer());
    EXPECT_TRUE(tells(text, "for receive on descriptor " + std::to_string(both.server.descriptor()))) << text;
    EXPECT_NE(text.find("(" + peer + ")"), std::string::npos) << text;
    EXPECT_TRUE(tells(text, "for an event")) << text;
    EXPECT_TRUE(tells(text, "at most (9|10)\\.\\d+ s more for a moment")) << text;
    co_return {};
  });
}

TEST_P(dumps, parents_stand_above_their_children) {
  play([]() -> task<result<void>> {
    std::string text;
    auto inner = []() -> task<result<void>> { co_return co_await sleep(1h); };
    auto outer = [](task<result<void>> below) -> task<result<void>> { co_return co_await std::move(below); };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(outer(inner()));
      co_await ok(sleep(1ms));
      text = co_await dump();
      s.cancel();
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_TRUE(
        tells(text, "\n( +)dump_test.cpp:\\d+ waits[^\n]*\n\\1  dump_test.cpp:\\d+ waits[^\n]*a moment"))
        << text;
    co_return {};
  });
}

TEST_P(dumps, an_accept_and_a_connect_say_so) {
  play([]() -> task<result<void>> {
    auto l = co_await ok(tcp::listen("127.0.0.1:0"));
    std::string text;
    auto accept = [](tcp::listener& on) -> task<result<void>> {
      static_cast<void>(co_await ok(on.accept()));
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(accept(l));
      co_await ok(sleep(1ms));
      text = co_await dump();
      s.cancel();
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_TRUE(tells(text, "for accept on descriptor " + std::to_string(l.descriptor()))) << text;
    co_return {};
  });
}

TEST_P(dumps, a_context_that_waits_is_told_too) {
  NEEDS_THE_KERNEL("a context opens a driver of its own");
  context net(GetParam());
  std::string text;
  auto wait = [](context& on, std::string& into) -> task<result<void>> {
    on.on().post([&] { into = on.on().dump(); });
    co_return co_await sleep(1ms);
  };
  EXPECT_TRUE(succeeds(net.wait(wait(net, text))));
  EXPECT_TRUE(tells(text, "dump_test.cpp:\\d+ waits since")) << text;
}

TEST_P(dumps, a_loop_without_tasks_has_nothing_to_tell) { EXPECT_EQ(here().dump(), ""); }

}  // namespace
}  // namespace soquete::test
