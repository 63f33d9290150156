// The driver contract, clause by clause: docs/driver.md. The clause numbers stand in the test names.
#include "driver_fixture.hpp"

#include <sys/time.h>
#include <csignal>
#include <cstring>
#include <thread>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

lease take_lease(op& o) {
  return {static_cast<const std::byte*>(o.data), static_cast<std::uint32_t>(o.outcome), o.home, o.id};
}

TEST_P(driver_contract, clause_1_an_operation_ends_at_once_or_by_one_completion) {
  auto [ours, peer] = local_pair();
  std::string room(16, '\0');
  const bool at_once = start(ours->reader, opcode::receive, room.data(), room.size());
  EXPECT_FALSE(at_once) << "there is nothing to receive";
  write_all(peer, "word");
  finish(ours->reader);
  settle();
  EXPECT_EQ(woken[&ours->reader], 1);
  EXPECT_EQ(ours->reader.outcome, 4);

  write_all(peer, "again");
  settle();
  const bool second_at_once = start(ours->reader, opcode::receive, room.data(), room.size());
  finish(ours->reader);
  settle();
  EXPECT_EQ(woken[&ours->reader], second_at_once ? 1 : 2);
  EXPECT_EQ(ours->reader.outcome, 5);
  close(*ours);
}

TEST_P(driver_contract, clause_2_nothing_is_woken_inside_the_driver) {
  // Goal: no verb of a driver runs a waiter. Method: the fixture counts wake-ups around each call; here all
  // verbs are called with something to complete.
  auto [ours, peer] = local_pair();
  write_all(peer, "word");
  if (!start(ours->reader, opcode::receive_lease)) finish(ours->reader);
  { const lease got = take_lease(ours->reader); }
  if (!start(ours->reader, opcode::receive_lease)) cancel(ours->reader);
  finish(ours->reader);
  close(*ours);
}

TEST_P(driver_contract, clause_3_any_number_of_operations_can_be_started_before_a_turn) {
  constexpr std::size_t count = 1500;  // More than a submission queue holds.
  std::vector<pair> all;
  std::vector<std::string> rooms(count, std::string(8, '\0'));
  for (std::size_t i = 0; i < count; ++i) all.push_back(local_pair());
  for (std::size_t i = 0; i < count; ++i)
    EXPECT_FALSE(start(all[i].ours->reader, opcode::receive, rooms[i].data(), rooms[i].size()));
  for (std::size_t i = 0; i < count; ++i) write_all(all[i].peer, std::to_string(i));
  for (std::size_t i = 0; i < count; ++i) {
    finish(all[i].ours->reader);
    EXPECT_EQ(rooms[i].substr(0, static_cast<std::size_t>(all[i].ours->reader.outcome)), std::to_string(i));
    EXPECT_EQ(woken[&all[i].ours->reader], 1);
    close(*all[i].ours);
  }
}

TEST_P(driver_contract, clause_4_a_cancelled_operation_completes_once_however_often_it_is_asked) {
  for (const opcode code : {opcode::receive, opcode::receive_lease, opcode::readable}) {
    auto [ours, peer] = local_pair();
    std::string room(16, '\0');
    woken.clear();
    ASSERT_FALSE(start(ours->reader, code, room.data(), room.size()));
    turn(0ms);
    cancel(ours->reader);
    if (ours->reader.now == op::state::in_flight) cancel(ours->reader);
    finish(ours->reader);
    settle();
    EXPECT_EQ(ours->reader.outcome, -ECANCELED);
    EXPECT_EQ(woken[&ours->reader], 1);
    close(*ours);
  }
}

TEST_P(driver_contract, clause_4_a_cancelled_accept_completes_once) {
  endpoint where;
  socket_block& listening = listen_on(where);
  ASSERT_FALSE(start(listening.reader, opcode::accept));
  turn(0ms);
  cancel(listening.reader);
  finish(listening.reader);
  EXPECT_EQ(listening.reader.outcome, -ECANCELED);
  EXPECT_EQ(woken[&listening.reader], 1);
  close(listening);
}

TEST_P(driver_contract, clause_5_bytes_are_not_touched_after_the_end_of_a_cancelled_receive) {
  auto [ours, peer] = local_pair();
  std::string room(4096, 'x');
  ASSERT_FALSE(start(ours->reader, opcode::receive, room.data(), room.size()));
  turn(0ms);
  cancel(ours->reader);
  finish(ours->reader);
  write_all(peer, std::string(4096, 'y'));
  settle();
  EXPECT_EQ(room, std::string(4096, 'x'));
  close(*ours);
}

