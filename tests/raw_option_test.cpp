// Options that have no name here, by the numbers of the system's headers.  socket(7), tcp(7)
#include "on_each_driver.hpp"
#include "tcp_pair.hpp"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <string>
#include <string_view>

namespace soquete::test {
namespace {

class raw_options : public on_each_driver {};
ON_EACH_DRIVER(raw_options);

constexpr option_number quick_ack{IPPROTO_TCP, TCP_QUICKACK};
constexpr option_number peer_credentials{SOL_SOCKET, SO_PEERCRED};

static_assert(option_value<int> && option_value<ucred> && option_value<timeval>);
static_assert(!option_value<const char*> && !option_value<std::string_view> && !option_value<bytes>);

TEST_P(raw_options, what_is_set_is_what_is_read) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    socket_options o = both.client.options();
    for (const int on : {0, 1}) {
      EXPECT_TRUE(succeeds(o.set_raw(quick_ack, on)));
      const int got = co_await ok(o.get_raw<int>(quick_ack));
      EXPECT_EQ(got, on);
    }
    // The same as by name, and a structure.
    EXPECT_TRUE(succeeds(o.set_raw({IPPROTO_TCP, TCP_NODELAY}, 0)));
    const bool no_delay = co_await ok(o.no_delay());
    EXPECT_FALSE(no_delay);
    const timeval limit{7, 0};
    EXPECT_TRUE(succeeds(o.set_raw({SOL_SOCKET, SO_RCVTIMEO}, limit)));
    const auto read = co_await ok(o.get_raw<timeval>({SOL_SOCKET, SO_RCVTIMEO}));
    EXPECT_EQ(read.tv_sec, 7);
    co_return {};
  });
}

TEST_P(raw_options, a_type_of_another_size_is_refused) {
  play([this]() -> task<result<void>> {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    auto one = co_await ok(tcp::stream::adopt(here(), ends[0]));
    auto other = co_await ok(tcp::stream::adopt(here(), ends[1]));
    const auto who = co_await ok(one.options().get_raw<ucred>(peer_credentials));
    EXPECT_EQ(who.pid, ::getpid());
    EXPECT_EQ(who.uid, ::geteuid());
    auto small = one.options().get_raw<int>(peer_credentials);
    EXPECT_TRUE(fails_with(small, std::errc::value_too_large));
    auto large = one.options().get_raw<std::int64_t>({SOL_SOCKET, SO_TYPE});
    EXPECT_TRUE(fails_with(large, std::errc::value_too_large));
    if (!large)
      EXPECT_EQ(to_string(large.error()),
                "get option: value too large for defined data type (option 3 of level 1 is not of 8 bytes)");
    co_return {};
  });
}

TEST_P(raw_options, text_and_arrays_are_bytes_of_any_size) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    socket_options o = both.client.options();
    constexpr option_number congestion{IPPROTO_TCP, TCP_CONGESTION};
    EXPECT_TRUE(succeeds(o.set_raw_bytes(congestion, as_bytes("reno"))));
    std::array<std::byte, 64> room{};
    const std::size_t size = co_await ok(o.get_raw_bytes(congestion, room));
    EXPECT_TRUE(as_text(bytes(room).first(size)).starts_with("reno"));
    const std::size_t cut = co_await ok(o.get_raw_bytes(congestion, mutable_bytes(room).first(3)));
    EXPECT_EQ(cut, 3U);
    co_return {};
  });
}

TEST_P(raw_options, what_the_kernel_refuses_is_told_with_the_numbers) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    socket_options o = both.client.options();
    auto set = o.set_raw({IPPROTO_TCP, 12345}, 1);
    EXPECT_TRUE(fails_with(set, std::errc::no_protocol_option));
    if (!set)
      EXPECT_EQ(to_string(set.error()), "set option: protocol not available (option 12345 of level 6)");
    auto get = o.get_raw<int>({IPPROTO_TCP, 12345});
    EXPECT_TRUE(fails_with(get, std::errc::no_protocol_option));
    auto short_value = o.set_raw(quick_ack, char{1});
    EXPECT_TRUE(fails_with(short_value, std::errc::invalid_argument));
    co_return {};
  });
}

struct listener_of_steps : trace_sink {
  listener_of_steps() noexcept {
    told = [](trace_sink* self, const trace_event& event) noexcept {
      if (event.what == step::set_option)
        static_cast<listener_of_steps*>(self)->last = std::string(event.note);
    };
  }
  std::string last;
};

TEST_P(raw_options, the_trace_is_told) {
  listener_of_steps sink;
  play([&]() -> task<result<void>> {
    auto both = co_await ok(connect_pair());
    here().net().trace = &sink;
    EXPECT_TRUE(succeeds(both.client.options().set_raw(quick_ack, 1)));
    here().net().trace = nullptr;
    EXPECT_EQ(sink.last, "option 12 of level 6");
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
