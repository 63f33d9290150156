// One side of a conversation.
#include "peer.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <soquete/pipe.hpp>

namespace command {

using namespace soquete;

peer::peer(descriptor source, descriptor target, scheme what)
    : source_(std::move(source)),
      target_(std::move(target)),
      what_(what),
      has_source_(source_.is_open()),
      has_target_(target_.is_open()) {}

result<void> peer::finish() {
  if (messages_) return {};
  if (stream_.is_open()) return stream_.finish();
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
  return stream_.is_open() ? stream_.peer() : endpoint();
}

endpoint peer::local() const {
  if (messages_) return messages_->local();
  if (!stream_.is_open()) return {};
  const auto at = stream_.local();
  return at ? *at : endpoint();
}

namespace {

error last_error(step during) { return {std::error_code(errno, std::generic_category()), during}; }

// A second number for the same thing, away from those of the standard streams.
result<descriptor> copy_of(loop& here, int number) {
  constexpr int first_free = 3;
  const int copy = ::fcntl(number, F_DUPFD_CLOEXEC, first_free);
  if (copy < 0) return fail(last_error(step::adopt));
  return descriptor::adopt(here, copy);
}

}  // namespace

result<peer> standard_streams(loop& here) {
  auto source = standard_input(here);
  if (!source) return fail(std::move(source.error()));
  auto target = standard_output(here);
  if (!target) return fail(std::move(target.error()));
  if (const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC); nothing >= 0) {
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(nothing, STDOUT_FILENO);
    ::close(nothing);
  }
  return peer(std::move(*source), std::move(*target), scheme::stdio);
}

result<peer> inherited(loop& here, int number) {
  const int mode = ::fcntl(number, F_GETFL);
  if (mode < 0) return fail(last_error(step::adopt).set_subject("fd:" + std::to_string(number)));
  if (auto stream = tcp::stream::adopt(here, ::fcntl(number, F_DUPFD_CLOEXEC, 3))) {
    ::close(number);
    return peer(std::move(*stream));
  }
  descriptor source;
  descriptor target;
  if ((mode & O_ACCMODE) != O_WRONLY) {
    auto got = copy_of(here, number);
    if (!got) return fail(std::move(got.error()));
    source = std::move(*got);
  }
  if ((mode & O_ACCMODE) != O_RDONLY) {
    auto got = copy_of(here, number);
    if (!got) return fail(std::move(got.error()));
    target = std::move(*got);
  }
  ::close(number);
  return peer(std::move(source), std::move(target), scheme::descriptor);
}

}  // namespace command