TEST_P(driver_contract, clause_6_a_cancelled_receive_leaves_the_bytes_to_the_next) {
  for (const opcode code : {opcode::receive, opcode::receive_lease}) {
    auto [ours, peer] = local_pair();
    std::string room(16, '\0');
    ASSERT_FALSE(start(ours->reader, code, room.data(), room.size()));
    turn(0ms);
    cancel(ours->reader);
    write_all(peer, "kept");
    finish(ours->reader);
    std::string got;
    if (ours->reader.outcome > 0) {  // It may have won the race.
      got = code == opcode::receive ? room.substr(0, static_cast<std::size_t>(ours->reader.outcome))
                                    : std::string(take_lease(ours->reader).text());
    } else {
      EXPECT_EQ(ours->reader.outcome, -ECANCELED);
      settle();
      if (!start(ours->reader, opcode::receive, room.data(), room.size())) finish(ours->reader);
      got = room.substr(0, static_cast<std::size_t>(ours->reader.outcome));
    }
    EXPECT_EQ(got, "kept");
    close(*ours);
  }
}

TEST_P(driver_contract, clause_6_a_cancelled_accept_leaves_the_connection_to_the_next) {
  endpoint where;
  socket_block& listening = listen_on(where);
  ASSERT_FALSE(start(listening.reader, opcode::accept));
  turn(0ms);
  cancel(listening.reader);
  finish(listening.reader);
  connect_to(where);
  settle();
  if (!start(listening.reader, opcode::accept)) finish(listening.reader);
  ASSERT_EQ(listening.reader.outcome, 0);
  close(*static_cast<socket_block*>(const_cast<void*>(listening.reader.data)));
  close(listening);
}

TEST_P(driver_contract, clause_7_the_end_of_a_stream_is_told_each_time) {
  for (const opcode code : {opcode::receive, opcode::receive_lease}) {
    auto [ours, peer] = local_pair();
    peer.finish();
    std::string room(16, '\0');
    for (int i = 0; i < 3; ++i) {
      if (!start(ours->reader, code, room.data(), room.size())) finish(ours->reader);
      EXPECT_EQ(ours->reader.outcome, 0);
    }
    close(*ours);
  }
}

TEST_P(driver_contract, clause_7_a_reset_is_told_once_after_the_bytes_and_then_the_end) {
  for (const opcode code : {opcode::receive, opcode::receive_lease}) {
    auto [ours, peer] = tcp_pair();
    write_all(peer, "last");
    peer.reset();
    std::string room(16, '\0');
    std::vector<std::int64_t> told;
    for (int i = 0; i < 3; ++i) {
      if (!start(ours->reader, code, room.data(), room.size())) finish(ours->reader);
      if (code == opcode::receive_lease && ours->reader.outcome > 0) take_lease(ours->reader);
      told.push_back(ours->reader.outcome);
    }
    EXPECT_EQ(told, (std::vector<std::int64_t>{4, -ECONNRESET, 0}));
    close(*ours);
  }
}

TEST_P(driver_contract, clause_8_a_send_takes_all_even_if_the_peer_is_slow) {
  auto [ours, peer] = local_pair();
  std::string sent(3'000'000, '\0');
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 31 >> 4);
  start(ours->writer, opcode::send, sent.data(), sent.size());
  const std::string got = read_while_sending(ours->writer, peer, sent.size());
  EXPECT_EQ(ours->writer.outcome, static_cast<std::int64_t>(sent.size()));
  EXPECT_TRUE(got == sent);
  close(*ours);
}

TEST_P(driver_contract, clause_8_parts_are_sent_in_order_without_gaps) {
  auto [ours, peer] = local_pair();
  std::vector<std::string> texts;
  std::vector<bytes> parts;
  std::string whole;
  for (std::size_t i = 0; i < 300; ++i)
    texts.push_back(std::string(i * 7 % 5000, static_cast<char>('a' + i % 26)));
  for (const std::string& text : texts) {
    parts.push_back(as_bytes(text));
    whole += text;
  }
  start(ours->writer, opcode::send_parts, parts.data(), parts.size());
  const std::string got = read_while_sending(ours->writer, peer, whole.size());
  EXPECT_EQ(ours->writer.outcome, static_cast<std::int64_t>(whole.size()));
  EXPECT_TRUE(got == whole);
  close(*ours);
}

