// The command line, read and checked.
#include "options.hpp"

#include <fmt/ranges.h>
#include <algorithm>
#include <array>
#include <CLI/CLI.hpp>

#include "borrowed.hpp"
#include "help.hpp"
#include "locale.hpp"
#include "pairing.hpp"

namespace command {
namespace {

constexpr std::array<std::string_view, 6> verbs{"listen", "connect", "help", "probe", "bench", "ctl"};
// Of the grammar, but not there yet: the name, and whether a value follows.
constexpr std::array<std::string_view, 12> later_flags{"--retry",   "--via",  "--fault", "--record",
                                                       "-x",        "--dump", "--stats", "--metrics",
                                                       "--control", "--log",  "--lang",  "--json"};

// Flags as they stand on the command line, before they are checked.
struct raw_flags {
  std::vector<std::string> places;
  std::string on_eof, timeout, idle, drain, max_connections, per_address, threads, driver, ready, color;
  bool once = false, up = false, down = false, explain = false, trace = false;
  bool verbose = false, quiet = false, short_help = false, long_help = false;
};

void define(CLI::App& app, raw_flags& f) {
  app.set_help_flag();
  app.allow_extras();
  app.add_flag("-1,--once", f.once);
  app.add_option("-c,--max-conns", f.max_connections);
  app.add_option("--per-ip", f.per_address);
  app.add_option("--on-eof", f.on_eof);
  app.add_option("-t,--timeout", f.timeout);
  app.add_option("--idle", f.idle);
  app.add_option("--drain", f.drain);
  app.add_flag("-u,--one-way", f.up);
  app.add_flag("-U", f.down);
  app.add_flag("--explain", f.explain);
  app.add_flag("--trace", f.trace);
  app.add_flag("-v,--verbose", f.verbose);
  app.add_flag("-q,--quiet", f.quiet);
  app.add_option("--color", f.color);
  app.add_option("--ready-fd", f.ready);
  app.add_option("--threads", f.threads);
  app.add_option("--driver", f.driver);
  app.add_flag("-h", f.short_help);
  app.add_flag("--help", f.long_help);
}

std::vector<std::string> names_of(CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* one : app.get_options()) {
    for (const std::string& name : one->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : one->get_snames()) names.push_back("-" + name);
  }
  return names;
}

// The long option that `word` stands for: "--time" is "--timeout" if no other begins so.
std::string in_full(const std::string& word, const std::vector<std::string>& names) {
  if (!word.starts_with("--") || word.size() == 2) return word;
  const std::size_t equals = word.find('=');
  const std::string name = word.substr(0, equals);
  std::string only;
  for (const std::string& one : names) {
    if (one == name) return word;
    if (!one.starts_with(name)) continue;
    if (!only.empty()) return word;
    only = one;
  }
  if (only.empty()) return word;
  return only + (equals == word.npos ? "" : word.substr(equals));
}

mistake unknown_flag(const std::string& word, const std::vector<std::string>& names) {
  const std::string name = word.substr(0, word.find('='));
  for (const std::string_view later : later_flags)
    if (name == later) return {_("{} comes in a later version of soquete", name), {}};
  const std::vector<std::string_view> views(names.begin(), names.end());
  if (const auto near = nearest(name, views); !near.empty())
    return {_("there is no option {}", name), _("did you mean {}?", near)};
  return {_("there is no option {}", name), _("soquete --help lists them")};
}

std::optional<mistake> check_time(const std::string& text, std::string_view flag,
                                  std::chrono::nanoseconds& into) {
  if (text.empty()) return {};
  const auto got = duration_from(text);
  if (!got) return mistake{_("{} '{}': a time is expected", flag, text), _("write 250ms, 10s or 2m")};
  into = *got;
  return {};
}

template <class Number>
std::optional<mistake> check_number(const std::string& text, std::string_view flag, std::uint64_t lowest,
                                    std::uint64_t highest, Number& into) {
  if (text.empty()) return {};
  const auto got = number_from(text, highest);
  if (!got || *got < lowest)
    return mistake{_("{} '{}': a number from {} to {} is expected", flag, text, lowest, highest), {}};
  into = static_cast<Number>(*got);
  return {};
}

template <class Choice, std::size_t size>
std::optional<mistake> check_choice(const std::string& text, std::string_view flag,
                                    const std::array<std::pair<std::string_view, Choice>, size>& choices,
                                    Choice& into) {
  if (text.empty()) return {};
  std::vector<std::string_view> names;
  for (const auto& [name, choice] : choices) {
    if (name == text) return into = choice, std::nullopt;
    names.push_back(name);
  }
  return mistake{_("{} takes {}, not '{}'", flag, fmt::join(names, ", "), text), {}};
}

constexpr std::array<std::pair<std::string_view, on_eof>, 3> endings{
    {{"wait", on_eof::wait}, {"close", on_eof::close}, {"ignore", on_eof::ignore}}};
constexpr std::array<std::pair<std::string_view, colors>, 3> color_names{
    {{"auto", colors::automatic}, {"always", colors::always}, {"never", colors::never}}};
constexpr std::array<std::pair<std::string_view, soquete::driver_choice>, 5> drivers{
    {{"auto", soquete::driver_choice::automatic},
     {"io_uring", soquete::driver_choice::io_uring},
     {"epoll", soquete::driver_choice::epoll},
     {"kqueue", soquete::driver_choice::kqueue},
     {"poll", soquete::driver_choice::poll}}};

std::optional<mistake> check_flags(const raw_flags& f, options& o) {
  std::chrono::nanoseconds timeout{};
  constexpr std::uint64_t many = 10'000'000;
  const std::optional<mistake> checks[] = {
      check_time(f.timeout, "--timeout", timeout),
      check_time(f.idle, "--idle", o.how.idle),
      check_time(f.drain, "--drain", o.drain),
      check_number(f.max_connections, "--max-conns", 1, many, o.max_connections),
      check_number(f.per_address, "--per-ip", 1, many, o.max_per_address),
      check_number(f.threads, "--threads", 0, 1024, o.threads),
      check_number(f.ready, "--ready-fd", 1, 1'000'000, o.ready_descriptor),
      check_choice(f.on_eof, "--on-eof", endings, o.how.at_end),
      check_choice(f.color, "--color", color_names, o.color),
      check_choice(f.driver, "--driver", drivers, o.driver),
  };
  for (const auto& one : checks)
    if (one) return one;
  if (!f.timeout.empty()) o.timeout = timeout;
  if (f.up && f.down) return mistake{_("-u and -U exclude each other"), {}};
  if (f.verbose && f.quiet) return mistake{_("-v and -q exclude each other"), {}};
  o.how.which = f.up ? ways::up : f.down ? ways::down : ways::both;
  o.once = f.once;
  o.explain = f.explain;
  o.trace = f.trace;
  o.verbose = f.verbose;
  o.quiet = f.quiet;
  return {};
}

// What a peer of datagrams, who does not say goodbye, may be silent.
constexpr auto session_idle = std::chrono::seconds(60);

void set_joining(const place& address, const place& peer, join_options& how) {
  how.address = {address.frame, address.patience, address.count};
  how.peer = {peer.frame, peer.patience, peer.count};
  // Lines are ended as the network wants them on their way from our side.
  const bool is_ours = address.what == scheme::stdio;
  how.crlf_down = !is_ours && (address.crlf || (peer.crlf && peer.what == scheme::stdio));
  how.crlf_up = (is_ours && address.crlf) || (peer.crlf && peer.what != scheme::stdio);
}

std::optional<mistake> check_places(const std::vector<std::string>& texts, bool has_idle, options& o) {
  const bool listens = o.what == verb::listen;
  const std::string_view name = listens ? "listen" : "connect";
  if (texts.empty())
    return mistake{_("{}: an address is missing", name),
                   listens ? _("for example: soquete listen tcp://:8080 echo:")
                           : _("for example: soquete connect tcp://localhost:8080")};
  if (texts.size() > 2)
    return mistake{_("{}: '{}' is one address too many", name, texts[2]),
                   _("a command with arguments is one word: 'exec:sort -n'")};
  auto address = place_from(texts[0], listens ? role::listens : role::connects);
  if (!address) return std::move(address.error());
  auto peer = place_from(texts.size() > 1 ? texts[1] : "-", role::connects);
  if (!peer) return std::move(peer.error());
  o.address = std::move(*address);
  o.peer = std::move(*peer);
  if (auto bad = check_pair(o)) return bad;
  set_joining(o.address, o.peer, o.how);
  if (o.address.has_sessions() && listens) {
    if (o.address.idle)
      o.how.idle = *o.address.idle;
    else if (!has_idle)
      o.how.idle = session_idle;
  }
  return {};
}

read<request> run_from(verb what, std::vector<std::string> arguments) {
  CLI::App app;
  raw_flags flags;
  define(app, flags);
  const std::vector<std::string> names = names_of(app);
  const auto last = std::find(arguments.begin(), arguments.end(), "--");
  for (auto one = arguments.begin(); one != last; ++one) *one = in_full(*one, names);
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
  } catch (const CLI::ParseError& e) {
    return wrong(borrowed(e.what()));
  }
  if (flags.long_help || flags.short_help)
    return request{{}, what == verb::listen ? help_of_listen() : help_of_connect()};
  bool only_words = false;
  for (std::string& word : app.remaining()) {
    if (word == "--" && !only_words)
      only_words = true;
    else if (!only_words && word.size() > 1 && word[0] == '-' && word[1] != ',')
      return std::unexpected(unknown_flag(word, names));
    else
      flags.places.push_back(std::move(word));
  }
  options made;
  made.what = what;
  if (auto bad = check_flags(flags, made)) return std::unexpected(std::move(*bad));
  if (auto bad = check_places(flags.places, !flags.idle.empty(), made))
    return std::unexpected(std::move(*bad));
  return request{std::move(made), {}};
}

