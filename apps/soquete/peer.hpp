// One side of a conversation: a connection, a peer of datagrams, our own standard streams, a program.
#pragma once

#include <memory>
#include <optional>
#include <soquete/child.hpp>
#include <soquete/local.hpp>
#include <soquete/tcp.hpp>
#include <string>

#include "address.hpp"
#include "records.hpp"

namespace command {

/// Bytes in and bytes out, whatever carries them; or messages, if it keeps their bounds.
///
/// What streams are made of receives and sends by the same operations, so nothing is virtual, and nothing is
/// allocated for a piece of data.
class peer {
 public:
  peer() = default;
  explicit peer(soquete::tcp::stream connection) : stream_(std::move(connection)) {}
  explicit peer(soquete::local::stream connection) : local_(std::move(connection)) {}
  explicit peer(soquete::local::seqpacket connection) : peer(records(std::move(connection))) {}
  explicit peer(soquete::child program)
      : program_(std::make_unique<soquete::child>(std::move(program))),
        has_source_(true),
        has_target_(true) {}
  explicit peer(records messages) : messages_(std::make_unique<records>(std::move(messages))) {}
  /// Either may be closed: then it gives or takes nothing.
  peer(soquete::descriptor source, soquete::descriptor target, scheme what);

  /// Of a stream.
  auto receive() noexcept {
    return stream_.is_open() ? stream_.receive() : local_.is_open() ? local_.receive() : source().receive();
  }
  auto send(soquete::bytes data) noexcept {
    return stream_.is_open()  ? stream_.send(data)
           : local_.is_open() ? local_.send(data)
                              : target().send(data);
  }
  /// Tells the other end that nothing more comes.
  soquete::result<void> finish();
  /// Ends a TCP connection with a reset; other things are closed.
  void abort() noexcept;
  void close() noexcept;

  /// May it be received from, sent to?
  bool gives() const noexcept { return is_stream_connection() || messages_ || has_source_; }
  bool takes() const noexcept { return is_stream_connection() || messages_ || has_target_; }
  /// Does it send and receive messages, by messages() and not by receive() and send()?
  bool keeps_bounds() const noexcept { return messages_ != nullptr; }
  records& messages() noexcept { return *messages_; }
  /// Can it tell, and be told, that nothing more comes?
  bool has_end() const noexcept { return !messages_ || messages_->is_connection(); }

  /// Their end and ours; nothing where it has none.
  soquete::endpoint remote() const;
  soquete::endpoint local() const;
  /// Who is there, where that is another process of this machine.
  std::optional<soquete::credentials> process() const;
  /// Of bytes, or of records.
  bool is_connection() const noexcept {
    return is_stream_connection() || (messages_ && messages_->is_connection());
  }
  bool is_standard() const noexcept { return what_ == scheme::stdio; }
  /// Asks a program to end with SIGTERM, then after a second makes it; deaf to cancellation.
  soquete::task<void> stop_program();
  /// Null unless it is a program.
  soquete::child* program() noexcept { return program_.get(); }

  /// A send has failed: the connection is gone, though there may be bytes left to receive.
  std::optional<soquete::error> broken;

 private:
  bool is_stream_connection() const noexcept { return stream_.is_open() || local_.is_open(); }
  soquete::descriptor& source() noexcept { return program_ ? program_->output() : source_; }
  soquete::descriptor& target() noexcept { return program_ ? program_->input() : target_; }

  soquete::tcp::stream stream_;
  soquete::local::stream local_;
  std::unique_ptr<records> messages_;
  soquete::descriptor source_;
  soquete::descriptor target_;
  std::unique_ptr<soquete::child> program_;
  scheme what_ = scheme::tcp;
  bool has_source_ = false;
  bool has_target_ = false;
};

/// Our standard input and output. Numbers 0 and 1 then lead to /dev/null: when output ends, it ends for
/// whoever reads it, and nothing else can write there.
soquete::result<peer> standard_streams(soquete::loop& here);

/// A descriptor that we were started with, whatever it is.
soquete::result<peer> inherited(soquete::loop& here, int number);

}  // namespace command
