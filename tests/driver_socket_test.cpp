// The driver contract for sockets themselves: opening, adopting, releasing, and their paths. docs/driver.md,
// whose numbers stand in the test names.
#include "driver_fixture.hpp"
#include "local_name.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <fstream>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class driver_sockets : public driver_contract {
 protected:
  socket_block& open_local(transport how = transport::stream) {
    return *net->open(family::local, how).value();
  }
  static endpoint path_of(const own_folder& folder, const std::string& name) {
    return endpoint::local_path(folder.path(name)).value();
  }
  static unsigned mode_of(const std::string& path) {
    struct stat about{};
    return ::lstat(path.c_str(), &about) == 0 ? about.st_mode & 07777 : 0;
  }
  // What a receive gives, as text; takes leases home.
  std::string receive(socket_block& b, opcode code) {
    std::string room(1000, '\0');
    op& o = b.reader;
    if (!start(o, code, room.data(), code == opcode::receive_messages ? 1 : room.size())) finish(o);
    if (o.outcome <= 0) return o.outcome == 0 ? "(end)" : "(" + std::to_string(o.outcome) + ")";
    if (code == opcode::receive) return room.substr(0, static_cast<std::size_t>(o.outcome));
    if (code == opcode::receive_lease) {
      const lease got{static_cast<const std::byte*>(o.data), static_cast<std::uint32_t>(o.outcome), o.home,
                      o.id};
      return std::string(got.text());
    }
    const auto& m = *static_cast<const received_message*>(o.data);
    std::string text(as_text(bytes(m.data, m.size)));
    o.home->recycle(o.home, nullptr, o.id);
    return text;
  }
  std::int64_t send_text(socket_block& b, std::string_view text) {
    if (!start(b.writer, opcode::send, text.data(), text.size())) finish(b.writer);
    return b.writer.outcome;
  }
  // With nothing there yet: from here on a driver may receive or accept in advance.
  void arm(op& o, opcode code) {
    ASSERT_FALSE(start(o, code));
    turn(0ms);
    cancel(o);
    finish(o);
    ASSERT_EQ(o.outcome, -ECANCELED);
  }
  std::int64_t accept(socket_block& listening) {
    if (!start(listening.reader, opcode::accept)) finish(listening.reader);
    return listening.reader.outcome;
  }
  socket_block& accepted(socket_block& listening) {
    EXPECT_EQ(accept(listening), 0);
    return *static_cast<socket_block*>(const_cast<void*>(listening.reader.data));
  }
  // A client of our own making.
  int connect_to(const socket_block& listening) {
    sockaddr_storage to{};
    socklen_t size = sizeof to;
    EXPECT_EQ(::getsockname(listening.descriptor, reinterpret_cast<sockaddr*>(&to), &size), 0);
    const int client = ::socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    peers.push_back(client);
    EXPECT_EQ(::connect(client, reinterpret_cast<const sockaddr*>(&to), size), 0);
    return client;
  }
};

constexpr opcode receives[] = {opcode::receive, opcode::receive_lease, opcode::receive_messages};

TEST_P(driver_sockets, clause_25_what_is_opened_closes_at_exec_and_never_blocks) {
  std::vector<socket_block*> all;
  for (const auto& [where, how] :
       std::vector<std::pair<family, transport>>{{family::v4, transport::stream},
                                                 {family::v6, transport::datagram},
                                                 {family::local, transport::stream},
                                                 {family::local, transport::sequenced},
                                                 {family::local, transport::datagram}}) {
    all.push_back(net->open(where, how).value());
    EXPECT_EQ(all.back()->domain, where);
    EXPECT_EQ(all.back()->carries, how);
    EXPECT_EQ(all.back()->kind == descriptor_kind::stream, how == transport::stream);
  }
  for (const transport how : {transport::stream, transport::datagram, transport::sequenced}) {
    const socket_pair both = net->pair(how).value();
    all.insert(all.end(), {both.first, both.second});
  }
  endpoint where;
  socket_block& listening = listen_on(where);
  connect_to(listening);
  all.insert(all.end(), {&accepted(listening), &listening});
  for (socket_block* b : all) {
    EXPECT_EQ(::fcntl(b->descriptor, F_GETFD), FD_CLOEXEC);
    EXPECT_NE(::fcntl(b->descriptor, F_GETFL) & O_NONBLOCK, 0);
    close(*b);
  }
}

