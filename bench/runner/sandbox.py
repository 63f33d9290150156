"""A place of our own to measure in: one core, a private network, known congestion control."""

import ctypes
import errno
import fcntl
import os
import resource
import socket
import struct

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1

_cores: list[int] = []  # That we may use.

_libc = ctypes.CDLL(None, use_errno=True)


def enter() -> list[str]:
    """Moves this process, and so its children, there. Gives a sentence for each thing that was done or refused."""
    said = [_pin(), _isolate()]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < 8192:
        said.append(f"only {hard} files may be open: the rows with many connections may fail")
    return said


def die_with_parent() -> None:
    """In a child before it executes: whatever ends the runner ends the child too."""
    _libc.prctl(PR_SET_PDEATHSIG, 9)


def let_others_finish() -> None:
    """The same, and it does not interrupt who runs when something comes for it, but lets it go on until it waits.

    Else a server of datagrams interrupts the load with the first one, and finds one where a slower server finds many:
    the scheduler would decide, and slowness look good."""
    die_with_parent()
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def use_two_cores() -> None:
    """In a child, which dies with its parent: neither is tied to the one core that all others share."""
    die_with_parent()
    os.sched_setaffinity(0, _cores[:2])


def use_other_core() -> None:
    """The same, on a core that the others leave alone."""
    die_with_parent()
    os.sched_setaffinity(0, _cores[1:2])


def has_two_cores() -> bool:
    return len(os.sched_getaffinity(0)) > 1


def _pin() -> str:
    _cores[:] = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, _cores[:1])
    return f"server and load share core {_cores[0]}"


def _isolate() -> str:
    if _libc.unshare(CLONE_NEWNET) != 0 and _libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        return f"no network namespace of our own ({errno.errorcode[ctypes.get_errno()]}): the machine's loopback"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
    said = "a network namespace of our own, congestion control "
    path = "/proc/sys/net/ipv4/tcp_congestion_control"
    try:
        with open(path, "w") as file:
            file.write("reno")
    except OSError:
        pass  # The next line says what is in force.
    with open(path) as file:
        return said + file.read().strip()