TEST_P(driver_contract, clause_8_a_cancelled_send_tells_what_the_stream_has_taken) {
  auto [ours, peer] = local_pair();
  const std::string sent(3'000'000, 's');
  ASSERT_FALSE(start(ours->writer, opcode::send, sent.data(), sent.size())) << "it cannot fit";
  settle();
  cancel(ours->writer);
  finish(ours->writer);
  EXPECT_EQ(ours->writer.outcome, -ECANCELED);
  const std::size_t arrived = read_the_rest(peer).size();
  EXPECT_EQ(arrived, ours->writer.moved);
  EXPECT_GT(arrived, 0U);
  close(*ours);
}

TEST_P(driver_contract, clause_8_send_some_takes_what_fits) {
  auto [ours, peer] = local_pair();
  const std::string sent(3'000'000, 's');
  if (!start(ours->writer, opcode::send_some, sent.data(), sent.size())) finish(ours->writer);
  EXPECT_GT(ours->writer.outcome, 0);
  EXPECT_LT(ours->writer.outcome, static_cast<std::int64_t>(sent.size()));
  close(*ours);
}

TEST_P(driver_contract, clause_9_an_idle_receive_holds_no_buffer) {
  std::vector<pair> all;
  for (int i = 0; i < 100; ++i) {
    all.push_back(local_pair());
    ASSERT_FALSE(start(all.back().ours->reader, opcode::receive_lease));
  }
  settle();
  EXPECT_EQ(net->counts().leases, 0U);
  EXPECT_LE(net->counts().buffer_bytes, 2U << 20);  // The pool itself, however many wait.
  for (auto& one : all) {
    cancel(one.ours->reader);
    finish(one.ours->reader);
    close(*one.ours);
  }
}

TEST_P(driver_contract, clauses_9_and_10_receives_go_on_when_all_buffers_are_leased_and_leases_stay_intact) {
  // Goal: a pool that slow readers hold entirely starves nobody. Method: more is received than any pool
  // holds, and every lease is kept to the end.
  constexpr std::size_t count = 400;
  constexpr std::size_t size = 60'000;
  std::vector<pair> all;
  std::vector<std::vector<lease>> kept(count);
  for (std::size_t i = 0; i < count; ++i) all.push_back(local_pair());
  for (std::size_t i = 0; i < count; ++i)
    write_all(all[i].peer, std::string(size, static_cast<char>('a' + i % 26)));
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t got = 0; got < size;) {
      op& o = all[i].ours->reader;
      if (!start(o, opcode::receive_lease)) finish(o);
      ASSERT_GT(o.outcome, 0);
      kept[i].push_back(take_lease(o));
      got += kept[i].back().size();
    }
  }
  EXPECT_LE(net->counts().buffer_bytes, (17U << 20) + count * size);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t got = 0;
    for (const lease& one : kept[i]) {
      got += one.size();
      EXPECT_EQ(one.text().find_first_not_of(static_cast<char>('a' + i % 26)), std::string_view::npos);
    }
    EXPECT_EQ(got, size);
  }
  kept.clear();
  // And with the buffers home, it goes on as before.
  write_all(all[0].peer, "more");
  if (!start(all[0].ours->reader, opcode::receive_lease)) finish(all[0].ours->reader);
  EXPECT_EQ(take_lease(all[0].ours->reader).text(), "more");
  for (auto& one : all) close(*one.ours);
}

TEST_P(driver_contract, clause_11_a_turn_ends_at_its_moment) {
  const auto begun = net->now();
  net->turn(begun + 30ms);
  while (net->now() < begun + 30ms) net->turn(begun + 30ms);
  EXPECT_GE(net->now(), begun + 30ms);
  net->turn(begun);  // In the past: comes back, or the guard of the test runner speaks.
}

TEST_P(driver_contract, clause_12_a_wake_up_from_another_thread_ends_a_turn) {
  net->wake();  // Before the turn: not lost.
  net->turn(time_point::max());
  for (int i = 0; i < 50; ++i) {
    std::thread other([this] { net->wake(); });
    net->turn(time_point::max());
    other.join();
    net->turn(net->now());  // Takes a wake-up that came a moment too late to be that turn's reason.
  }
}

// Goal: nor is one that comes while the driver talks to the kernel for another reason. Method: a close that
// has something to end there enters it at once.
TEST_P(driver_contract, clause_12_a_wake_up_is_not_lost_between_turns) {
  for (int i = 0; i < 20; ++i) {
    auto [ours, peer] = tcp_pair();
    write_all(peer, "x");
    if (!start(ours->reader, opcode::receive_lease)) finish(ours->reader);
    { const lease got = take_lease(ours->reader); }
    net->wake();
    close(*ours);
    net->turn(time_point::max());  // Comes back, or the guard of the test runner speaks.
    settle();
  }
}

