"""What no load of the machine changes: system calls and allocations of a server for each echo."""

import os
import re
import shutil
import struct
import tempfile
from pathlib import Path

from . import trial
from .contestants import Contestant
from .rows import ROWS
from .standing import is_again

ROW = next(row for row in ROWS if row.name == "echo-64x64B")
# The longer exchange without the shorter one: what the start and the connections cost is in both.
SHORT, LONG = 64 * 50, 64 * 150


def measure(folder: Path, contestants: list[Contestant]) -> dict[str, dict[str, float | str]]:
    """By contestant: system calls and allocations for an echo, or why there is no number."""
    return {
        who.name: {"system calls": _calls(folder, who), "allocations": _allocations(folder, who)}
        for who in contestants
        if not is_again(who.name) and who.is_there(folder, ROW)
    }


def failed(found: dict[str, dict[str, float | str]]) -> bool:
    return any(str(count).startswith("failed") for one in found.values() for count in one.values())


def _calls(folder: Path, who: Contestant) -> float | str:
    if not shutil.which("strace"):
        return "no strace"
    try:
        return (_traced(folder, who, LONG) - _traced(folder, who, SHORT)) / (LONG - SHORT)
    except trial.Failed as failure:
        return f"failed: {failure}"


def _traced(folder: Path, who: Contestant, messages: int) -> int:
    """All calls of a server that has answered so many."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as told:
        try:
            # -D: the server is our child, and the tracer its.
            tracer = ["strace", "-D", "-f", "-c", "-U", "calls,name", "-o", f"/dev/fd/{writing}"]
            with trial.serving(folder, who, ROW, tracer, pass_fds=[writing]) as server:
                server.exchange(messages)
                trial.check_driver(server.pid, who)
        finally:
            os.close(writing)
        table = told.read()  # Its end comes when the tracer has written all of it.
    total = re.search(r"^\s*(\d+)\s+total$", table, re.MULTILINE)
    if not total:
        raise trial.Failed(f"strace says {table[-200:]!r}")
    return int(total[1])


def _allocations(folder: Path, who: Contestant) -> float | str:
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "count"
        file.write_bytes(bytes(16))
        environment = {"LD_PRELOAD": str(folder / "count_allocations.so"), "BENCH_ALLOCATIONS": str(file)}
        try:
            with trial.serving(folder, who, ROW, environment=environment) as server:
                seen = []
                for messages in (SHORT, SHORT, LONG):  # The first one fills the pools.
                    server.exchange(messages)
                    seen.append(struct.unpack("=QQ", file.read_bytes()))
        except trial.Failed as failure:
            return f"failed: {failure}"
    counts, is_counted = zip(*seen)
    if not is_counted[0]:
        return "not malloc's"
    return ((counts[2] - counts[1]) - (counts[1] - counts[0])) / (LONG - SHORT)
