// What programs do with sockets, in short.
#include "torture/plays.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <soquete/blocking.hpp>
#include <soquete/event.hpp>
#include <soquete/local.hpp>
#include <soquete/local_datagram.hpp>
#include <soquete/local_seqpacket.hpp>
#include <soquete/pipe.hpp>
#include <soquete/race.hpp>
#include <soquete/scope.hpp>
#include <soquete/serve.hpp>
#include <soquete/stream.hpp>
#include <soquete/udp_serve.hpp>
#include <string>
#include <vector>

#include "local_name.hpp"
#include "tcp_pair.hpp"
#include "udp_pair.hpp"

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

template <class Stream>
task<result<void>> send_and_finish(Stream& to, std::string_view text) {
  co_await ok(to.send(text));
  co_return to.finish();
}

// Receives to the end and compares on the way, also when the way is cut off.
template <class Stream>
task<result<void>> expect_all(Stream& from, std::string_view sent) {
  std::size_t at = 0;
  for (;;) {
    const lease piece = co_await ok(from.receive());
    if (piece.empty()) break;
    EXPECT_EQ(sent.substr(at, piece.size()), piece.text());
    at += piece.size();
  }
  // Closed without a reset by a side that had an error.
  if (at != sent.size()) co_return fail(fault::end_of_stream, step::receive);
  co_return {};
}

// The same by receives into memory that is given back to the heap at once.
template <class Stream>
task<result<void>> expect_all_into(Stream& from, std::string_view sent, std::size_t room) {
  std::size_t at = 0;
  for (;;) {
    std::vector<std::byte> memory(room);
    const std::size_t size = co_await ok(from.receive(mutable_bytes(memory)));
    if (size == 0) break;
    EXPECT_EQ(sent.substr(at, size), as_text(std::span(memory).first(size)));
    at += size;
  }
  // Closed without a reset by a side that had an error.
  if (at != sent.size()) co_return fail(fault::end_of_stream, step::receive);
  co_return {};
}

task<result<void>> echo(tcp::stream peer) {
  for (;;) {
    const lease piece = co_await ok(peer.receive());
    if (piece.empty()) co_return peer.finish();
    co_await ok(peer.send(piece.bytes()));
  }
}

task<result<void>> question_and_answer() {
  auto two = co_await ok(connect_pair());
  for (const char* word : {"one", "two", "three"}) {
    co_await ok(two.client.send(word));
    const std::string heard = co_await ok(receive_some(two.server, std::string_view(word).size()));
    EXPECT_EQ(heard, word);
    co_await ok(two.server.send(heard));
    const std::string answer = co_await ok(receive_some(two.client, heard.size()));
    EXPECT_EQ(answer, word);
  }
  co_await ok(two.client.finish());
  const lease end = co_await ok(two.server.receive());
  EXPECT_TRUE(end.empty());
  co_return {};
}

