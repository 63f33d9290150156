// Is the simulated network like the real one? Random programs of TCP and UDP.  docs/simulation.md
#include "random_program.hpp"
#include "tcp_pair.hpp"
#include "udp_pair.hpp"

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

constexpr std::array deeds{deed::send,    deed::send,         deed::send,    deed::send_parts,
                           deed::receive, deed::receive,      deed::receive, deed::receive_into,
                           deed::finish,  deed::receive_into, deed::close,   deed::abort};

// One end of a stream.
struct side {
  tcp::stream stream;
  std::size_t sent = 0;
  std::size_t received = 0;
  bool has_ended = false;  // By finish() or close.
};

class stream_program {
 public:
  static std::vector<act> of(std::uint64_t seed) { return program_of(seed, deeds); }
  stream_program(const std::vector<act>& program, pace how) : program_(program), how_(how) {}

  task<result<void>> run() {
    auto two = co_await ok(connect_pair());
    sides_[0].stream = std::move(two.client);
    sides_[1].stream = std::move(two.server);
    for (const act& one : program_) {
      side& mine = sides_[one.by_server ? 1 : 0];
      if (mine.stream.is_open()) co_await ok(act_once(one, mine, sides_[one.by_server ? 0 : 1]));
      if (how_.settle != 0s) co_await ok(sleep(how_.settle));
    }
    co_return {};
  }

  const std::vector<std::string>& told() const { return told_; }

  // io_uring has a receive in the kernel before anybody asks for it, which hears of a reset first; of what
  // fails after that the others say "reset" where it says "broken pipe" or "end". So from its first failure
  // on, a side is just over.
  std::vector<std::string> told_coarsely() const {
    std::vector<std::string> all = told_;
    bool is_over[2] = {false, false};
    for (std::size_t i = 0; i != all.size(); ++i) {
      for (const auto cause : {std::errc::connection_reset, std::errc::broken_pipe, std::errc::not_connected})
        if (all[i].find(std::make_error_code(cause).message()) != std::string::npos)
          is_over[told_by_[i]] = true;
      if (is_over[told_by_[i]]) all[i] = "over";
    }
    return all;
  }

 private:
  task<result<void>> act_once(const act& one, side& mine, side& other) {
    std::string& out = told_.emplace_back();
    told_by_.push_back(one.by_server);
    switch (one.what) {
      case deed::send: {
        const std::string text = pattern(one.size, one.size);
        const auto done = co_await mine.stream.send(text);
        if (done) mine.sent += one.size;
        out = outcome_of(done);
        break;
      }
      case deed::send_parts: {
        const std::string text = pattern(one.size, one.size);
        const bytes whole = as_bytes(text);
        const std::array parts{whole.first(one.size / 2), whole.subspan(one.size / 2)};
        const auto done = co_await mine.stream.send(parts);
        if (done) mine.sent += one.size;
        out = outcome_of(done);
        break;
      }
      case deed::receive:
      case deed::receive_into: {
        const std::size_t due = other.sent - mine.received;
        // It would wait for ever.
        if (due == 0 && !other.has_ended) break;
        out = co_await receive(mine, one, due);
        break;
      }
      case deed::wait: {
        const auto got = co_await within(how_.glance, mine.stream.readable());
        out = outcome_of(got);
        break;
      }
      case deed::finish:
        out = outcome_of(mine.stream.finish());
        mine.has_ended = true;
        break;
      case deed::close:
        mine.stream.close();
        mine.has_ended = true;
        break;
      case deed::abort:
        mine.stream.abort();
        mine.has_ended = true;
        break;
      default: break;
    }
    co_return {};
  }

  // All that is due, or what comes instead.
  task<std::string> receive(side& mine, const act& one, std::size_t due) {
    std::string got;
    for (;;) {
      std::string end;
      if (one.what == deed::receive) {
        auto piece = co_await within(how_.patience, mine.stream.receive());
        if (piece && !piece->empty())
          got += piece->text();
        else
          end = piece ? "end" : outcome_of(piece);
      } else {
        std::vector<std::byte> room(one.size);
        const auto size = co_await within(how_.patience, mine.stream.receive(mutable_bytes(room)));
        if (size && *size != 0)
          got += as_text(std::span(room).first(*size));
        else
          end = size ? "end" : outcome_of(size);
      }
      if (end.empty() && got.size() < due) continue;
      mine.received += got.size();
      co_return told_of(got) + " " + end;
    }
  }

  const std::vector<act>& program_;
  pace how_;
  std::array<side, 2> sides_;
  std::vector<std::string> told_;
  std::vector<std::uint8_t> told_by_;
};

// Datagrams: the client is connected to the server, which answers whom it last heard.
class datagram_program {
 public:
  static std::vector<act> of(std::uint64_t seed) { return program_of(seed, deeds); }
  datagram_program(const std::vector<act>& program, pace how) : program_(program), how_(how) {}

  task<result<void>> run() {
    auto two = co_await ok(open_udp_pair());
    for (const act& one : program_) {
      if (one.by_server)
        co_await ok(act_as_server(one, two.server));
      else
        co_await ok(act_as_client(one, two.client, two.server.is_open()));
      if (how_.settle != 0s) co_await ok(sleep(how_.settle));
    }
    co_return {};
  }

  const std::vector<std::string>& told() const { return told_; }
  const std::vector<std::string>& told_coarsely() const { return told_; }

 private:
  static bool is_receive(deed what) { return what == deed::receive || what == deed::receive_into; }

  task<result<void>> act_as_server(const act& one, udp::socket& server) {
    if (!server.is_open()) co_return {};
    std::string& out = told_.emplace_back();
    if (is_receive(one.what) && to_server_ != 0) {
      const auto got = co_await within(how_.patience, server.receive());
      if (got) --to_server_;
      if (got) last_ = got->from();
      out = outcome_of(got) + (got ? std::string(got->text()) : "");
    } else if (one.what == deed::send && !last_.is_empty()) {
      const auto done = co_await server.send_to(last_, pattern(one.size % 1400, one.size));
      if (done) ++to_client_;
      out = outcome_of(done);
    } else if (one.what == deed::close) {
      server.close();
    }
    co_return {};
  }

  task<result<void>> act_as_client(const act& one, udp::socket& client, bool is_heard) {
    std::string& out = told_.emplace_back();
    if (one.what == deed::send || one.what == deed::send_parts) {
      const auto done = co_await client.send(pattern(one.size % 1400, one.size));
      if (done && is_heard) ++to_server_;
      if (done && !is_heard) refusals_ = 1;
      if (!done) refusals_ = 0;
      out = outcome_of(done);
    } else if (is_receive(one.what) && to_client_ + refusals_ != 0) {
      const auto got = co_await within(how_.patience, client.receive());
      if (got)
        --to_client_;
      else
        refusals_ = 0;
      out = outcome_of(got) + (got ? std::string(got->text()) : "");
    }
    co_return {};
  }

  const std::vector<act>& program_;
  pace how_;
  endpoint last_;
  std::size_t to_server_ = 0, to_client_ = 0, refusals_ = 0;
  std::vector<std::string> told_;
};

ON_EACH_DRIVER(random_programs);

TEST_P(random_programs, streams_are_told_the_same_by_the_kernel_and_the_simulation) {
  agree<stream_program>(1, count(2'000));
}

TEST_P(random_programs, datagrams_are_told_the_same_by_the_kernel_and_the_simulation) {
  agree<datagram_program>(1'000'000, count(2'000));
}

}  // namespace
}  // namespace soquete::test