TEST_P(driver_contract, clause_13_interrupted_calls_never_show) {
  struct sigaction quick{};
  struct sigaction before{};
  quick.sa_handler = [](int) {};
  ASSERT_EQ(::sigaction(SIGALRM, &quick, &before), 0);
  const itimerval storm{{0, 500}, {0, 500}};
  ::setitimer(ITIMER_REAL, &storm, nullptr);

  auto [ours, peer] = local_pair();
  std::string room(1000, '\0');
  const std::string text(1000, 't');
  for (int i = 0; i < 2000; ++i) {
    while (!peer.try_write(text)) turn(0ms);
    if (!start(ours->reader, opcode::receive, room.data(), room.size())) finish(ours->reader);
    ASSERT_GT(ours->reader.outcome, 0);
    if (!start(ours->writer, opcode::send, room.data(), 10)) finish(ours->writer);
    ASSERT_EQ(ours->writer.outcome, 10);
    while (!read_some(peer, 1000).empty()) {}
  }

  const itimerval none{};
  ::setitimer(ITIMER_REAL, &none, nullptr);
  ::sigaction(SIGALRM, &before, nullptr);
  close(*ours);
}

TEST_P(driver_contract, clause_14_what_was_in_flight_does_not_reach_a_later_socket_of_the_same_number) {
  auto [first, first_peer] = local_pair();
  const int number = first->descriptor;
  ASSERT_FALSE(start(first->reader, opcode::receive_lease));
  settle();
  cancel(first->reader);
  finish(first->reader);
  close(*first);
  // Where the kernel still knows the first socket, this reaches it; elsewhere the peer has gone.
  static_cast<void>(first_peer.try_write("stale"));
  settle();
  auto [second, second_peer] = local_pair();
  EXPECT_EQ(second->descriptor, number) << "the test needs the same number";
  ASSERT_FALSE(start(second->reader, opcode::receive_lease));
  settle();
  EXPECT_TRUE(second->reader.is_pending());
  write_all(second_peer, "fresh");
  finish(second->reader);
  EXPECT_EQ(take_lease(second->reader).text(), "fresh");
  close(*second);
}

TEST_P(driver_contract, clause_14_a_closed_listener_frees_its_address_at_once) {
  endpoint where;
  socket_block& first = listen_on(where);
  ASSERT_FALSE(start(first.reader, opcode::accept));
  turn(0ms);
  cancel(first.reader);
  finish(first.reader);
  close(first);
  socket_block& second = *net->open(family::v4, transport::stream).value();
  ASSERT_TRUE(net->set(second, option::reuse_address, 1));
  settle();
  EXPECT_TRUE(net->bind(second, where));
  EXPECT_TRUE(net->listen(second, 1));
  close(second);
}

TEST_P(driver_contract, clause_15_closing_with_unread_bytes_resets) {
  for (const bool was_receiving : {false, true}) {
    auto [ours, peer] = tcp_pair();
    if (was_receiving) {
      ASSERT_FALSE(start(ours->reader, opcode::receive_lease));
      turn(0ms);
      cancel(ours->reader);
      finish(ours->reader);
    }
    write_all(peer, "unread");
    settle();
    close(*ours);
    settle();
    EXPECT_EQ(peer.failure_of_read(), ECONNRESET) << (was_receiving ? "after a receive" : "without one");
  }
}

TEST_P(driver_contract, clause_16_after_draining_nothing_is_left) {
  for (int i = 0; i < 50; ++i) {
    auto [ours, peer] = local_pair();
    if (!start(ours->reader, opcode::receive_lease)) turn(0ms);
    cancel(ours->reader);
    finish(ours->reader);
    close(*ours);
  }
  net->drain();
  while (!queue.empty()) queue.run_round();
  EXPECT_EQ(net->counts().sockets, 0U);
}

using driver_contract_death = driver_contract;

TEST_P(driver_contract_death, clause_18_a_second_reader_ends_the_program) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto [ours, peer] = local_pair();
  waiter nobody;
  EXPECT_DEATH(
      {
        ours->reader.code = opcode::receive_lease;
        static_cast<void>(ours->reader.begin({&queue, nullptr}, &nobody));
        static_cast<void>(ours->reader.begin({&queue, nullptr}, &nobody));
      },
      "");
  close(*ours);
}

INSTANTIATE_TEST_SUITE_P(on, driver_contract, testing::ValuesIn(contract_drivers),
                         [](const auto& one) { return std::string(one.param); });
INSTANTIATE_TEST_SUITE_P(on, driver_contract_death, testing::ValuesIn(contract_drivers),
                         [](const auto& one) { return std::string(one.param); });

}  // namespace
}  // namespace soquete::test