task<result<void>> both_ways_at_once() {
  auto two = co_await ok(connect_pair());
  const std::string there = pattern(60'000, 1), back = pattern(50'000, 2);
  auto body = [&](scope& s) -> task<result<void>> {
    s.spawn(send_and_finish(two.client, there));
    s.spawn(send_and_finish(two.server, back));
    s.spawn(expect_all(two.server, there));
    s.spawn(expect_all_into(two.client, back, 7'000));
    co_return {};
  };
  co_return co_await with_scope(body);
}

task<result<void>> parts_through_a_relay() {
  auto one = co_await ok(connect_pair());
  auto other = co_await ok(connect_pair());
  const std::string sent = pattern(40'000);
  auto send_parts = [&]() -> task<result<void>> {
    const std::string_view text = sent;
    const std::array parts{as_bytes(text.substr(0, 10)), as_bytes(text.substr(10, 30'000)),
                           as_bytes(text.substr(30'010))};
    co_await ok(one.client.send(parts));
    co_return one.client.finish();
  };
  auto relay = [&]() -> task<result<void>> {
    const std::uint64_t copied = co_await ok(copy(one.server, other.client));
    EXPECT_EQ(copied, sent.size());
    co_return {};
  };
  auto body = [&](scope& s) -> task<result<void>> {
    s.spawn(send_parts());
    s.spawn(relay());
    s.spawn(expect_all(other.server, sent));
    co_return {};
  };
  co_return co_await with_scope(body);
}

task<result<void>> bulk_through_a_relay() {
  auto one = co_await ok(connect_pair({.receive_buffer = 50'000}));
  auto other = co_await ok(connect_pair());
  const std::string sent = pattern(350'000);
  auto relay = [&]() -> task<result<void>> {
    const std::uint64_t copied = co_await ok(copy(one.server, other.client));
    EXPECT_EQ(copied, sent.size());
    co_return {};
  };
  auto body = [&](scope& s) -> task<result<void>> {
    s.spawn(send_and_finish(one.client, sent));
    s.spawn(relay());
    s.spawn(expect_all(other.server, sent));
    co_return {};
  };
  co_return co_await with_scope(body);
}

task<result<void>> a_server_of_many() {
  endpoint door;
  event opened;
  tcp::serve_watch watch;
  watch.listening = [&](const endpoint& where) {
    door = where;
    opened.notify_all();
  };
  auto ask = [&](std::string_view text) -> task<result<void>> {
    auto client = co_await ok(tcp::connect(door));
    co_await ok(client.send(text));
    co_await ok(client.finish());
    co_return co_await expect_all(client, text);
  };
  auto body = [&](scope& s) -> task<result<void>> {
    s.spawn(tcp::serve("127.0.0.1:0", echo, {.watch = &watch}));
    while (door.is_empty()) co_await ok(opened.wait());
    auto clients = [&](scope& all) -> task<result<void>> {
      for (int i = 0; i != 5; ++i) all.spawn(ask("hello"));
      co_return {};
    };
    result<void> asked = co_await with_scope(clients);
    s.cancel();
    co_return asked;
  };
  co_return co_await with_scope(body);
}

// A wait that was to end by its deadline has, or the system had an error.
template <class T>
result<void> expect_late(const result<T>& got) {
  EXPECT_FALSE(got.has_value());
  if (got || got.error() == std::errc::timed_out) return {};
  return fail(got.error());
}

// Awaits that are ended from outside, with work in the kernel.
task<result<void>> cancelled_and_late() {
  auto listening = co_await ok(tcp::listen("127.0.0.1:0", {.receive_buffer = 4096, .send_buffer = 4096}));
  auto two = co_await ok(connect_to(listening, {.receive_buffer = 4096, .send_buffer = 4096}));
  const std::string much = pattern(200'000);
  for (int i = 0; i != 2; ++i) {
    std::vector<std::byte> memory(100);
    const auto silence = co_await within(1ms, two.client.receive(mutable_bytes(memory)));
    co_await ok(expect_late(silence));
    const auto nobody = co_await within(1ms, listening.accept());
    co_await ok(expect_late(nobody));
  }
  const auto stuck = co_await within(1ms, two.server.send(much));
  co_await ok(expect_late(stuck));
  const lease piece = co_await ok(two.client.receive());
  EXPECT_EQ(std::string_view(much).substr(0, piece.size()), piece.text());
  co_return {};
}

task<result<void>> datagrams() {
  auto two = co_await ok(open_udp_pair());
  for (const char* word : {"a", "bc", ""}) {
    co_await ok(two.client.send(word));
    const udp::received got = co_await ok(two.server.receive());
    EXPECT_EQ(got.text(), word);
    co_await ok(two.server.send_to(got.from(), got.payload()));
    const udp::received answer = co_await ok(two.client.receive());
    EXPECT_EQ(answer.text(), word);
  }
  const auto silence = co_await within(1ms, two.server.receive());
  co_return expect_late(silence);
}

task<result<void>> datagrams_in_batches() {
  auto from = co_await ok(udp::bind("127.0.0.1:0"));
  auto at = co_await ok(udp::bind("127.0.0.1:0"));
  const endpoint to = co_await ok(at.local());
  std::vector<std::string> sent;
  // Runs of one size, which the kernel can cut, and then each larger than the one before.
  for (std::size_t i = 0; i != 20; ++i) sent.push_back(pattern(i < 10 ? 100 - i / 3 : 100 + i, i));
  for (const std::string& one : sent) EXPECT_TRUE(from.queue(&to, as_bytes(one)));
  const udp::flushed gone = co_await ok(from.flush());
  EXPECT_EQ(gone.sent + gone.failed, sent.size());
  // What was refused is left out, and the others keep their order.
  auto next = sent.begin();
  for (std::size_t came = 0; came < gone.sent;) {
    const udp::batch got = co_await ok(at.receive_batch());
    for (const udp::datagram& one : got) {
      next = std::find(next, sent.end(), as_text(one.payload));
      EXPECT_NE(next, sent.end());
      if (next != sent.end()) ++next;
      ++came;
    }
  }
  if (gone.failed != 0) co_return fail(gone.first_cause, step::send);
  co_return {};
}

task<result<void>> a_server_of_datagrams() {
  endpoint door;
  event opened;
  udp::serve_watch watch;
  watch.listening = [&](const endpoint& where) {
    door = where;
    opened.notify_all();
  };
  auto answer = [](udp::session& peer) -> task<result<void>> {
    const udp::received got = co_await ok(peer.receive());
    co_return co_await peer.send(got.payload());
  };
  auto body = [&](scope& s) -> task<result<void>> {
    s.spawn(udp::serve("127.0.0.1:0", answer, {.watch = &watch}));
    while (door.is_empty()) co_await ok(opened.wait());
    for (const char* word : {"one", "two"}) {
      auto client = co_await ok(udp::connect(door));
      co_await ok(client.send(word));
      auto got = co_await within(500ms, client.receive());
      // The server could not answer.
      if (!got && got.error() == std::errc::timed_out) co_return fail(fault::end_of_stream, step::receive);
      if (!got) co_return fail(std::move(got.error()));
      EXPECT_EQ(got->text(), word);
    }
    s.cancel();
    co_return {};
  };
  co_return co_await with_scope(body);
}

task<result<void>> local_streams() {
  auto [left, right] = co_await ok(local::pair());
  const std::string sent = pattern(30'000);
  auto body = [&](scope& s) -> task<result<void>> {
    s.spawn(send_and_finish(left, sent));
    s.spawn(expect_all(right, sent));
    co_return {};
  };
  co_return co_await with_scope(body);
}

task<result<void>> descriptors_passed() {
  auto [left, right] = co_await ok(local::pair());
  auto [one, other] = co_await ok(local::seqpacket_pair());
  auto [open_end, kept_end] = co_await ok(local::datagram_pair());
  const std::array sent{open_end.release()};
  co_await ok(left.send("here", sent));
  local::message got = co_await ok(right.receive_message());
  EXPECT_EQ(got.payload.text(), std::string_view("here").substr(0, got.payload.size()));
  if (got.handles.size() != 1) co_return fail(fault::end_of_stream, step::receive);
  co_await ok(one.send("there", got.handles));
  const local::message again = co_await ok(other.receive());
  EXPECT_EQ(again.payload.text(), "there");
  EXPECT_EQ(again.handles.size(), 1U);
  co_return {};
}

task<result<void>> a_local_server() {
  const own_folder folder;
  auto listening = co_await ok(local::listen(folder.at("door")));
  auto client = co_await ok(local::connect(folder.at("door")));
  auto server = co_await ok(listening.accept());
  const std::string there = pattern(20'000, 1);
  auto body = [&](scope& s) -> task<result<void>> {
    s.spawn(send_and_finish(client, there));
    s.spawn(expect_all_into(server, there, 3'000));
    co_return {};
  };
  co_await ok(with_scope(body));
  const auto late = co_await within(1ms, listening.accept());
  co_return expect_late(late);
}

task<result<void>> pipes() {
  loop& here = co_await this_loop();
  pipe_ends both = co_await ok(open_pipe(here));
  const std::string sent = pattern(90'000);
  auto write = [&]() -> task<result<void>> {
    co_await ok(both.writing.send(sent));
    both.writing.close();
    co_return {};
  };
  auto body = [&](scope& s) -> task<result<void>> {
    s.spawn(write());
    s.spawn(expect_all(both.reading, sent));
    co_return {};
  };
  co_return co_await with_scope(body);
}

task<result<void>> results_of_another_thread() {
  for (int i = 0; i != 5; ++i) EXPECT_EQ(co_await ok(blocking([i] { return i; })), i);
  co_return {};
}

constexpr torture_play all[] = {
    {"question_and_answer", question_and_answer},
    {"both_ways_at_once", both_ways_at_once},
    {"parts_through_a_relay", parts_through_a_relay},
    {"bulk_through_a_relay", bulk_through_a_relay},
    {"a_server_of_many", a_server_of_many},
    {"cancelled_and_late", cancelled_and_late},
    {"datagrams", datagrams},
    {"datagrams_in_batches", datagrams_in_batches},
    {"a_server_of_datagrams", a_server_of_datagrams},
    {"local_streams", local_streams},
    {"descriptors_passed", descriptors_passed},
    {"a_local_server", a_local_server},
    {"pipes", pipes},
    {"results_of_another_thread", results_of_another_thread},
};

}  // namespace

std::span<const torture_play> torture_plays() { return all; }

}  // namespace soquete::test
