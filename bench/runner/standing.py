"""From the values of all runs to medians and ratios."""

from dataclasses import dataclass
from statistics import mean, median

from .contestants import AGAIN, CONTESTANTS

AA_SPREAD_MAX = 0.03  # Above it differences between rows mean nothing.


@dataclass
class Cell:
    """One contestant in one row."""

    values: list[float]
    answers: list[dict]
    failures: list[str]

    @property
    def median(self) -> float | None:
        return median(self.values) if self.values else None

    @property
    def minimum(self) -> float | None:
        return min(self.values) if self.values else None

    def has(self, field: str) -> bool:
        return any(field in answer for answer in self.answers)

    def median_of(self, field: str) -> float | None:
        found = [a[field] for a in self.answers if field in a]
        return median(found) if found else None


@dataclass
class Standing:
    """One row: its cells, and what they are measured against."""

    cells: dict[str, Cell]

    def value(self, name: str) -> float | None:
        """The median; of a control both copies count."""
        names = [name, AGAIN.get(name)]
        found = [self.cells[n].median for n in names if n in self.cells and self.cells[n].values]
        return mean(found) if found else None

    def ceiling(self) -> tuple[str, float] | None:
        """The best of the hand-written servers, by name and value."""
        hands = [who.name for who in CONTESTANTS if who.kind == "hand" and not is_again(who.name)]
        found = [(name, self.value(name)) for name in hands]
        return min(((n, v) for n, v in found if v), key=lambda pair: pair[1], default=None)

    def ratio(self, name: str) -> float | None:
        top, cell = self.ceiling(), self.cells.get(name)
        return cell.median / top[1] if top and cell and cell.values else None

    def spread(self, field: str = "") -> float | None:
        """The difference between two runs of the same program, as a part of their mean: of its value or a field."""
        for pair in AGAIN.items():
            a, b = (self.cells.get(name) for name in pair)
            if a and b and a.values and b.values:
                a, b = (cell.median_of(field) if field else cell.median for cell in (a, b))
                return abs(a - b) / mean([a, b]) if a + b else None
        return None


def is_again(name: str) -> bool:
    """Is it the second of two copies, which is there for the spread only?"""
    return name in AGAIN.values()


def title_of(name: str) -> str:
    return next(c.title for c in CONTESTANTS if c.name == name)
