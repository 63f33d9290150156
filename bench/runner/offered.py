"""How many messages a second are offered to every server in the rows of a given load."""

from dataclasses import replace
from pathlib import Path

from . import trial
from .contestants import CONTESTANTS
from .rows import Row

SHARE = 0.7


def rate(folder: Path, row: Row) -> int:
    """That share of what epoll in C answers at most, asked likewise: the best of three, as others only disturb."""
    who = next(c for c in CONTESTANTS if c.name == "raw_epoll")
    as_it_can = replace(row, mode="echo")
    return int(SHARE * max(trial.run(folder, who, as_it_can, ())["per_second"] for _ in range(3)))
