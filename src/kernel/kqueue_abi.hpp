// kqueue(2) of macOS in our words, so that what is done with it compiles and is tested everywhere. That these
// are Apple's numbers is checked where Apple's header is: darwin/kqueue_calls.cpp.
#pragma once

#include <cstdint>

namespace soquete::kernel {

/// One change or one event: struct kevent.
struct kqueue_event {
  std::uint64_t ident = 0;  ///< The descriptor.
  std::int16_t filter = 0;
  std::uint16_t flags = 0;
  std::uint32_t filter_flags = 0;  ///< At the end of the stream: the socket's error.
  std::int64_t data = 0;           ///< With `error`: an errno.
  std::uint64_t user_data = 0;

  friend bool operator==(const kqueue_event&, const kqueue_event&) = default;
};

namespace kqueue_filter {
inline constexpr std::int16_t read = -1;
inline constexpr std::int16_t write = -2;
inline constexpr std::int16_t user = -10;
}  // namespace kqueue_filter

namespace kqueue_flag {
inline constexpr std::uint16_t add = 0x0001;
inline constexpr std::uint16_t remove = 0x0002;
inline constexpr std::uint16_t clear = 0x0020;    ///< Tells of news only.
inline constexpr std::uint16_t receipt = 0x0040;  ///< Answers each change at once, with or without an error.
inline constexpr std::uint16_t error = 0x4000;
inline constexpr std::uint16_t end_of_file = 0x8000;
}  // namespace kqueue_flag

namespace kqueue_note {
/// NOTE_LOWAT: `data` is how many bytes make it ready. A device that cannot count attaches with 1 only.
inline constexpr std::uint32_t enough = 0x00000001;
inline constexpr std::uint32_t urgent = 0x00000002;  ///< NOTE_OOB, with `read`.
inline constexpr std::uint32_t trigger = 0x01000000;
}  // namespace kqueue_note

}  // namespace soquete::kernel