TEST_P(driver_sockets, clause_26_adopt_tells_what_it_is_and_takes_it_over) {
  endpoint where;
  socket_block& listening = listen_on(where);
  const int client = connect_to(listening);
  socket_block& server = accepted(listening);
  const auto adopted = [&](int number) { return net->adopt(owned_descriptor(::dup(number))).value(); };
  socket_block* const stream = adopted(client);
  EXPECT_EQ(stream->kind, descriptor_kind::stream);
  EXPECT_TRUE(stream->has_peer);
  EXPECT_EQ(endpoint(stream->peer_address, stream->peer_port), where);
  socket_block* const door = adopted(listening.descriptor);
  EXPECT_EQ(door->kind, descriptor_kind::listener);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, 0), 0);
  socket_block* const pipe = net->adopt(owned_descriptor(ends[0])).value();
  peers.push_back(ends[1]);
  EXPECT_EQ(pipe->kind, descriptor_kind::other);
  EXPECT_EQ(::fcntl(pipe->descriptor, F_GETFL) & O_NONBLOCK, 0) << "it may be shared with others";
  for (socket_block* b : {stream, door, pipe}) {
    EXPECT_EQ(::fcntl(b->descriptor, F_GETFD), FD_CLOEXEC);
    close(*b);
  }
  EXPECT_EQ(net->adopt(owned_descriptor(1'000'000)).error(), std::errc::bad_file_descriptor);
  close(server);
  close(listening);
}

TEST_P(driver_sockets, clause_26_what_it_has_brought_along_comes_first_whatever_receives_it) {
  for (const opcode code : receives) {
    auto [ours, peer] = local_pair();
    owned_descriptor whole = net->release(*ours);
    const auto early = as_bytes("early");
    whole.set_unread({early.begin(), early.end()});
    socket_block& again = *net->adopt(std::move(whole)).value();
    write_all(peer, "late");
    std::string got;
    while (got.size() < 9) got += receive(again, code);
    EXPECT_EQ(got, "earlylate");
    close(again);
  }
}

TEST_P(driver_sockets, clause_27_a_released_stream_has_all_its_bytes_in_order_and_once) {
  // Goal: no byte is lost or doubled between drivers. Method: each round a driver receives in advance what
  // comes, some of it is read, and the rest goes to another driver of another kind and back.
  open_queue other_queue;
  auto other = open_kernel_driver(other_queue, driver_choice::poll);
  ASSERT_TRUE(other);
  for (const opcode code : receives) {
    auto [ours, peer] = tcp_pair();
    socket_block* here = ours;
    std::string sent, got;
    for (int round = 0; round < 20; ++round) {
      if (got.size() == sent.size()) arm(here->reader, opcode::receive_lease);
      for (int piece = 0; piece < 3; ++piece) {
        const std::string text(static_cast<std::size_t>(1 + 37 * round + piece),
                               static_cast<char>('a' + piece));
        write_all(peer, text);
        sent += text;
        if (round % 2 == 0) settle();
      }
      while (round % 3 == 0 && got.size() < sent.size()) got += receive(*here, code);
      if (round % 3 == 1) got += receive(*here, code);
      // It lets go of nothing that the kernel would still write to.
      socket_block& there = *other->it->adopt(net->release(*here)).value();
      here = net->adopt(other->it->release(there)).value();
    }
    while (got.size() < sent.size()) {
      const std::string more = receive(*here, code);
      ASSERT_FALSE(more.starts_with('(')) << more;
      got += more;
    }
    EXPECT_EQ(got, sent);
    close(*here);
  }
  EXPECT_EQ(other->it->counts().sockets, 0U);
  other->it->drain();
}

TEST_P(driver_sockets, clause_27_a_released_listener_has_its_connections_in_order_and_goes_on) {
  endpoint where;
  socket_block* listening = &listen_on(where);
  arm(listening->reader, opcode::accept);
  std::vector<int> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(connect_to(*listening));
    if (i == 5) settle();
  }
  owned_descriptor whole = net->release(*listening);
  // Those that wait in the driver and those that wait in the kernel.
  const std::size_t in_advance = whole.accepted().size();
  EXPECT_LE(in_advance, clients.size());
  listening = net->adopt(std::move(whole)).value();
  EXPECT_EQ(listening->kind, descriptor_kind::listener);
  clients.push_back(connect_to(*listening));
  for (const int client : clients) {
    socket_block& server = accepted(*listening);
    sockaddr_storage ours{};
    socklen_t size = sizeof ours;
    ::getsockname(client, reinterpret_cast<sockaddr*>(&ours), &size);
    write_all(client, "x");
    EXPECT_EQ(receive(server, opcode::receive), "x");
    close(server);
  }
  close(*listening);
}

