// A client that has a bounded number of datagrams in flight and compares every byte of each answer.
#pragma once

#include <optional>

#include "datagram_socket.hpp"
#include "payload.hpp"

namespace load {

class asker {
 public:
  // `size`: bytes of a datagram, at least 8.
  asker(const place& server, std::uint32_t id, const payload& words, std::size_t size)
      : socket_(server), words_(words), size_(size), id_(id) {}

  int descriptor() const { return socket_.descriptor(); }
  std::size_t in_flight() const { return waiting_.size(); }

  void ask(std::uint64_t now) {
    waiting_.push_back({++sequence_, now});
    char datagram[64 * 1024];
    write_head(datagram, sequence_);
    std::memcpy(datagram + head_size, words_.message(id_, sequence_), size_ - head_size);
    socket_.send({datagram, size_});
  }

  // Receives once. An answer: when it was asked for. One that comes after it was given up counts, as it was
  // not lost, but says nothing about time: 0.
  std::optional<std::uint64_t> receive() {
    datagram_socket::run got = socket_.receive();
    if (!got.is_there) return std::nullopt;
    if (got.bytes.size() != size_) fail("an answer of another length came back");
    std::uint32_t head[2];
    std::memcpy(head, got.bytes.data(), head_size);
    if (head[0] != id_) fail("an answer to somebody else came back");
    if (std::memcmp(got.bytes.data() + head_size, words_.message(id_, head[1]), size_ - head_size) != 0)
      fail("wrong bytes came back");
    for (question& q : waiting_)
      if (q.sequence == head[1]) {
        std::uint64_t asked_at = q.at;
        q = waiting_.back();
        waiting_.pop_back();
        return asked_at;
      }
    if (std::erase(given_up_, head[1]) != 1) fail("an answer came twice");
    return 0;
  }

  // Nothing more is expected of what is in flight.
  void give_up() {
    for (const question& q : waiting_) given_up_.push_back(q.sequence);
    waiting_.clear();
  }

 private:
  static constexpr std::size_t head_size = 2 * sizeof(std::uint32_t);

  struct question {
    std::uint32_t sequence;
    std::uint64_t at;
  };

  void write_head(char* into, std::uint32_t sequence) const {
    std::uint32_t head[2] = {id_, sequence};
    std::memcpy(into, head, head_size);
  }

  datagram_socket socket_;
  const payload& words_;
  std::size_t size_;
  std::uint32_t id_, sequence_ = 0;
  std::vector<question> waiting_;
  std::vector<std::uint32_t> given_up_;
};

}  // namespace load
