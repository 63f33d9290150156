// One side of a conversation.
#include "peer.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <soquete/pipe.hpp>
#include <soquete/udp.hpp>

namespace command {

using namespace soquete;

peer::peer(descriptor source, descriptor target, scheme what)
    : source_(std::move(source)),
      target_(std::move(target)),
      what_(what),
      has_source_(source_.is_open()),
      has_target_(target_.is_open()) {}

result<void> peer::finish() {
  if (messages_) return messages_->finish();
  if (stream_.is_open()) return stream_.finish();
  if (local_.is_open()) return local_.finish();
  if (target().is_open()) return target().finish();
  return {};
}

void peer::abort() noexcept {
  if (stream_.is_open())
    stream_.abort();
  else
    close();
}

void peer::close() noexcept {
  stream_.close();
  local_.close();
  if (messages_) messages_->close();
  source().close();
  target().close();
}

task<void> peer::stop_program() {
  using namespace std::chrono_literals;
  close();
  static_cast<void>(co_await program_->terminate(1s));
}

endpoint peer::remote() const {
  if (messages_) return messages_->remote();
  return stream_.is_open() ? stream_.peer() : local_.is_open() ? local_.peer() : endpoint();
}

endpoint peer::local() const {
  if (messages_) return messages_->local();
  result<endpoint> at = endpoint();
  if (stream_.is_open()) at = stream_.local();
  if (local_.is_open()) at = local_.local();
  return at ? *at : endpoint();
}

std::optional<credentials> peer::process() const {
  if (messages_) return messages_->process();
  if (local_.is_open()) return local_.peer_credentials();
  return std::nullopt;
}

namespace {

error last_error(step during) { return {std::error_code(errno, std::generic_category()), during}; }

constexpr int first_free = 3;  // After the standard streams.

// Nothing else should get this number: it could be written to by accident.
void leave_nothing_at(std::initializer_list<int> numbers) {
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nothing < 0) return;
  for (const int number : numbers) ::dup2(nothing, number);
  ::close(nothing);
}

// A second number for the same thing, away from those of the standard streams.
result<owned_descriptor> copy_of(int number) {
  const int copy = ::fcntl(number, F_DUPFD_CLOEXEC, first_free);
  if (copy < 0) return fail(last_error(step::adopt));
  return owned_descriptor(copy);
}

// One direction of what is no socket; it may have none.
result<descriptor> half_of(loop& here, int number, bool has_it) {
  if (!has_it) return descriptor();
  auto copy = copy_of(number);
  if (!copy) return fail(std::move(copy.error()));
  return descriptor::adopt(here, std::move(*copy));
}

template <class Made>
result<peer> as_peer(result<Made> got) {
  if (!got) return fail(std::move(got.error()));
  if constexpr (std::is_constructible_v<records, Made>)
    return peer(records(std::move(*got)));
  else
    return peer(std::move(*got));
}

result<peer> socket_as_peer(loop& here, const socket_kind& kind, owned_descriptor taken) {
  const bool is_local = kind.over == network::local;
  switch (kind.what) {
    case carrier::records: return as_peer(local::seqpacket::adopt(here, std::move(taken)));
    case carrier::bytes:
      return is_local ? as_peer(local::stream::adopt(here, std::move(taken)))
                      : as_peer(tcp::stream::adopt(here, std::move(taken)));
    default:
      return is_local ? as_peer(local::datagram::adopt(here, std::move(taken)))
                      : as_peer(udp::socket::adopt(here, std::move(taken)));
  }
}

result<peer> open_as_peer(loop& here, int number) {
  const int mode = ::fcntl(number, F_GETFL);
  if (mode < 0) return fail(last_error(step::adopt));
  if (const socket_kind kind = kind_of(number); kind.is_socket()) {
    auto copy = copy_of(number);
    if (!copy) return fail(std::move(copy.error()));
    return socket_as_peer(here, kind, std::move(*copy));
  }
  auto source = half_of(here, number, (mode & O_ACCMODE) != O_WRONLY);
  if (!source) return fail(std::move(source.error()));
  auto target = half_of(here, number, (mode & O_ACCMODE) != O_RDONLY);
  if (!target) return fail(std::move(target.error()));
  return peer(std::move(*source), std::move(*target), scheme::descriptor);
}

}  // namespace

result<peer> standard_streams(loop& here) {
  auto source = standard_input(here);
  if (!source) return fail(std::move(source.error()));
  auto target = standard_output(here);
  if (!target) return fail(std::move(target.error()));
  leave_nothing_at({STDIN_FILENO, STDOUT_FILENO});
  return peer(std::move(*source), std::move(*target), scheme::stdio);
}

result<peer> inherited(loop& here, int number) {
  auto made = open_as_peer(here, number);
  if (!made) {
    made.error().set_subject("fd:" + std::to_string(number));
  } else if (number < first_free) {
    leave_nothing_at({number});
  } else {
    ::close(number);
  }
  return made;
}

}  // namespace command
