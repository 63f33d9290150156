// What errors of local sockets mean.  unix(7)
#include <fmt/format.h>
#include <sys/stat.h>
#include <cerrno>

#include "address_options.hpp"
#include "advice.hpp"
#include "borrowed.hpp"
#include "end_name.hpp"
#include "locale.hpp"

namespace command {
namespace {

using soquete::endpoint;
using soquete::error;
using soquete::step;

std::string path_of(const endpoint& name) { return std::string(name.local_name()); }

std::string folder_of(const endpoint& name) {
  const std::string path = path_of(name);
  const std::size_t slash = path.rfind('/');
  return slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

bool is_missing(const std::string& path) {
  struct stat about{};
  return ::stat(path.c_str(), &about) != 0 && errno == ENOENT;
}

bool is_something_else(const endpoint& name) {
  struct stat about{};
  return ::lstat(path_of(name).c_str(), &about) == 0 && !S_ISSOCK(about.st_mode);
}

// "unix:///run/x     unix:///run/x,dgram"
std::string as_other_types(const place& p) {
  std::string all;
  for (const carrier type : {carrier::bytes, carrier::datagrams, carrier::records})
    if (type != p.kind.what) all.append(all.empty() ? "" : "     ").append(address_of(p.name, type));
  return all;
}

bool is_relative(std::string_view name) {
  constexpr std::string_view scheme = "unix:";
  return name.starts_with(scheme) && !name.substr(scheme.size()).starts_with('/') &&
         !name.substr(scheme.size()).starts_with('@');
}

// Nobody is there.
advice of_refusal(const place& to) {
  const std::string name = address_of(to.name);
  if (to.name.is_abstract())
    return {
        _("no program of this machine has the abstract name {}; each container has names of its own.", name),
        _("ss -xa     or start one: soquete listen {} echo:", address_of(to.name, to.kind.what))};
  if (is_something_else(to.name))
    return {_("what stands at {} is no socket.", path_of(to.name)),
            fmt::format("ls -l {}", path_of(to.name))};
  return {_("a socket stands at {}, but no program listens there: the one that did has ended without "
            "removing it.",
            path_of(to.name)),
          _("start it again: soquete listen {} takes the path over", address_of(to.name, to.kind.what))};
}

advice of_missing_folder(const endpoint& name) {
  return {_("there is no folder {}.", folder_of(name)), fmt::format("mkdir -p {}", folder_of(name))};
}

// Of the path itself, in either role.
advice of_path(const endpoint& name, const error& why) {
  if (why == std::errc::not_a_directory)
    return {_("a part of {} is no folder.", path_of(name)), fmt::format("namei -l {}", path_of(name))};
  if (why == std::errc::filename_too_long)
    return {_("the name of a socket is too long for this system."),
            _("go to its folder and write unix:NAME")};
  if (why == std::errc::read_only_file_system)
    return {_("the file system of {} can only be read.", folder_of(name)), _("a path below /run or /tmp")};
  return of_resources(why);
}

// A name that is to be ours.
advice of_claiming(const endpoint& name, const error& why) {
  if (why == std::errc::address_in_use && !why.detail().empty())
    return {is_something_else(name) ? _("what stands at {} is no socket, and is not replaced.", path_of(name))
                                    : borrowed(why.detail()) + ".",
            _("ls -l {}     or another path", path_of(name))};
  if (why == std::errc::address_in_use && name.is_abstract())
    return {_("another program of this machine has the abstract name {}.", address_of(name)),
            _("ss -xap     or another name")};
  if (why == std::errc::address_in_use)
    return {_("another program answers at {}.", path_of(name)),
            _("ss -xlp src {} tells which     or another path", path_of(name))};
  if (why == std::errc::no_such_file_or_directory) return of_missing_folder(name);
  if (why == std::errc::permission_denied)
    return {_("this user may not make files in {}.", folder_of(name)),
            _("ls -ld {}     or a path of your own: unix:///tmp/NAME", folder_of(name))};
  return of_path(name, why);
}

}  // namespace

advice of_connecting_here(const place& to, const error& why) {
  if (why.during() == step::bind && to.from_name.is_local()) return of_claiming(to.from_name, why);
  if (why == std::errc::connection_refused) return of_refusal(to);
  if (why == std::errc::timed_out)
    return {
        _("a program listens there, but accepts nobody: as many clients wait as its backlog lets (EAGAIN)."),
        _("ss -xl src {}     or more patience: {}", path_of(to.name),
          with_option(to.text, "connect-timeout=1m"))};
  if (why == std::errc::no_such_file_or_directory && is_missing(folder_of(to.name)))
    return of_missing_folder(to.name);
  if (why == std::errc::no_such_file_or_directory)
    return {_("nothing stands at {}: its server has not made it yet, or has ended and removed it.",
              path_of(to.name)),
            _("ls -l {}     or start one: soquete listen {} echo:", folder_of(to.name),
              address_of(to.name, to.kind.what))};
  if (why == std::errc::permission_denied)
    return {_("this user may not write to {}, or not enter a folder on the way.", path_of(to.name)),
            _("namei -l {}     or, where it is served: mode=0660 for its group", path_of(to.name))};
  if (why == std::errc::operation_not_permitted)
    return {_("the socket there is connected to another one, and hears only that."), {}};
  if (why == std::errc::wrong_protocol_type)
    return {_("the socket there is of another type."), as_other_types(to)};
  return of_path(to.name, why);
}

advice of_listening_here(const place& on, const error& why) { return of_claiming(on.name, why); }

advice of_sending_here(const place& to, const error& why) {
  if (why == std::errc::destination_address_required)
    return {
        _("datagrams go to a name, and the socket that has sent this one was never bound to any."),
        _("a sender with a name, as soquete connect is     or only receive: soquete listen -u {}", to.text)};
  if (why == std::errc::message_size)
    return {_("a local message is at most as long as the send buffer."),
            _("a longer one: {}     or smaller messages: frame=line", with_option(to.text, "sndbuf=1MiB"))};
  if (why == std::errc::no_such_file_or_directory && is_relative(why.subject()))
    return {_("{} is the path of the sender from its own folder, which is not ours.", why.subject()),
            _("a sender with a whole path, as in bind=/run/NAME")};
  if (why == std::errc::connection_refused || why == std::errc::not_connected ||
      why == std::errc::no_such_file_or_directory)
    return {_("the program that was there is gone; what was sent last is lost."), {}};
  return {};
}

}  // namespace command