TEST_P(driver_sockets, clause_27_what_is_let_go_is_closed_by_its_owner_alone) {
  auto [ours, peer] = local_pair();
  arm(ours->reader, opcode::receive_lease);
  write_all(peer, "x");
  settle();
  {
    const owned_descriptor whole = net->release(*ours);
    EXPECT_EQ(net->counts().sockets, 0U);
    EXPECT_EQ(net->counts().leases, 0U);
    EXPECT_EQ(::fcntl(whole.descriptor(), F_GETFD), FD_CLOEXEC);
    settle();
    EXPECT_TRUE(peer.try_write("y")) << "it is open still";
  }
  EXPECT_FALSE(peer.try_write("z"));
}

TEST_P(driver_sockets, clause_28_claim_binds_with_exactly_the_permissions_asked_for_and_listens) {
  const own_folder folder;
  for (const ::mode_t mask : {0, 0777}) {
    const ::mode_t before = ::umask(mask);
    socket_block& door = open_local();
    EXPECT_TRUE(net->claim(door, path_of(folder, "s"), {.mode = 0640, .backlog = 4}));
    ::umask(before);
    EXPECT_EQ(mode_of(folder.path("s")), 0640U);
    EXPECT_EQ(door.kind, descriptor_kind::listener);
    connect_to(door);
    close(accepted(door));
    close(door);
    EXPECT_FALSE(folder.has("s"));
  }
  // Without a backlog it is bound and does not listen.
  socket_block& letters = open_local(transport::datagram);
  EXPECT_TRUE(net->claim(letters, path_of(folder, "d"), {.mode = 0600}));
  EXPECT_EQ(letters.kind, descriptor_kind::datagram);
  EXPECT_EQ(mode_of(folder.path("d")), 0600U);
  EXPECT_EQ(net->local(letters).value(), path_of(folder, "d"));
  close(letters);
}

TEST_P(driver_sockets, clause_28_only_a_stale_socket_gives_way_and_a_refusal_leaves_all_as_it_was) {
  const own_folder folder;
  std::ofstream(folder.path("file")) << "precious";
  // Left behind, as by a server that was killed.
  socket_block& killed = open_local();
  EXPECT_TRUE(net->claim(killed, path_of(folder, "stale"), {.backlog = 1}));
  static_cast<void>(net->release(killed));
  socket_block& lively = open_local();
  EXPECT_TRUE(net->claim(lively, path_of(folder, "live"), {.backlog = 1}));

  socket_block& late = open_local();
  const auto claim = [&](const char* name, bool replaces) {
    const auto how = net->claim(late, path_of(folder, name), {.replace_stale = replaces, .backlog = 1});
    return how ? std::error_code() : how.error().code();
  };
  EXPECT_EQ(claim("live", true), std::errc::address_in_use);
  EXPECT_EQ(claim("file", true), std::errc::address_in_use);
  EXPECT_EQ(claim("stale", false), std::errc::address_in_use);
  EXPECT_FALSE(net->owns_path(late));
  EXPECT_TRUE(net->owns_path(lively));
  for (const char* name : {"file", "stale", "live"}) EXPECT_TRUE(folder.has(name)) << name;
  // And it can still have another.
  EXPECT_EQ(claim("stale", true), std::error_code());
  EXPECT_TRUE(net->owns_path(late));
  close(late);
  close(lively);
  EXPECT_TRUE(folder.has("file"));
  EXPECT_FALSE(folder.has("stale") || folder.has("live"));
}

TEST_P(driver_sockets, clause_28_names_outside_the_file_system_are_claimed_without_a_path) {
  for (const endpoint& name : {endpoint::local_unnamed(),
                               endpoint::local_abstract("soquete-" + std::to_string(::getpid())).value()}) {
    socket_block& door = open_local();
    EXPECT_TRUE(net->claim(door, name, {.backlog = 1}));
    EXPECT_TRUE(net->local(door).value().is_abstract());
    EXPECT_FALSE(net->owns_path(door));
    net->own_path(door);
    EXPECT_FALSE(net->owns_path(door));
    connect_to(door);
    close(accepted(door));
    close(door);
  }
}

