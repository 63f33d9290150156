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

APART = ("counts", "include", "program")  # Measured once, beside the rows.
PLACE = re.compile(r"(<!-- bench (\w+) -->\n).*?(<!-- /bench -->)", re.DOTALL)


def fill(document: Path, results: dict) -> int:
    """How many places were filled. What needs a row that was not measured stays as it is."""
    language = "pt" if "pt-BR" in document.name else "en"
    filled = 0

    def text(found: re.Match) -> str:
        nonlocal filled
        name = found[2]
        needs = {row.name for row in ROWS} | {*APART} if name == "all" else TEXTS[name].needs
        if not needs <= results["standings"].keys() | {name for name in APART if results.get(name)}:
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
        """What stands for {name} in a text: "rounds", "versions", "idle/asio", "bulk/soquete-epoll", "lines/Asio",
        "program_text/Asio"."""
        kind, _, who = name.partition("/")
        if kind == "rounds":
            return str(self.results["rounds"])
        if kind == "machine":
            return f"{self.results['machine']['processor']}, Linux {self.results['machine']['kernel'].split('-')[0]}"
        if kind == "versions":
            return ", ".join(f"{title} {version}" for _, title, version in machine.peers(self.results["machine"]))
        if kind == "idle":
            return self._number(f"{self.results['standings']['idle'].value(who):,.0f}")
        if kind in ("seconds", "lines", "program_seconds", "program_text"):
            part, field = ("program", kind[8:]) if kind.startswith("program_") else ("include", kind)
            cost = self.results[part].get(who, {}).get(field)
            return "–" if cost is None else self._number(f"{cost:.2f}" if field == "seconds" else f"{cost:,}")
        ratio = self.results["standings"][kind].ratio(who)
        return "–" if ratio is None else self._number(f"{ratio:.2f}")

    def _number(self, text: str) -> str:
        return text.translate(str.maketrans(",.", ".,")) if self.language == "pt" else text

    def _table(self, text: Text) -> list[str]:
        lines = [
            "| | " + " | ".join(words[self.language] for words in text.columns.values()) + " |",
            "|---|" + "--:|" * len(text.columns),
        ]
        for who in CONTESTANTS:
            cells = [self._cell(column, who) for column in text.columns]
            if not is_again(who.name) and any(cell != "–" for cell in cells):
                title = TITLES[self.language].get(who.title, who.title)
                lines.append(self._line(f"**{title}**" if who.kind == "soquete" else title, cells))
        cells = [self._spread(column) for column in text.columns]
        return [*lines, self._line(f"*{TITLES[self.language]['spread']}*", cells)]

    def _cell(self, column: str, who: Contestant) -> str:
        name, _, field = column.partition("/")
        if name in APART:
            found = self.results[name].get(who.name, {}).get(field)
            return report.count(found) if isinstance(found, float) else "–"
        standing, row = self.results["standings"][name], next(row for row in ROWS if row.name == name)
        if field:
            words = report.field(standing, row, field, who)
            return TITLES[self.language].get(words, words)
        return _ratio(standing, who, row)

    def _spread(self, column: str) -> str:
        name, _, field = column.partition("/")
        found = None if name in APART else self.results["standings"][name].spread(field)
        return "–" if found is None else f"{100 * found:.1f} %"

    def _line(self, first: str, cells: list[str]) -> str:
        return " | ".join([f"| {first}", *map(self._number, cells)]) + " |"


def _ratio(standing: Standing, who: Contestant, row: Row) -> str:
    value, top = standing.value(who.name), standing.ceiling()
    if not value or not top:
        return "–"
    return f"{value / top[1]:.2f}" + (" \\*" if row.role in who.instead else "")
