// Where a socket is: an address and a port, or a local name.  RFC 3986 section 3.2.2, unix(7).
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <soquete/address.hpp>
#include <soquete/error.hpp>
#include <string>
#include <string_view>
#include <type_traits>

namespace soquete {

/// Nothing, or an IP address and a port, or the name of a local (Unix-domain) socket. A plain value.
class endpoint {
 public:
  /// Bytes in the longest path. Linux takes all 108 of sun_path; for one byte less, every program can
  /// read the name back. A system that takes fewer reports it when the name is used.  unix(7)
  static constexpr std::size_t path_max = 108;

  /// Bytes in the longest abstract name; its leading zero byte is not counted.  unix(7)
  static constexpr std::size_t abstract_max = 107;

  /// Nothing: what an unconnected socket has for a peer.
  constexpr endpoint() noexcept : ip_() {}

  /// Port 0 lets the system choose when binding.
  constexpr endpoint(const address& at, std::uint16_t port) noexcept
      : ip_(at), port_(port), kind_(kind::ip) {}

  /// A name in the file system, absolute or relative to the working directory, any bytes but zero.
  /// Errors: bad_address if empty or with a zero byte, filename_too_long above path_max.
  static result<endpoint> local_path(std::string_view path);

  /// A name outside the file system, of any bytes, zero among them; without the leading zero byte.
  /// Errors: bad_address if empty, filename_too_long above abstract_max.
  static result<endpoint> local_abstract(std::string_view name);

  /// A local socket without a name, such as a client; binding to it lets the system choose one.
  static endpoint local_unnamed() noexcept { return {kind::path, {}}; }

  /// Reads "127.0.0.1:80", "[::1]:80", "[fe80::1%2]:80", "unix:/run/x" and "unix:@name". The port is
  /// required: 0 to 65535, decimal, without sign, spaces or leading zeros. Brackets are for IPv6 only, which
  /// cannot do without. After "unix:", "\xNN" stands for any byte and "\\" for a backslash; "unix://" before
  /// an absolute path or '@' means the same. No host names: see where.hpp.
  /// Errors: bad_address or filename_too_long, with a detail.
  static result<endpoint> parse(std::string_view text, zone_lookup find_zone = nullptr);

  constexpr bool is_empty() const noexcept { return kind_ == kind::nothing; }  ///< Does it name nothing?
  constexpr bool is_ip() const noexcept { return kind_ == kind::ip; }  ///< Is it an address and a port?
  /// Is it of a Unix-domain socket?
  constexpr bool is_local() const noexcept { return kind_ == kind::path || is_abstract(); }
  /// Is it a name without a file?  unix(7)
  constexpr bool is_abstract() const noexcept { return kind_ == kind::abstract; }

  /// Only if is_ip().
  constexpr const address& addr() const noexcept { return assert(is_ip()), ip_; }

  /// 0 unless is_ip().
  constexpr std::uint16_t port() const noexcept { return port_; }

  /// The path, or the abstract name without its leading zero byte; empty if unnamed or not is_local().
  /// Valid as long as this endpoint is, and not terminated by a zero byte.
  constexpr std::string_view local_name() const noexcept {
    return is_local() ? std::string_view(name_.data(), name_size_) : std::string_view();
  }

  /// The same kind and the same address and port, or the same bytes of name. 1.2.3.4 differs from
  /// ::ffff:1.2.3.4, and /run/x from /run//x.
  friend bool operator==(const endpoint&, const endpoint&) noexcept;

 private:
  enum class kind : std::uint8_t { nothing, ip, path, abstract };

  endpoint(kind what, std::string_view name) noexcept;

  union {
    address ip_;                       // nothing, ip
    std::array<char, path_max> name_;  // path, abstract
  };
  std::uint16_t port_ = 0;
  std::uint8_t name_size_ = 0;
  kind kind_ = kind::nothing;
};

static_assert(std::is_trivially_copyable_v<endpoint>);
static_assert(sizeof(endpoint) == 112);

/// "127.0.0.1:80", "[::1]:80", "unix:/run/x", "unix:@name", "unix:" if unnamed, and "" for nothing.
/// Bytes of a local name that are not printable ASCII, and '\' and '|', are escaped. But for the last
/// two, parse() reads it back to the same value.
std::string to_string(const endpoint&);

}  // namespace soquete

/// Equal endpoints have equal hashes; as with addresses, collisions can be made on purpose.
template <>
struct std::hash<soquete::endpoint> {
  std::size_t operator()(const soquete::endpoint&) const noexcept;
};