read<request> no_verb(const std::string& word) {
  if (word == "probe" || word == "bench" || word == "ctl" || word == "completions")
    return wrong(_("{} comes in a later version of soquete", word), _("this version has listen and connect"));
  if (looks_like_address(word)) {
    const std::string whole = with_scheme(word);
    return wrong(_("'{}' is an address; a verb comes first", word),
                 _("did you mean: soquete connect {}?", whole.empty() ? word : whole));
  }
  if (const auto near = nearest(word, verbs); !near.empty())
    return wrong(_("there is no verb '{}'", word), _("did you mean: soquete {}?", near));
  return wrong(_("there is no verb '{}'", word), _("verbs are listen and connect; see soquete --help"));
}

read<request> help_from(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2) return request{{}, long_help()};
  const std::string& topic = arguments[1];
  if (topic == "listen") return request{{}, help_of_listen()};
  if (topic == "connect") return request{{}, help_of_connect()};
  if (topic == "address" || topic == "addresses") return request{{}, help_of_addresses()};
  return wrong(_("there is no help on '{}'", topic), _("topics are listen, connect and addresses"));
}

}  // namespace

read<request> request_from(std::vector<std::string> arguments) {
  if (arguments.empty()) return wrong(_("what is to be done?"), std::string(usage()));
  const std::string first = arguments.front();
  if (first == "-h") return request{{}, short_help()};
  if (first == "--help") return request{{}, long_help()};
  if (first == "help") return help_from(arguments);
  if (first == "--version" || first == "-V") return request{{}, version()};
  if (first == "listen" || first == "connect") {
    arguments.erase(arguments.begin());
    return run_from(first == "listen" ? verb::listen : verb::connect, std::move(arguments));
  }
  if (first.size() > 1 && first[0] == '-')
    return wrong(_("a verb comes before options such as {}", first), _("soquete listen or soquete connect"));
  return no_verb(first);
}

}  // namespace command
