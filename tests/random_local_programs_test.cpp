// Are simulated local sockets like the real ones? Random programs of streams, records and datagrams. unix(7),
// docs/simulation.md
#include <unistd.h>
#include <soquete/local.hpp>
#include <soquete/local_datagram.hpp>
#include <soquete/local_seqpacket.hpp>
#include <utility>

#include "random_program.hpp"
#include "tcp_pair.hpp"

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

// More than a sender has room for.
constexpr std::uint32_t huge = 212'992;

// Nobody else's, and never the same again.
std::string new_name() {
  static std::uint64_t count = 0;
  return "unix:@soquete-random-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

// Something to send beside bytes.
task<result<std::vector<owned_descriptor>>> some_handles(std::size_t count) {
  std::vector<owned_descriptor> all;
  while (all.size() != count) all.push_back((co_await ok(local::open_datagram())).release());
  co_return all;
}

std::string told_of(const local::message& m) {
  std::string text = m.is_end ? "end" : test::told_of(m.payload.text());
  if (m.length != m.payload.size()) text += " of " + std::to_string(m.length);
  return text + " and " + std::to_string(m.handles.size()) + (m.handles_lost ? " handles lost" : " handles");
}

class local_program {
 public:
  local_program(const std::vector<act>& program, pace how) : program_(program), how_(how) {}

  const std::vector<std::string>& told() const { return told_; }

  // On io_uring a stream stays at its end; the others ask the kernel again, which may tell of a reset then.
  // So what a side receives after its first end or error is just over.
  std::vector<std::string> told_coarsely() const {
    std::vector<std::string> all = told_;
    bool is_over[2] = {false, false};
    for (std::size_t i = 0; i != all.size(); ++i) {
      const deed what = program_[i].what;
      const bool is_of_sending = what < deed::receive || what > deed::wait;
      if (is_of_sending || all[i].empty()) continue;
      bool& over = is_over[program_[i].by_server ? 1 : 0];
      const bool goes_on =
          all[i].ends_with(' ') || (all[i].ends_with("handles") && !all[i].starts_with("end"));
      if (over) all[i] = "over";
      over |= what != deed::wait && !goes_on;
    }
    return all;
  }

 protected:
  template <class Play>
  task<result<void>> each_act(Play play) {
    for (const act& one : program_) {
      std::string& out = told_.emplace_back();
      co_await ok(play(one, out));
      if (how_.settle != 0s) co_await ok(sleep(how_.settle));
    }
    co_return {};
  }

  const std::vector<act>& program_;
  pace how_;
  std::vector<std::string> told_;
};

// One end of a connection.
template <class Socket>
struct local_side {
  Socket socket;
  std::size_t sent = 0;  // Bytes, or records.
  std::size_t received = 0;
  bool has_ended = false;  // By finish() or close.
};

class local_stream_program : public local_program {
 public:
  using local_program::local_program;
  static std::vector<act> of(std::uint64_t seed) {
    static constexpr std::array deeds{
        deed::send,         deed::send,    deed::send_parts,   deed::send_beside,
        deed::receive,      deed::receive, deed::receive_into, deed::receive_message,
        deed::receive_into, deed::finish,  deed::close};
    return program_of(seed, deeds);
  }

  task<result<void>> run() {
    if (program_.size() % 2 == 0) {
      auto two = co_await ok(local::pair());
      sides_[0].socket = std::move(two.first);
      sides_[1].socket = std::move(two.second);
    } else {
      const std::string name = new_name();
      auto door = co_await ok(local::listen(name));
      sides_[0].socket = co_await ok(local::connect(name));
      sides_[1].socket = co_await ok(door.accept());
    }
    co_return co_await each_act([this](const act& one, std::string& out) -> task<result<void>> {
      side& mine = sides_[one.by_server ? 1 : 0];
      if (mine.socket.is_open()) co_await ok(act_once(one, mine, sides_[one.by_server ? 0 : 1], out));
      co_return {};
    });
  }

 private:
  using side = local_side<local::stream>;

  task<result<void>> act_once(const act& one, side& mine, side& other, std::string& out) {
    const std::string text = pattern(one.size, one.size);
    switch (one.what) {
      case deed::send: co_return note_sent(one, mine, co_await mine.socket.send(text), out);
      case deed::send_parts: {
        const bytes whole = as_bytes(text);
        const std::array parts{whole.first(one.size / 2), whole.subspan(one.size / 2)};
        co_return note_sent(one, mine, co_await mine.socket.send(parts), out);
      }
      case deed::send_beside: {
        const auto handles = co_await ok(some_handles(one.size % 4));
        co_return note_sent(one, mine, co_await mine.socket.send(text, handles), out);
      }
      case deed::receive:
      case deed::receive_into:
      case deed::receive_message: {
        const std::size_t due = other.sent - mine.received;
        // It would wait for ever.
        if (due == 0 && !other.has_ended) break;
        if (one.what == deed::receive_message)
          out = co_await receive_message(mine);
        else
          out = co_await receive(mine, one, due);
        break;
      }
      case deed::wait: {
        const auto got = co_await within(how_.glance, mine.socket.readable());
        out = outcome_of(got);
        break;
      }
      case deed::finish:
        out = outcome_of(mine.socket.finish());
        mine.has_ended = true;
        break;
      case deed::close:
        mine.socket.close();
        mine.has_ended = true;
        break;
      default: break;
    }
    co_return {};
  }

  static result<void> note_sent(const act& one, side& mine, const result<void>& done, std::string& out) {
    if (done) mine.sent += one.size;
    out = outcome_of(done);
    return {};
  }

  task<std::string> receive_message(side& mine) {
    const auto got = co_await within(how_.patience, mine.socket.receive_message());
    if (got) mine.received += got->payload.size();
    co_return got ? told_of(*got) : outcome_of(got);
  }

  // All that is due, or what comes instead.
  task<std::string> receive(side& mine, const act& one, std::size_t due) {
    std::string got;
    for (;;) {
      std::string end;
      if (one.what == deed::receive) {
        const auto piece = co_await within(how_.patience, mine.socket.receive());
        if (piece && !piece->empty())
          got += piece->text();
        else
          end = piece ? "end" : outcome_of(piece);
      } else {
        std::vector<std::byte> room(one.size);
        const auto size = co_await within(how_.patience, mine.socket.receive(mutable_bytes(room)));
        if (size && *size != 0)
          got += as_text(std::span(room).first(*size));
        else
          end = size ? "end" : outcome_of(size);
      }
      if (end.empty() && got.size() < due) continue;
      mine.received += got.size();
      co_return test::told_of(got) + " " + end;
    }
  }

  std::array<side, 2> sides_;
};

class record_program : public local_program {
 public:
  using local_program::local_program;
  static std::vector<act> of(std::uint64_t seed) {
    static constexpr std::array deeds{deed::send,    deed::send,    deed::send,    deed::send_beside,
                                      deed::receive, deed::receive, deed::receive, deed::receive,
                                      deed::finish,  deed::close};
    return program_of(seed, deeds, huge);
  }

  task<result<void>> run() {
    if (program_.size() % 2 == 0) {
      auto two = co_await ok(local::seqpacket_pair());
      sides_[0].socket = std::move(two.first);
      sides_[1].socket = std::move(two.second);
    } else {
      const std::string name = new_name();
      auto door = co_await ok(local::listen_seqpacket(name));
      sides_[0].socket = co_await ok(local::connect_seqpacket(name));
      sides_[1].socket = co_await ok(door.accept());
    }
    co_return co_await each_act([this](const act& one, std::string& out) -> task<result<void>> {
      side& mine = sides_[one.by_server ? 1 : 0];
      if (mine.socket.is_open()) co_await ok(act_once(one, mine, sides_[one.by_server ? 0 : 1], out));
      co_return {};
    });
  }

 private:
  using side = local_side<local::seqpacket>;

  task<result<void>> act_once(const act& one, side& mine, side& other, std::string& out) {
    switch (one.what) {
      case deed::send:
      case deed::send_beside: {
        const std::string text = pattern(one.size, one.size);
        const auto handles = co_await ok(some_handles(one.what == deed::send ? 0 : one.size % 4));
        // There may be no room.
        const auto done = co_await within(how_.glance, mine.socket.send(text, handles));
        if (done) ++mine.sent;
        out = outcome_of(done);
        break;
      }
      case deed::receive: {
        if (other.sent == mine.received && !other.has_ended) break;
        const auto got = co_await within(how_.patience, mine.socket.receive());
        if (got && !got->is_end) ++mine.received;
        out = got ? told_of(*got) : outcome_of(got);
        break;
      }
      case deed::wait: {
        const auto got = co_await within(how_.glance, mine.socket.readable());
        out = outcome_of(got);
        break;
      }
      case deed::finish:
        out = outcome_of(mine.socket.finish());
        mine.has_ended = true;
        break;
      case deed::close:
        mine.socket.close();
        mine.has_ended = true;
        break;
      default: break;
    }
    co_return {};
  }

  std::array<side, 2> sides_;
};

// Two sockets with names, and one that comes and goes: the client connects to the server and away from it,
// the server answers whom it last heard.
class local_datagram_program : public local_program {
 public:
  using local_program::local_program;
  static std::vector<act> of(std::uint64_t seed) {
    static constexpr std::array deeds{deed::send,    deed::send,    deed::send,    deed::send_beside,
                                      deed::send_to, deed::send_to, deed::receive, deed::receive,
                                      deed::receive, deed::receive, deed::connect, deed::close};
    return program_of(seed, deeds, huge);
  }

  task<result<void>> run() {
    for (side& one : sides_) {
      one.socket = co_await ok(local::bind(endpoint::local_unnamed()));
      one.name = co_await ok(one.socket.local());
    }
    co_return co_await each_act([this](const act& one, std::string& out) -> task<result<void>> {
      side& mine = sides_[one.by_server ? 1 : 0];
      if (mine.socket.is_open()) co_await ok(act_once(one, mine, sides_[one.by_server ? 0 : 1], out));
      co_return {};
    });
  }

 private:
  struct side {
    local::datagram socket;
    endpoint name;
    std::size_t due = 0;  // Has been sent to it, and not received.
  };

  task<result<void>> act_once(const act& one, side& mine, side& other, std::string& out) {
    const std::string text = pattern(one.size == 1 ? 0 : one.size, one.size);
    switch (one.what) {
      case deed::send:
      case deed::send_beside:
      case deed::send_to: {
        const auto handles = co_await ok(some_handles(one.what == deed::send_beside ? one.size % 4 : 0));
        // There may be no room.
        if (one.what == deed::send_to)
          note_sent(co_await mine.socket.send_to(other.name, text, handles), other, out);
        else
          note_sent(co_await within(how_.glance, mine.socket.send(text, handles)), other, out);
        break;
      }
      case deed::receive: {
        if (mine.due == 0) break;
        const auto got = co_await within(how_.patience, mine.socket.receive());
        if (got) --mine.due;
        out = got ? told_of(*got) + (got->from == other.name ? "" : " of whom?") : outcome_of(got);
        break;
      }
      case deed::wait: {
        const auto got = co_await within(how_.glance, mine.socket.readable());
        out = outcome_of(got);
        break;
      }
      case deed::connect: out = outcome_of(mine.socket.connect(other.name)); break;
      case deed::close: mine.socket.close(); break;
      default: break;
    }
    co_return {};
  }

  static void note_sent(const result<void>& done, side& other, std::string& out) {
    if (done) ++other.due;
    out = outcome_of(done);
  }

  std::array<side, 2> sides_;
};

class random_local_programs : public random_programs {};
ON_EACH_DRIVER(random_local_programs);

TEST_P(random_local_programs, streams_are_told_the_same_by_the_kernel_and_the_simulation) {
  agree<local_stream_program>(2'000'000, count(500));
}

TEST_P(random_local_programs, records_are_told_the_same_by_the_kernel_and_the_simulation) {
  agree<record_program>(3'000'000, count(500));
}

TEST_P(random_local_programs, datagrams_are_told_the_same_by_the_kernel_and_the_simulation) {
  agree<local_datagram_program>(4'000'000, count(500));
}

}  // namespace
}  // namespace soquete::test
