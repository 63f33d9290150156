// From one socket to another: by leases, and within the kernel as long as bytes come in bulk.  splice(2)
#include <soquete/driver.hpp>
#include <soquete/stream.hpp>
#include <soquete/transfer.hpp>

namespace soquete::detail {
namespace {

// A splice costs more than a copy of few bytes and less than one of many.
constexpr std::size_t bulk_min = 32 * 1024;
constexpr std::size_t bulk_max = 1024 * 1024;  // At a time.
constexpr int patience = 4;                    // Pieces in a row of the other kind change the way.

class splice_from {
 public:
  using awaiter = splice_from;
  splice_from(socket_block& on, const int& pipe) noexcept : slot_(on.reader), pipe_(pipe) {}
  bool begin(environment env, waiter* then) noexcept {
    slot_.code = opcode::splice_in;
    slot_.data = &pipe_;
    slot_.size = bulk_max;
    return slot_.begin(env, then);
  }
  bool failed() const noexcept { return slot_.failed(); }
  result<std::size_t> take() const {
    if (failed()) return fail(error_of(slot_, step::receive));
    return static_cast<std::size_t>(slot_.outcome);
  }
  void describe(suspension_report& report) const { slot_.describe(report); }

 private:
  slot& slot_;
  const int& pipe_;
};

bool is_spliced(const socket_block& b) noexcept { return b.kind == descriptor_kind::stream; }

bool cannot(const error& why) noexcept {
  return why == std::errc::invalid_argument || why == std::errc::operation_not_supported;
}

task<result<std::size_t>> copy_piece(socket_block& source, socket_block& target) {
  const lease data = co_await ok(receive_lease(source));
  if (!data.empty()) co_await ok(send_all(target, opcode::send, data.bytes().data(), data.size()));
  co_return data.size();
}

// Until bytes come in small pieces again, or the end has come, which the next receive tells. False: it cannot
// be done with these.
task<result<bool>> splice_bulk(socket_block& source, socket_block& target, std::uint64_t& copied) {
  const auto pipe = source.home.open_conduit();
  if (!pipe) co_return pipe.error() != fault::unsupported;
  const int in = pipe->writing.descriptor();
  const int out = pipe->reading.descriptor();
  for (int small = 0; small < patience;) {
    auto got = co_await splice_from(source, in);
    if (!got && cannot(got.error())) co_return false;
    if (!got && got.error() == std::errc::device_or_resource_busy)
      got = co_await copy_piece(source, target);
    else if (got && *got != 0)
      co_await ok(send_all(target, opcode::splice_out, &out, *got));
    if (!got) co_return fail(std::move(got.error()));
    copied += *got;
    if (*got == 0) break;
    small = *got < bulk_min ? small + 1 : 0;
  }
  co_return true;
}

}  // namespace

task<result<std::uint64_t>> copy_sockets(socket_block& source, socket_block& target) {
  std::uint64_t copied = 0;
  bool may_splice = is_spliced(source) && is_spliced(target);
  for (int large = 0;;) {
    std::size_t size = 0;
    {
      const lease data = co_await ok(receive_lease(source));
      size = data.size();
      if (size == 0) break;
      co_await ok(send_all(target, opcode::send, data.bytes().data(), size));
    }
    copied += size;
    large = size < bulk_min ? 0 : large + 1;
    if (large < patience || !may_splice) continue;
    may_splice = co_await ok(splice_bulk(source, target, copied));
    large = 0;
  }
  co_await ok(finish_sending(target));
  co_return copied;
}

}  // namespace soquete::detail
