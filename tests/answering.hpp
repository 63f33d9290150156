// Servers for clients to meet: ones that say always the same, and those of tests/servers.
#pragma once

#include "foreign.hpp"

namespace soquete::test {

inline std::string local(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

inline bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

/// The words that start one of tests/servers. They need Debian's packages, so Debian's Python.
inline std::vector<std::string> python(const std::string& server, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"/usr/bin/python3", SOQUETE_SOURCE_DIR "/tests/servers/" + server});
  return arguments;
}

/// The port that it has told.
inline std::uint16_t port_of(process& server) {
  const bool has_told = server.until([&] { return has(server.output, ".") || !server.has_started(); });
  EXPECT_TRUE(has_told) << server.errors;
  return has_told ? static_cast<std::uint16_t>(std::atoi(server.output.c_str() + 5)) : 0;
}

/// A server that says the same to everybody, then ends its side, and listens until the other one ends.
inline outcome answered_with(const std::string& answer, const std::string& program,
                             std::vector<std::string> arguments, const std::string& input = {}) {
  const wire server = wire::listening();
  arguments.insert(arguments.begin(), {program, local(server.port())});
  process client(arguments, {.input = input});
  const wire peer = server.accept();
  EXPECT_TRUE(peer.send(answer));
  peer.finish();
  peer.receive();
  const int status = client.wait();
  return {status, client.output, client.errors};
}

/// A server that says nothing at all.
inline outcome met_with_silence(const std::string& program, std::vector<std::string> arguments) {
  const wire server = wire::listening();
  arguments.insert(arguments.begin(), {program, local(server.port())});
  process client(arguments);
  const wire peer = server.accept();
  const int status = client.wait();
  return {status, client.output, client.errors};
}

/// What a server sends and what becomes of it.
struct answer {
  std::string name;
  std::string bytes;   // That the server sends,
  std::string output;  // what comes of them,
  std::string error;   // and what is said; empty: it went well.

  friend std::ostream& operator<<(std::ostream& to, const answer& one) { return to << one.name; }
};

// Parts of what clients say then.
inline const std::string is_garbage = "rotocol error";
inline const std::string is_cut = "the peer ended the stream too early";
inline const std::string is_too_long = "no end of line within the limit";

}  // namespace soquete::test