TEST_P(driver_sockets, clause_29_a_path_goes_with_its_socket_and_no_other_does) {
  const own_folder folder;
  const std::string path = folder.path("s");
  socket_block& first = open_local();
  EXPECT_TRUE(net->claim(first, path_of(folder, "s"), {.backlog = 1}));
  EXPECT_TRUE(net->owns_path(first));
  ASSERT_EQ(::unlink(path.c_str()), 0);
  EXPECT_FALSE(net->owns_path(first));
  socket_block& second = open_local();
  EXPECT_TRUE(net->claim(second, path_of(folder, "s"), {.backlog = 1}));
  EXPECT_FALSE(net->owns_path(first)) << "another is there";
  close(first);
  settle();
  EXPECT_TRUE(folder.has("s"));
  // A file in its place is nobody's to remove either.
  ASSERT_EQ(::unlink(path.c_str()), 0);
  std::ofstream(path) << "precious";
  close(second);
  settle();
  EXPECT_TRUE(folder.has("s"));
}

TEST_P(driver_sockets, clause_29_released_a_path_stays_until_its_next_owner_takes_it_as_his) {
  const own_folder folder;
  socket_block* door = &open_local();
  EXPECT_TRUE(net->claim(*door, path_of(folder, "s"), {.backlog = 1}));
  door = net->adopt(net->release(*door)).value();
  EXPECT_TRUE(folder.has("s"));
  EXPECT_FALSE(net->owns_path(*door));
  owned_descriptor copy(::dup(door->descriptor));
  close(*door);
  settle();
  EXPECT_TRUE(folder.has("s")) << "it was not his";
  door = net->adopt(std::move(copy)).value();
  net->own_path(*door);
  EXPECT_TRUE(net->owns_path(*door));
  close(*door);
  settle();
  EXPECT_FALSE(folder.has("s"));
}

TEST_P(driver_sockets, clause_30_names_and_credentials_are_told_and_a_socket_that_has_none_says_so) {
  const own_folder folder;
  socket_block& door = open_local();
  EXPECT_TRUE(net->claim(door, path_of(folder, "s"), {.backlog = 4}));
  const int client = connect_to(door);
  socket_block& server = accepted(door);
  EXPECT_EQ(net->local(server).value(), path_of(folder, "s"));
  EXPECT_EQ(net->peer(server).value(), endpoint::local_unnamed());
  const credentials us{::getpid(), ::geteuid(), ::getegid()};
  EXPECT_EQ(net->peer_credentials(server).value(), us);
  ::shutdown(client, SHUT_RDWR);
  EXPECT_EQ(net->peer_credentials(server).value(), us) << "as it was when it connected";
  EXPECT_EQ(net->peer(door).error(), std::errc::not_connected);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  socket_block& pipe = *net->adopt(owned_descriptor(ends[0])).value();
  peers.push_back(ends[1]);
  EXPECT_EQ(net->local(pipe).error(), std::errc::not_a_socket);
  EXPECT_FALSE(net->peer_credentials(pipe));
  for (socket_block* b : {&server, &door, &pipe}) close(*b);
}

TEST_P(driver_sockets, clause_31_a_copy_is_a_second_owner_and_a_pipe_goes_one_way) {
  const socket_pair ends = net->pipe().value();
  socket_block& writing = *ends.second;
  EXPECT_EQ(ends.first->kind, descriptor_kind::other);
  socket_block& second = *net->adopt(net->copy_of(writing.descriptor).value()).value();
  EXPECT_GT(second.descriptor, 2);
  EXPECT_NE(second.descriptor, writing.descriptor);
  close(writing);
  settle();
  EXPECT_EQ(send_text(second, "x"), 1);
  EXPECT_EQ(receive(*ends.first, opcode::receive), "x");
  EXPECT_EQ(send_text(*ends.first, "x"), -EBADF);
  EXPECT_EQ(receive(second, opcode::receive), "(-9)");
  close(second);
  settle();
  EXPECT_EQ(receive(*ends.first, opcode::receive), "(end)");
  close(*ends.first);
  EXPECT_EQ(net->copy_of(1'000'000).error(), std::errc::bad_file_descriptor);
  EXPECT_EQ(net->us(), (credentials{::getpid(), ::geteuid(), ::getegid()}));
}

INSTANTIATE_TEST_SUITE_P(on, driver_sockets, testing::ValuesIn(kernel_drivers),
                         [](const auto& one) { return std::string(one.param); });

}  // namespace
}  // namespace soquete::test
