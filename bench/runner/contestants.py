"""Who takes part."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import relays
from .rows import Row


@dataclass(frozen=True)
class Contestant:
    name: str
    title: str
    kind: str  # "hand", "soquete" or "peer".
    # Its programs in the build folder: for streams, for datagrams, and as a relay; empty: there is none.
    streams: str = ""
    datagrams: str = ""
    relay: str = ""
    # What must be among its open files, so that no driver is measured under another's name.
    waits_with: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    # By role: what it does instead of what it has no feature for.
    instead: dict[str, str] = field(default_factory=dict)
    absent: str = ""  # Why it takes no part with datagrams.
    # How two loops of it share the work: "apart", each connection stays on one, so the busier one is the bound;
    # "moving", any loop takes what is to be done, so the bound is their mean. Empty: it has one only.
    loops: str = ""
    # A relay that is installed and not built: its command for a port, a target and a folder for its files.
    installed: Callable[[str, str, Path], list[str]] | None = None
    how: str = ""  # A further argument of a relay.
    only: str = ""  # It takes part only in rows whose cores are this.

    def program(self, row: Row) -> str:
        if self.only and row.cores != self.only:
            return ""
        if row.role == "relay":
            return self.relay
        if row.cores == "loops" and not self.loops:
            return ""
        return self.datagrams if row.over == "udp" else self.streams

    def is_there(self, folder: Path, row: Row) -> bool:
        program = self.program(row)
        return bool(program) and (relays.is_there(program) if self.installed else (folder / program).exists())

    def of_build(self, build: Path) -> "Contestant":
        """The same as another build has it."""
        programs = {kind: str(build / "bench" / getattr(self, kind)) for kind in ("streams", "datagrams", "relay")}
        return replace(self, name=f"{self.name}-before", title=f"{self.title}, before", **programs)


def _soquete(driver: str, waits_with: str) -> Contestant:
    return Contestant(
        f"soquete-{driver}",
        f"soquete, {driver}",
        "soquete",
        "soquete_echo",
        "soquete_udp",
        "soquete_relay",
        waits_with,
        {"SOQUETE_DRIVER": driver},
        loops="apart",
    )


def _asked(how: str, driver: str, waits_with: str, variable: dict[str, str], only: str) -> Contestant:
    """soquete run in another way, for rows with such cores only."""
    return replace(
        _soquete(driver, waits_with),
        name=f"{how}-{driver}",
        title=f"soquete, {driver}, {how}",
        environment={"SOQUETE_DRIVER": driver} | variable,
        only=only,
    )


def _spinning(driver: str, waits_with: str) -> Contestant:
    return _asked("spinning", driver, waits_with, {"SOQUETE_SPIN": "50"}, "apart")


def _pinned(driver: str, waits_with: str) -> Contestant:
    return _asked("pinned", driver, waits_with, {"SOQUETE_PIN": "1"}, "loops")


def _by_hand_spinning(kernel: str, waits_with: str) -> Contestant:
    program = kernel.removeprefix("io_")
    return Contestant(
        f"raw_{program}_spinning",
        f"{kernel} in C, spinning",
        "hand",
        f"raw_{program}",
        waits_with=waits_with,
        environment={"SPIN": "1"},
        only="apart",
    )


ONE_BY_ONE = "one by one"


def _asio(name: str, title: str) -> Contestant:
    return Contestant(
        name,
        title,
        "peer",
        f"{name}_echo",
        f"{name}_udp",
        f"{name}_relay",
        "eventpoll",
        instead={"batch": ONE_BY_ONE, "gro": ONE_BY_ONE, "gso": ONE_BY_ONE},
        loops="moving",
    )


# The A/A controls: how far apart are two runs of one program?
AGAIN = {"raw_uring": "raw_uring_again", "raw_splice": "raw_splice_again"}

CONTESTANTS = [
    Contestant("raw_uring", "io_uring in C", "hand", "raw_uring", "raw_uring_udp", waits_with="io_uring"),
    Contestant("raw_uring_again", "io_uring in C, again", "hand", "raw_uring", "raw_uring_udp", waits_with="io_uring"),
    Contestant("raw_uring_poll", "io_uring in C, polling", "hand", "raw_uring_poll", waits_with="io_uring"),
    Contestant("raw_epoll", "epoll in C", "hand", "raw_epoll", "raw_epoll_udp", waits_with="eventpoll"),
    _by_hand_spinning("io_uring", "io_uring"),
    _by_hand_spinning("epoll", "eventpoll"),
    Contestant("raw_splice", "splice in C", "hand", relay="raw_relay", how="splice"),
    Contestant("raw_splice_again", "splice in C, again", "hand", relay="raw_relay", how="splice"),
    Contestant("raw_copy", "256 KiB copies in C", "hand", relay="raw_relay", how="copy"),
    _soquete("io_uring", "io_uring"),
    _soquete("epoll", "eventpoll"),
    _soquete("poll", ""),
    _spinning("io_uring", "io_uring"),
    _spinning("epoll", "eventpoll"),
    _pinned("io_uring", "io_uring"),
    _pinned("epoll", "eventpoll"),
    _asio("asio", "Asio, coroutines"),
    _asio("asio_newest", "newest Asio"),
    Contestant(
        "libuv",
        "libuv",
        "peer",
        "libuv_echo",
        "libuv_udp",
        waits_with="eventpoll",
        instead={"batch": "answers one by one", "gro": "recvmmsg", "gso": ONE_BY_ONE},
    ),
    Contestant(
        "libevent",
        "libevent",
        "peer",
        "libevent_echo",
        waits_with="eventpoll",
        absent="its buffers carry streams only",
    ),
    Contestant(
        "tokio",
        "tokio",
        "peer",
        "tokio_echo",
        "tokio_udp",
        "tokio_relay",
        "eventpoll",
        instead={"batch": ONE_BY_ONE, "gro": ONE_BY_ONE, "gso": ONE_BY_ONE},
        loops="moving",
    ),
    Contestant(
        "go",
        "Go",
        "peer",
        "go_echo",
        "go_udp",
        "go_relay",
        "eventpoll",
        {"GOMAXPROCS": "1"},
        instead={"batch": ONE_BY_ONE},
        loops="moving",
    ),
    Contestant("socat", "socat", "peer", relay="socat", installed=relays.socat()),
    Contestant("socat_large", "socat -b 262144", "peer", relay="socat", installed=relays.socat("-b", "262144")),
    Contestant("nginx", "nginx", "peer", relay="nginx", waits_with="eventpoll", installed=relays.nginx),
    Contestant("haproxy", "haproxy", "peer", relay="haproxy", waits_with="eventpoll", installed=relays.haproxy),
]


def add_those_before(build: Path) -> None:
    """Lets soquete take part a second time, from an older build: what was a change worth?"""
    CONTESTANTS.extend([who.of_build(build) for who in CONTESTANTS if who.kind == "soquete"])
