// The outer ends of what the command joins: one for each kind of address, all used alike.
#pragma once

#include <memory>
#include <optional>

#include "local_name.hpp"
#include "local_wire.hpp"
#include "udp_wire.hpp"

namespace soquete::test {

/// Somebody whom the command talks to, and whom a test plays.
class outer_end {
 public:
  virtual ~outer_end() = default;

  /// How the command is told of it.
  virtual std::string address() const = 0;
  /// Of a descriptor: what is passed.
  virtual int passed() const { return -1; }
  /// Meets the command, which has been started.
  virtual void meet(process&) {}

  virtual bool send(std::string_view text) = 0;
  /// So many bytes of a stream, or the next message; nothing at the deadline.
  virtual std::optional<std::string> receive(std::size_t size) = 0;
  virtual void finish() {}
  /// Does the end come?
  virtual bool sees_end() { return false; }
  /// Goes away.
  virtual void leave() = 0;

  virtual bool has_end() const { return true; }
  virtual bool keeps_bounds() const { return false; }
  virtual bool takes_empty() const { return true; }
  /// May it send before it has heard from the command?
  virtual bool speaks_first() const { return true; }
};

/// A stream of sockets, however it has come about.
class stream_end : public outer_end {
 public:
  bool send(std::string_view text) override { return to_.send(text); }
  std::optional<std::string> receive(std::size_t size) override {
    std::string all = to_.receive(size);
    return errno == 0 ? std::optional(std::move(all)) : std::nullopt;
  }
  void finish() override { to_.finish(); }
  bool sees_end() override { return to_.receive().empty() && errno == 0; }
  void leave() override { to_.close(); }

 protected:
  wire to_;
};

/// Messages of local sockets.
class message_end : public outer_end {
 public:
  bool send(std::string_view text) override { return to_.send(text); }
  std::optional<std::string> receive(std::size_t) override { return to_.receive(); }
  void finish() override { to_.finish(); }
  bool sees_end() override { return to_.receive() == ""; }
  void leave() override { to_.close(); }
  bool keeps_bounds() const override { return true; }

 protected:
  local_wire to_;
};

// Servers, which the command connects to --------------------------------------------------------------------

class tcp_server : public stream_end {
 public:
  std::string address() const override { return at_port(door_.port()); }
  void meet(process&) override { to_ = door_.accept(); }

 private:
  wire door_ = wire::listening();
};

class local_server : public stream_end {
 public:
  std::string address() const override { return "unix://" + folder_.path("s"); }
  void meet(process&) override { to_ = wire(::dup(door_.accept().number())); }

 private:
  own_folder folder_;
  local_wire door_ = local_wire::listening(folder_.path("s"));
};

class seqpacket_server : public message_end {
 public:
  std::string address() const override { return "unix://" + folder_.path("s") + ",seqpacket"; }
  void meet(process&) override { to_ = door_.accept(); }
  bool takes_empty() const override { return false; }

 private:
  own_folder folder_;
  local_wire door_ = local_wire::listening(folder_.path("s"), SOCK_SEQPACKET);
};

class udp_server : public outer_end {
 public:
  std::string address() const override { return door_.address() + ",wait=50ms"; }
  bool send(std::string_view text) override { return door_.send_to(peer_, text); }
  std::optional<std::string> receive(std::size_t) override { return door_.receive(&peer_); }
  void leave() override {}
  bool has_end() const override { return false; }
  bool keeps_bounds() const override { return true; }
  bool speaks_first() const override { return false; }

 private:
  udp_wire door_;
  sockaddr_in peer_{};
};

class dgram_server : public outer_end {
 public:
  std::string address() const override { return "unix://" + folder_.path("s") + ",dgram,wait=50ms"; }
  bool send(std::string_view text) override { return door_.send_to(peer_, text); }
  std::optional<std::string> receive(std::size_t) override { return door_.receive(&peer_); }
  void leave() override { door_.close(); }
  bool has_end() const override { return false; }
  bool keeps_bounds() const override { return true; }
  bool speaks_first() const override { return false; }

 private:
  own_folder folder_;
  local_wire door_ = local_wire::bound(folder_.path("s"));
  std::string peer_;
};

// Clients, whom the command listens for ---------------------------------------------------------------------

class tcp_client : public stream_end {
 public:
  std::string address() const override { return "tcp://127.0.0.1:0"; }
  void meet(process& of) override { to_ = wire::connected(of.port()); }
  void reset() { to_.reset(); }
};

class local_client : public stream_end {
 public:
  std::string address() const override { return "unix://" + folder_.path("s"); }
  void meet(process& of) override {
    if (!of.ready().empty()) to_ = wire(::dup(local_wire::connected(folder_.path("s")).number()));
  }

 private:
  own_folder folder_;
};

class seqpacket_client : public message_end {
 public:
  std::string address() const override { return "unix://" + folder_.path("s") + ",seqpacket"; }
  void meet(process& of) override {
    if (!of.ready().empty()) to_ = local_wire::connected(folder_.path("s"), SOCK_SEQPACKET);
  }
  bool takes_empty() const override { return false; }

 private:
  own_folder folder_;
};

class udp_client : public outer_end {
 public:
  std::string address() const override { return "udp://127.0.0.1:0,wait=50ms"; }
  void meet(process& of) override { to_.emplace(of.port()); }
  bool send(std::string_view text) override { return to_->send(text); }
  std::optional<std::string> receive(std::size_t) override { return to_->receive(); }
  void leave() override { to_.reset(); }
  bool has_end() const override { return false; }
  bool keeps_bounds() const override { return true; }

 private:
  std::optional<udp_wire> to_;
};

class dgram_client : public message_end {
 public:
  std::string address() const override { return "unix://" + folder_.path("s") + ",dgram,wait=50ms"; }
  void meet(process& of) override {
    if (of.ready().empty()) return;
    to_ = local_wire::bound(folder_.path("c"));
    to_.connect(folder_.path("s"));
  }
  bool has_end() const override { return false; }

 private:
  own_folder folder_;
};

// What the command is started with --------------------------------------------------------------------------

/// A stream that it has as descriptor 3 or, as the second of two, 4.
class descriptor_end : public stream_end {
 public:
  explicit descriptor_end(int number) : number_(number) {
    auto ends = local_wire::pair(SOCK_STREAM);
    to_ = wire(::dup(ends[0].number()));
    theirs_ = std::move(ends[1]);
  }
  std::string address() const override { return "fd:" + std::to_string(number_); }
  int passed() const override { return theirs_.number(); }
  void meet(process&) override { theirs_.close(); }

 private:
  int number_;
  local_wire theirs_;
};

/// Its standard input and output.
class standard_end : public outer_end {
 public:
  std::string address() const override { return "-"; }
  void meet(process& of) override { of_ = &of; }
  bool send(std::string_view text) override { return of_->write(text), true; }
  std::optional<std::string> receive(std::size_t size) override {
    if (!of_->until([&] { return of_->output.size() >= seen_ + size; })) return std::nullopt;
    seen_ += size;
    return of_->output.substr(seen_ - size, size);
  }
  void finish() override { of_->finish_input(); }
  // It has gone on to read, and so has seen all that came.
  bool sees_end() override { return of_->until_end_of_output() && of_->output.size() == seen_; }
  void leave() override { of_->finish_input(); }

 private:
  process* of_ = nullptr;
  std::size_t seen_ = 0;
};

}  // namespace soquete::test
