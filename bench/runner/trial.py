"""One run: start one server, load it, read the answer, end it."""

import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from .contestants import Contestant
from .rows import Row, half_of
from .sandbox import die_with_parent, let_others_finish, use_other_core, use_two_cores

LOAD_SECONDS_MAX = 40


class Failed(Exception):
    """The run gave no number; the text says why."""


def run(folder: Path, who: Contestant, row: Row, timing: tuple[str, ...]) -> dict:
    """The load generator's answer for this server. Raises Failed."""
    if row.cores == "loops":
        return _two_loops(folder, who, row, timing)
    with serving(folder, who, row) as server:
        target = ("--target", server.target) if row.role == "relay" else ()
        answer = server.load(row.mode, *row.arguments, *target, *timing)
        check_driver(server.pid, who)
        return answer


def _two_loops(folder: Path, who: Contestant, row: Row, timing: tuple[str, ...]) -> dict:
    """How many times the work of one loop two of them do, had they the cores to themselves."""
    answers, anywhere = [], replace(who, only="")
    for loops, asked in (("1", half_of(row)), ("2", row)):
        with serving(folder, anywhere, asked, arguments=[loops]) as server:
            answers.append(server.load(asked.mode, *asked.arguments, *timing))
            check_driver(server.pid, who)
    one, two = answers
    bound = two["cpu_ns"] / 2 if who.loops == "moving" else two["busiest_ns"]
    return {
        "scaling": one["cpu_ns"] / bound,
        "one_ns": one["cpu_ns"],
        "two_ns": two["cpu_ns"],
        "busiest_ns": two["busiest_ns"],
        "one_per_second": one["per_second"],
        "per_second": two["per_second"],
    }


@dataclass(frozen=True)
class Server:
    """One that runs, and its load generator."""

    pid: int
    place: str
    target: str  # Of a relay.
    folder: Path
    prepare: Callable[[], None]

    def load(self, mode: str, *arguments: str) -> dict:
        return _load(self.folder, self.prepare, [mode, self.place, str(self.pid), *arguments])

    def exchange(self, messages: int) -> None:
        self.load("exchange", "--messages", str(messages))


@contextmanager
def serving(
    folder: Path,
    who: Contestant,
    row: Row,
    under: Sequence[str] = (),
    arguments: Sequence[str] = (),
    environment: dict[str, str] = {},
    pass_fds: Sequence[int] = (),
):
    """A server that runs as long as the block, perhaps under another program. Raises Failed with its last words."""
    prepare = use_two_cores if row.cores == "loops" else let_others_finish if row.over == "udp" else die_with_parent
    prepare_load = use_other_core if row.cores == "apart" else prepare
    with _fresh_place(row.over) as place, _fresh_place("tcp") as target, tempfile.TemporaryDirectory() as scratch:
        if who.installed:
            command = who.installed(place, target, Path(scratch))
        elif row.role == "relay":
            command = [folder / who.relay, place, target, *filter(None, [who.how])]
        else:
            command = [folder / who.program(row), place, row.role]
        process = subprocess.Popen(
            [*under, *command, *arguments],
            env=os.environ | who.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=prepare,
            pass_fds=pass_fds,
        )
        try:
            yield Server(process.pid, place, target, folder, prepare_load)
        except Failed as failure:
            process.kill()
            words = process.communicate(timeout=10)[1].decode(errors="replace").strip()
            raise Failed(f"{failure}{'; the server: ' + words[-300:] if words else ''}") from None
        finally:
            process.kill()
            process.wait(timeout=10)
            process.stderr.close()


@contextmanager
def _fresh_place(over: str):
    """A port or path that nobody has used yet: io_uring lets go of one only some time after its process has ended."""
    if over == "unix":
        with tempfile.TemporaryDirectory() as folder:
            yield str(Path(folder) / "server")
        return
    with socket.socket(type=socket.SOCK_DGRAM if over == "udp" else socket.SOCK_STREAM) as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))
        port = str(held.getsockname()[1])
        if over == "udp":
            held.close()  # Bound it would receive; nobody else is in our network namespace.
        # Bound but not listening: no other process gets the port, and the server can still listen on it.
        yield port


def _load(folder: Path, prepare, arguments: list[str]) -> dict:
    try:
        done = subprocess.run(
            [folder / "load", *arguments],
            capture_output=True,
            text=True,
            timeout=LOAD_SECONDS_MAX,
            preexec_fn=prepare,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"no end after {LOAD_SECONDS_MAX} s") from None
    if done.returncode != 0:
        raise Failed(done.stderr.strip() or f"the load ended with {done.returncode}")
    return json.loads(done.stdout)


def check_driver(pid: int, who: Contestant) -> None:
    handles = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            handles.add(os.readlink(entry))
        except OSError:
            pass  # Closed meanwhile.
    found = {name for name in ("io_uring", "eventpoll") if f"anon_inode:[{name}]" in handles}
    expected = {who.waits_with} - {""}
    if found != expected:
        raise Failed(f"waits with {' and '.join(sorted(found)) or 'poll'}, not with {who.waits_with or 'poll'}")
