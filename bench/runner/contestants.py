"""Who takes part."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Contestant:
    name: str
    title: str
    program: str  # In the build folder.
    kind: str  # "hand", "soquete" or "peer".
    # What must be among its open files, so that no driver is measured under another's name.
    waits_with: str = ""
    environment: dict[str, str] = field(default_factory=dict)


def _soquete(driver: str, waits_with: str) -> Contestant:
    return Contestant(
        f"soquete-{driver}", f"soquete, {driver}", "soquete_echo", "soquete", waits_with, {"SOQUETE_DRIVER": driver}
    )


HAND = "raw_uring"
HAND_AGAIN = "raw_uring_again"  # The A/A control: how far apart are two runs of one program?
HAND_EPOLL = "raw_epoll"

CONTESTANTS = [
    Contestant(HAND, "io_uring in C", "raw_uring", "hand", "io_uring"),
    Contestant(HAND_AGAIN, "io_uring in C, again", "raw_uring", "hand", "io_uring"),
    Contestant(HAND_EPOLL, "epoll in C", "raw_epoll", "hand", "eventpoll"),
    _soquete("io_uring", "io_uring"),
    _soquete("epoll", "eventpoll"),
    _soquete("poll", ""),
    Contestant("asio", "Asio, coroutines", "asio_echo", "peer", "eventpoll"),
    Contestant("libuv", "libuv", "libuv_echo", "peer", "eventpoll"),
    Contestant("libevent", "libevent", "libevent_echo", "peer", "eventpoll"),
    Contestant("go", "Go", "go_echo", "peer", "eventpoll", {"GOMAXPROCS": "1"}),
]
