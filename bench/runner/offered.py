"""How many messages a second are offered to every server in the rows of a given load."""

from dataclasses import replace
from pathlib import Path
from statistics import median

from . import trial
from .contestants import CONTESTANTS, Contestant
from .rows import Row

SHARE = 0.7


def arguments(per_second: int, timing: tuple[str, ...]) -> tuple[str, ...]:
    """Of the load. It is measured longer than elsewhere, for percentiles of each tenth of a second."""
    name, seconds = timing[-2:]
    return (*timing[:-2], name, str(2.5 * float(seconds)), "--rate", str(per_second))


def is_known(folder: Path) -> bool:
    """Is the server there that is asked how much it answers?"""
    return (folder / _by_hand().streams).exists()


def rate(folder: Path, row: Row, timing: tuple[str, ...]) -> int:
    """That share of what epoll in C answers, asked likewise: the middle of three, as the machine is not always as fast."""
    as_it_can = replace(row, mode="echo")
    return int(SHARE * median(trial.run(folder, _by_hand(), as_it_can, timing)["per_second"] for _ in range(3)))


def _by_hand() -> Contestant:
    return next(who for who in CONTESTANTS if who.name == "raw_epoll")
