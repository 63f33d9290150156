"""How many messages a second are offered to every server in the rows of a given load."""

from dataclasses import replace
from pathlib import Path
from statistics import median

from . import trial
from .contestants import CONTESTANTS
from .rows import Row

SHARE = 0.7


def arguments(per_second: int, timing: tuple[str, ...]) -> tuple[str, ...]:
    """Of the load. It is measured longer than elsewhere, for percentiles of each tenth of a second."""
    name, seconds = timing[-2:]
    return (*timing[:-2], name, str(2.5 * float(seconds)), "--rate", str(per_second))


def rate(folder: Path, row: Row) -> int:
    """That share of what epoll in C answers, asked likewise: the middle of three, as the machine is not always as fast."""
    who = next(c for c in CONTESTANTS if c.name == "raw_epoll")
    as_it_can = replace(row, mode="echo")
    return int(SHARE * median(trial.run(folder, who, as_it_can, ())["per_second"] for _ in range(3)))
