// Where to listen or to connect, as people write it: "localhost:80", "systemd:web|[::]:8080".  RFC 6761,
// sd_listen_fds(3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <soquete/address.hpp>
#include <soquete/endpoint.hpp>
#include <soquete/error.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace soquete {

/// One or more places, in order of preference, as a person wrote them.
///
///     :8080  *:8080                 any address of this host
///     127.0.0.1:80  [::1]:53        an address
///     localhost:80  example.org:80  a name
///     unix:/run/x  unix:@name       a local socket (see endpoint::parse)
///     fd:3                          an open descriptor
///     systemd:  systemd:web         a socket from the service manager, the first or by name
///     systemd:web|[::]:8080         the first of these that can be had
///
/// A host that is called unix, fd or systemd is written with a dot after it: "fd.:80".
class where {
 public:
  /// What sort of place.
  enum class kind : std::uint8_t {
    any_host,    ///< `port`
    ip,          ///< `at`
    host,        ///< `name` and `port`
    local,       ///< `at`
    descriptor,  ///< `descriptor`
    inherited,   ///< `name`, empty for the first socket passed
  };

  /// One place. Only the fields named at its kind mean something; the others are empty.
  struct alternative {
    kind what = kind::any_host;  ///< Says which fields count.
    std::uint16_t port = 0;      ///< 0 when listening: any free port.
    int descriptor = -1;         ///< 0 or above.
    endpoint at = {};            ///< With its port.
    std::string name = {};       ///< A host as written, or a name as in LISTEN_FDNAMES.

    friend bool operator==(const alternative&, const alternative&) = default;
  };

  /// The most alternatives that one text may have. More is no plan.
  static constexpr std::size_t alternatives_max = 16;

  /// No place at all.
  where() noexcept = default;

  /// Reads the forms above. Ports are decimal, 0 to 65535. Names have labels of letters, digits, '-' and
  /// '_', at most 253 bytes, perhaps a dot at the end. What consists of numbers only must be a whole
  /// IPv4 address: 127.1, 0x7f.1 and 010.0.0.1 are refused, not looked up.
  /// Errors: bad_address or filename_too_long; the subject is the text, the detail says which part is wrong.
  static result<where> parse(std::string_view text, zone_lookup find_zone = nullptr);

  /// In the order written; empty only if default-constructed. Valid as long as this object.
  std::span<const alternative> alternatives() const noexcept { return alternatives_; }

  friend bool operator==(const where&, const where&) = default;

 private:
  std::vector<alternative> alternatives_;
};

/// The canonical text; "*:80" becomes ":80". parse() reads it back to the same value.
std::string to_string(const where&);
std::string to_string(const where::alternative&);

/// What the endpoints are for: a listener or a client.
enum class purpose : std::uint8_t { listen, connect };

/// The endpoints to try in turn, as far as no name has to be looked up. Without a host: [::] to listen,
/// localhost to connect. localhost and names below it are ::1, then 127.0.0.1, whatever any file or server
/// says. Empty for descriptors and inherited sockets, which are open already.
/// Errors: name_not_found for any other name.  RFC 6761 section 6.3
result<std::vector<endpoint>> literal_endpoints(const where::alternative&, purpose);

}  // namespace soquete
