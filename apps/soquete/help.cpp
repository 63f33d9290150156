// The help texts: examples first.
#include "help.hpp"

#include "locale.hpp"

namespace command {
namespace {

constexpr const char* usage_lines =
    N_("usage: soquete connect ADDR [PEER]     soquete listen ADDR [PEER]     soquete --help\n");

constexpr const char* address_lines =
    N_(R"(Addresses: SCHEME:REST, options after commas; a comma in a value is %2C
  tcp://HOST:PORT     a TCP connection; [::1]:80 is IPv6; without HOST: every address when
                      listening, localhost when connecting; port 0 when listening: any free port
  udp://HOST:PORT     datagrams; when listening each sender gets a session, and a PEER, of its own
  unix:///PATH        a stream to a program of this machine; unix://@NAME: a name without a file
  systemd:NAME        sockets that the service manager has passed; systemd: is all of them (listening)
  -                   standard input and output
  exec:COMMAND ARGS   a program, without a shell; 'quotes' group words
  sh:COMMAND          a command line for /bin/sh
  fd:N                a descriptor that soquete was started with
  echo: discard: zero:   built in: send back, throw away, send zeros for ever

Options of tcp://, as in tcp://localhost:80,nodelay=off,connect-timeout=5s
  nodelay=on|off      send small pieces at once (on)       TCP_NODELAY
  keepalive=30s       notice a vanished peer               SO_KEEPALIVE
  connect-timeout=10s give up connecting after that        (connecting)
  bind=ADDR           our own end: 192.0.2.7 or with :port (connecting)
  backlog=N           connections that wait (4096)         (listening)
  4, 6                IPv4 only, IPv6 only
  dev=IF  rcvbuf=64KiB  sndbuf=64KiB  dscp=N  tos=N  mark=N  congestion=NAME  mptcp  fastopen
  crlf                what we send ends its lines with CR LF (also an option of -)
Options of exec: and sh: come before the colon: exec,stderr:COMMAND (its errors travel too)
)");

constexpr const char* local_lines = N_(
    R"(Options of unix://, as in unix:///run/x,mode=0660; also backlog, connect-timeout, crlf, rcvbuf, sndbuf
  mode=0600           permissions of the path: who may write to it may connect (listening)
  dgram               datagrams instead of a stream; idle, max, wait and count as for udp://
  bind=/PATH          our own name, where answers come; else one is chosen (dgram, connecting)
  seqpacket           messages of a connection, which has an end; count as for udp://
)");

constexpr const char* datagram_lines =
    N_(R"(Options of udp://, as in udp://:53,idle=10s; also 4, 6, bind, dev, rcvbuf, sndbuf, mark and crlf
  idle=60s            a session in which nothing moves for that long ends (listening)
  max=N               sessions at a time (4096); datagrams of other senders are dropped (listening)
  wait=2s             what answers get when the other side has ended: datagrams have no end
  count=N             end after N datagrams from there
  ttl=N  dscp=N  tos=N  broadcast   (connecting)
Where a stream meets messages: frame=, at either address, says how the stream holds them
  frame=none|line|nul|len16|len32   pieces as they are read (none); each ended by a line feed or
                      a zero byte; after its size in two or four bytes (DNS over TCP: len16)
)");

constexpr const char* ending_lines = N_(R"(How it ends
  When one side has finished sending, the other is told (a half close), and its answer is waited for
  without limit; when both have finished, soquete ends. Datagrams have no end: their answers are
  waited for until none comes for a while (wait=); none at all is status 1. A reset is passed on as a
  reset. The output of a program is delivered in full, and its status is passed on.
  --on-eof wait|close|ignore   the end of one direction: pass it on and wait for the other (wait),
                               end everything, or do not pass it on
  -t, --timeout TIME  end the whole run after that: exit status 124
  --idle TIME         end a connection in which nothing moves for so long
  -u, --one-way       only from ADDR to PEER;   -U  only from PEER to ADDR
)");

constexpr const char* serving_lines = N_(R"(Serving (listen)
  -1, --once          one client, then end; so it is with - and fd: as PEER
  -c, --max-conns N   at most N clients at a time; others wait
  --per-ip N          at most N clients from one address; others are reset
  --drain TIME        what clients get after Ctrl-C (3s); a second Ctrl-C ends at once
  --threads N         event loops; 0: SOQUETE_THREADS, or one for each processor
  --ready-fd N        write the address to descriptor N once clients can connect, then close it
)");

constexpr const char* output_lines = N_(R"(What it tells (on standard error; standard output is data only)
  -v, --verbose       progress and reports also when standard error is no terminal
  -q, --quiet         nothing but errors
  --trace             each socket call with its result and its meaning
  --explain           say what would be done, and do nothing
  --color auto|always|never
  --driver auto|io_uring|epoll|kqueue|poll   how to wait for the kernel; or SOQUETE_DRIVER
  -h, --help          this text;  soquete --version
)");

constexpr const char* status_lines = N_(R"(Exit status
  0 both directions ended in order    1 broken after it began   2 usage         3 name not found
  4 could not connect                 5 could not listen        124 --timeout   130, 143 by a signal
  connect exec:, listen --once ... exec: 126 cannot run, 127 not found, else the program's own status
)");

std::string join(std::initializer_list<const char*> parts) {
  std::string text;
  for (const char* const part : parts) {
    if (!text.empty()) text += '\n';
    text += _(part);
  }
  return text;
}

constexpr const char* connect_lines =
    N_(R"(soquete connect ADDR [PEER]   open ADDR and join it with PEER (-: standard input and output)

  soquete connect tcp://localhost:8080              talk to a server
  echo hello | soquete connect tcp://[::1]:8080     send, finish, print the whole answer
  soquete connect tcp://localhost:25,crlf           type lines to a mail server
  soquete connect tcp://10.0.0.1:80 tcp://10.0.0.2:80   join two servers
  soquete connect tcp://localhost:9000 exec:date    give a server the output of a program
  echo ping | soquete connect udp://localhost:7     send a datagram, print what comes back
  tail -f log | soquete connect -U udp://10.0.0.1:514 -,frame=line   a datagram for each line
  soquete connect unix:///run/docker.sock           talk to a program of this machine
  ssh -o ProxyCommand='soquete connect tcp://%h:%p' host
)");

constexpr const char* listen_lines =
    N_(R"(soquete listen ADDR [PEER]   accept clients on ADDR and join each with a PEER of its own
                             (-: standard input and output: one client, then the end)

  soquete listen tcp://:8080 echo:                  an echo server, for any number of clients
  soquete listen tcp://:9000 > file                 receive one file
  soquete listen tcp://:8080 tcp://localhost:80     forward a port
  soquete listen tcp://localhost:7000 exec:cat      run a program for each client
  soquete listen tcp://localhost:0 discard:         on any free port, which it tells
  soquete listen udp://:5353 udp://10.0.0.1:53      forward datagrams, and their answers
  soquete listen udp://:53 tcp://10.0.0.1:53,frame=len16   ask a DNS server over TCP
  soquete listen tcp://localhost:2375 unix:///run/docker.sock   a socket of this machine, over TCP
  soquete listen unix:///tmp/log,dgram - > log      what programs of this machine send
)");

constexpr const char* title =
    N_("soquete joins sockets, programs and standard streams, both ways, to a proper end.\n");

}  // namespace

std::string_view usage() {
  return _("usage: soquete connect ADDR [PEER] | soquete listen ADDR [PEER]; see soquete --help");
}

std::string version() { return "soquete " SOQUETE_VERSION "\n"; }

std::string short_help() {
  return join({title, N_(R"(  soquete listen tcp://:8080 echo:              an echo server
  soquete connect tcp://localhost:8080          talk to it
  soquete listen tcp://:8080 tcp://localhost:80 forward a port
  soquete listen tcp://:9000 > file             receive a file
)"),
               usage_lines,
               N_("Addresses: tcp://HOST:PORT  udp://HOST:PORT  unix:///PATH  systemd:NAME  -\n"
                  "           exec:COMMAND  sh:COMMAND  fd:N  echo:  discard:  zero:\n"
                  "More: soquete --help, soquete help listen|connect|addresses, man soquete\n")});
}

std::string long_help() {
  return join({title, connect_lines, listen_lines, address_lines, local_lines, datagram_lines, ending_lines,
               serving_lines, output_lines, status_lines});
}

std::string help_of_listen() {
  return join({listen_lines, address_lines, local_lines, datagram_lines, ending_lines, serving_lines,
               output_lines, status_lines});
}

std::string help_of_connect() {
  return join(
      {connect_lines, address_lines, local_lines, datagram_lines, ending_lines, output_lines, status_lines});
}

std::string help_of_addresses() { return join({address_lines, local_lines, datagram_lines}); }

}  // namespace command
