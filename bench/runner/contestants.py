"""Who takes part."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from .rows import Row


@dataclass(frozen=True)
class Contestant:
    name: str
    title: str
    kind: str  # "hand", "soquete" or "peer".
    streams: str  # The program in the build folder that serves streams.
    datagrams: str  # And the one for datagrams; empty: there is none.
    # What must be among its open files, so that no driver is measured under another's name.
    waits_with: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    # By role: what it does instead of what it has no feature for.
    instead: dict[str, str] = field(default_factory=dict)
    absent: str = ""  # Why it takes no part with datagrams.
    # How two loops of it share the work: "apart", each connection stays on one, so the busier one is the bound;
    # "moving", any loop takes what is to be done, so the bound is their mean. Empty: it has one only.
    loops: str = ""

    def program(self, row: Row) -> str:
        if row.cores == "loops" and not self.loops:
            return ""
        return self.datagrams if row.over == "udp" else self.streams

    def of_build(self, build: Path) -> "Contestant":
        """The same as another build has it."""
        programs = {"streams": str(build / "bench" / self.streams), "datagrams": str(build / "bench" / self.datagrams)}
        return replace(self, name=f"{self.name}-before", title=f"{self.title}, before", **programs)


def _soquete(driver: str, waits_with: str) -> Contestant:
    return Contestant(
        f"soquete-{driver}",
        f"soquete, {driver}",
        "soquete",
        "soquete_echo",
        "soquete_udp",
        waits_with,
        {"SOQUETE_DRIVER": driver},
        loops="apart",
    )


def _asio(name: str, title: str) -> Contestant:
    instead = {"batch": ONE_BY_ONE, "gro": ONE_BY_ONE, "gso": ONE_BY_ONE}
    return Contestant(name, title, "peer", f"{name}_echo", f"{name}_udp", "eventpoll", instead=instead, loops="moving")


HAND = "raw_uring"
HAND_AGAIN = "raw_uring_again"  # The A/A control: how far apart are two runs of one program?
HAND_POLLING = "raw_uring_poll"
HAND_EPOLL = "raw_epoll"

ONE_BY_ONE = "one by one"

CONTESTANTS = [
    Contestant(HAND, "io_uring in C", "hand", "raw_uring", "raw_uring_udp", "io_uring"),
    Contestant(HAND_AGAIN, "io_uring in C, again", "hand", "raw_uring", "raw_uring_udp", "io_uring"),
    Contestant(HAND_POLLING, "io_uring in C, polling", "hand", "raw_uring_poll", "", "io_uring"),
    Contestant(HAND_EPOLL, "epoll in C", "hand", "raw_epoll", "raw_epoll_udp", "eventpoll"),
    _soquete("io_uring", "io_uring"),
    _soquete("epoll", "eventpoll"),
    _soquete("poll", ""),
    _asio("asio", "Asio, coroutines"),
    _asio("asio_newest", "newest Asio"),
    Contestant(
        "libuv",
        "libuv",
        "peer",
        "libuv_echo",
        "libuv_udp",
        "eventpoll",
        instead={"batch": "answers one by one", "gro": "recvmmsg", "gso": ONE_BY_ONE},
    ),
    Contestant(
        "libevent", "libevent", "peer", "libevent_echo", "", "eventpoll", absent="its buffers carry streams only"
    ),
    Contestant(
        "tokio",
        "tokio",
        "peer",
        "tokio_echo",
        "tokio_udp",
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
        "eventpoll",
        {"GOMAXPROCS": "1"},
        instead={"batch": ONE_BY_ONE},
        loops="moving",
    ),
]


def add_those_before(build: Path) -> None:
    """Lets soquete take part a second time, from an older build: what was a change worth?"""
    CONTESTANTS.extend([who.of_build(build) for who in CONTESTANTS if who.kind == "soquete"])
