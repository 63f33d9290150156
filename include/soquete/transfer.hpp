// What receive and send return: operations to await, on any stream with a descriptor.
#pragma once

#include <soquete/socket.hpp>

namespace soquete::detail {

/// Receives what there is, as a lease.
class receive_lease {
 public:
  using awaiter = receive_lease;
  explicit receive_lease(socket_block& on) noexcept : slot_(on.reader) {}
  bool begin(environment env, waiter* then) noexcept {
    slot_.code = opcode::receive_lease;
    return slot_.begin(env, then);
  }
  bool failed() const noexcept { return slot_.failed(); }
  result<lease> take() {
    if (failed()) return fail(error_of(slot_, step::receive));
    if (slot_.outcome == 0) return lease();
    return lease(static_cast<const std::byte*>(slot_.data), static_cast<std::uint32_t>(slot_.outcome),
                 slot_.home, slot_.id);
  }
  void describe(suspension_report& report) const { slot_.describe(report); }

 private:
  slot& slot_;
};

/// Receives into memory of the caller's.
class receive_into {
 public:
  using awaiter = receive_into;
  receive_into(socket_block& on, mutable_bytes into) noexcept : slot_(on.reader), into_(into) {}
  bool begin(environment env, waiter* then) noexcept;
  bool failed() const noexcept { return into_.empty() || slot_.failed(); }
  result<std::size_t> take() const;
  void describe(suspension_report& report) const { slot_.describe(report); }

 private:
  slot& slot_;
  mutable_bytes into_;
};

/// Sends: all, some, or the parts one after the other.
class send_operation {
 public:
  send_operation(socket_block& on, opcode how, const void* data, std::size_t size) noexcept
      : slot_(on.writer), data_(data), size_(size), how_(how) {}
  bool begin(environment env, waiter* then) noexcept;
  bool failed() const noexcept { return was_broken_ || (size_ != 0 && slot_.failed()); }
  void describe(suspension_report& report) const { slot_.describe(report); }

 protected:
  result<std::size_t> sent() const;

 private:
  slot& slot_;
  const void* data_;
  std::size_t size_;
  opcode how_;
  bool was_broken_ = false;
};

class send_all : public send_operation {
 public:
  using awaiter = send_all;
  using send_operation::send_operation;
  result<void> take() const {
    auto done = sent();
    if (!done) return fail(std::move(done.error()));
    return {};
  }
};

class send_part : public send_operation {
 public:
  using awaiter = send_part;
  using send_operation::send_operation;
  result<std::size_t> take() const { return sent(); }
};

/// Waits until a receive would not.
class wait_readable {
 public:
  using awaiter = wait_readable;
  explicit wait_readable(socket_block& on) noexcept : slot_(on.reader) {}
  bool begin(environment env, waiter* then) noexcept {
    slot_.code = opcode::readable;
    return slot_.begin(env, then);
  }
  bool failed() const noexcept { return slot_.failed(); }
  result<void> take() const {
    if (failed()) return fail(error_of(slot_, step::wait));
    return {};
  }
  void describe(suspension_report& report) const { slot_.describe(report); }

 private:
  slot& slot_;
};

}  // namespace soquete::detail
