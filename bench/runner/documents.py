"""Puts what a run has measured into documents, so that nobody types a figure.

It goes between `<!-- bench NAME -->` and `<!-- /bench -->`: "all" is the whole report, the others are TEXTS, in
Portuguese where the document is."""

import re
from dataclasses import dataclass
from pathlib import Path

from . import machine, report
from .contestants import CONTESTANTS, Contestant
from .rows import ROWS, Row
from .standing import Standing, is_again
from .texts import ALL, TEXTS, TITLES, Text

PLACE = re.compile(r"(<!-- bench (\w+) -->\n).*?(<!-- /bench -->)", re.DOTALL)


def fill(document: Path, results: dict) -> int:
    """How many places were filled. What needs a row that was not measured stays as it is."""
    language = "pt" if "pt-BR" in document.name else "en"
    filled = 0

    def text(found: re.Match) -> str:
        nonlocal filled
        name = found[2]
        needs = {row.name for row in ROWS} if name == "all" else TEXTS[name].needs
        if not needs <= results["standings"].keys():
            return found[0]
        filled += 1
        words = ALL.format(report.summary(results)) if name == "all" else _Teller(results, language).tell(TEXTS[name])
        return f"{found[1]}{words.rstrip()}\n{found[3]}"

    document.write_text(PLACE.sub(text, document.read_text()))
    return filled


@dataclass
class _Teller:
    """One run in one language."""

    results: dict
    language: str

    def tell(self, text: Text) -> str:
        lines = self._table(text)
        parts = [text.before[self.language], "\n".join(lines), text.after[self.language]]
        if any(" \\*" in line for line in lines):
            parts.insert(2, text.stars[self.language])
        return "\n\n".join(part.format_map(self) for part in parts if part)

    def __getitem__(self, name: str) -> str:
        """What stands for {name} in a text: "rounds", "versions", "idle/asio", "bulk/soquete-epoll", "lines/Asio"."""
        kind, _, who = name.partition("/")
        if kind == "rounds":
            return str(self.results["rounds"])
        if kind == "machine":
            return f"{self.results['machine']['processor']}, Linux {self.results['machine']['kernel'].split('-')[0]}"
        if kind == "versions":
            return ", ".join(f"{title} {version}" for _, title, version in machine.peers(self.results["machine"]))
        if kind == "idle":
            return self._number(f"{self.results['standings']['idle'].value(who):,.0f}")
        if kind in ("seconds", "lines"):
            cost = self.results["include"].get(who, {}).get(kind)
            return "–" if cost is None else self._number(f"{cost:.2f}" if kind == "seconds" else f"{cost:,}")
        row = self.results["standings"][kind]
        return self._number(f"{row.ratio(who):.2f}")

    def _number(self, text: str) -> str:
        return text.translate(str.maketrans(",.", ".,")) if self.language == "pt" else text

    def _table(self, text: Text) -> list[str]:
        standings = self.results["standings"]
        rows = [row for row in ROWS if row.name in text.columns]
        lines = [
            "| | " + " | ".join(text.columns[row.name][self.language] for row in rows) + " |",
            "|---|" + "--:|" * len(rows),
        ]
        for who in CONTESTANTS:
            if not is_again(who.name) and any(standings[row.name].value(who.name) for row in rows):
                title = TITLES[self.language].get(who.title, who.title)
                title = f"**{title}**" if who.kind == "soquete" else title
                lines.append(self._line(title, [_ratio(standings[row.name], who, row) for row in rows]))
        spreads = [standings[row.name].spread() for row in rows]
        cells = ["–" if s is None else f"{100 * s:.1f} %" for s in spreads]
        return [*lines, self._line(f"*{TITLES[self.language]['spread']}*", cells)]

    def _line(self, first: str, cells: list[str]) -> str:
        return " | ".join([f"| {first}", *map(self._number, cells)]) + " |"


def _ratio(standing: Standing, who: Contestant, row: Row) -> str:
    value, top = standing.value(who.name), standing.ceiling()
    if not value or not top:
        return "–"
    return f"{value / top[1]:.2f}" + (" \\*" if row.role in who.instead else "")
