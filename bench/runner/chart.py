"""Rows as pictures: CPU of the server for a message, where the best hand-written server is 1."""

from dataclasses import dataclass
from html import escape

from .contestants import CONTESTANTS
from .rows import ROWS, Row
from .standing import Standing, is_again

WIDTH, LABELS, GAP, TOP = 920, 206, 18, 60
BAR, PITCH, PANEL_HEAD, COLUMNS = 11, 17, 40, 3
RATIO_MAX = 2.0  # Longer bars are cut, with their number beside them.

STYLE = """
  text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; }
  .head { font-weight: 600; }
  .quiet { fill: #59636e; }
  .number { font-size: 11px; fill: #59636e; }
  .ours { font-weight: 600; }
  .soquete { fill: #0f7b6c; } .hand { fill: #57606a; } .peer { fill: #b8c0c8; }
  .ground { fill: #ffffff; }
  .one { stroke: #1f2328; stroke-width: 1; stroke-dasharray: 2 2; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; }
    text { fill: #f0f6fc; }
    .quiet, .number { fill: #9198a1; }
    .soquete { fill: #2fbfa7; } .hand { fill: #9aa4ae; } .peer { fill: #4a535d; }
    .one { stroke: #f0f6fc; }
  }
"""


@dataclass(frozen=True)
class Picture:
    suffix: str  # Of the file's name.
    title: str
    over: tuple[str, ...]  # Whose rows it shows.
    is_of_echoes: bool = True  # On one core; else what is measured on two, and relays.
    cores: str = "one core"

    def shows(self, row: Row) -> bool:
        is_echo = row.cores == "together" and row.role != "relay"
        return bool(row.panel) and row.over in self.over and is_echo == self.is_of_echoes


PICTURES = [
    Picture("", "CPU of a TCP echo server for each message", ("tcp",)),
    Picture("-datagrams", "CPU of a server for each message: Unix-domain streams and UDP", ("unix", "udp")),
    Picture("-latency", "Latency of a TCP echo, and CPU of a relay and its load", ("tcp",), False, "two cores"),
]


def draw(picture: Picture, standings: dict[str, Standing], caption: str) -> str:
    """An SVG document; empty if none of its rows was measured beside a hand-written server."""
    rows = [row for row in ROWS if picture.shows(row) and row.name in standings]
    rows = [row for row in rows if standings[row.name].ceiling()]
    if not rows:
        return ""
    # Other programs are relays than are servers.
    groups = [[row for row in rows if (row.role == "relay") == relays] for relays in (False, True)]
    bands = [_Band(group[i : i + COLUMNS], standings) for group in groups for i in range(0, len(group), COLUMNS)]
    is_marked = any(row.role in who.instead for band in bands for row in band.rows for who in band.names)
    height = TOP + sum(band.height for band in bands) + (38 if is_marked else 22)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        ' role="img" aria-labelledby="title">',
        f"<style>{STYLE}</style>",
        # Its own ground: the page's theme need not be the system's, which is the one that the style can see.
        '<rect class="ground" width="100%" height="100%" rx="6"/>',
        f'<text class="title" id="title" x="16" y="28">{escape(picture.title)}</text>',
        '<text class="quiet" x="16" y="48">1.00 is the best of the servers written by hand in C (dashed line);'
        f" shorter is better. A gap: the bar is cut at {RATIO_MAX:g}.</text>",
    ]
    top = TOP
    for band in bands:
        parts += band.draw(standings, top)
        top += band.height
    if is_marked:
        words = "* It has nothing for that, and does it instead as well as it can: see bench/README.md."
        parts.append(f'<text class="number" x="16" y="{height - 26}">{words}</text>')
    parts.append(f'<text class="number" x="16" y="{height - 10}">{escape(caption)}</text>')
    return "\n".join([*parts, "</svg>", ""])


class _Band:
    """Panels side by side, and the names of all who take part in one of them."""

    def __init__(self, rows: list[Row], standings: dict[str, Standing]):
        taking_part = {name for row in rows for name, cell in standings[row.name].cells.items() if cell.values}
        self.rows = rows
        self.names = [c for c in CONTESTANTS if c.name in taking_part and not is_again(c.name)]
        self.height = PANEL_HEAD + PITCH * len(self.names) + 10

    def draw(self, standings: dict[str, Standing], top: float) -> list[str]:
        width = (WIDTH - LABELS - 16 - GAP * (COLUMNS - 1)) / COLUMNS
        parts = _labels(self.names, top + PANEL_HEAD)
        for column, row in enumerate(self.rows):
            parts += _panel(row, standings[row.name], self.names, LABELS + column * (width + GAP), top, width)
        return parts


def _labels(names, top: float) -> list[str]:
    return [
        f'<text class="{"ours" if who.kind == "soquete" else ""}" x="{LABELS - 8}" y="{top + PITCH * i + BAR - 1}"'
        f' text-anchor="end">{escape(who.title)}</text>'
        for i, who in enumerate(names)
    ]


def _panel(row: Row, standing: Standing, names, left: float, top: float, width: float) -> list[str]:
    one = standing.ceiling()[1]
    scale = (width - 34) / RATIO_MAX  # Room for the number after the longest bar.
    x = left + scale
    first = top + PANEL_HEAD
    parts = [f'<text class="head" x="{left:.1f}" y="{top + 26}">{escape(row.panel)}</text>']
    for i, who in enumerate(names):
        value = standing.value(who.name)
        y = first + PITCH * i
        if value is None:
            parts.append(f'<text class="number" x="{left + 2:.1f}" y="{y + BAR - 1}">not measured</text>')
            continue
        ratio = value / one
        end = left + min(ratio, RATIO_MAX) * scale
        parts += _bar(who.kind, left, end, y, cut=ratio > RATIO_MAX)
        # Never under the dashed line.
        number = x + 5 if end <= x else end + 5
        mark = " *" if row.role in who.instead else ""
        parts.append(f'<text class="number" x="{number:.1f}" y="{y + BAR - 1}">{_short(ratio)}{mark}</text>')
    bottom = first + PITCH * len(names) - 2
    parts.append(f'<line class="one" x1="{x:.1f}" y1="{first - 4}" x2="{x:.1f}" y2="{bottom}"/>')
    return parts


def _bar(kind: str, left: float, end: float, y: float, cut: bool) -> list[str]:
    # A gap near its end says that the bar would be longer.
    pieces = [(left, end - 9), (end - 6, end)] if cut else [(left, end)]
    return [
        f'<rect class="{kind}" x="{a:.1f}" y="{y}" width="{b - a:.1f}" height="{BAR}" rx="1.5"/>' for a, b in pieces
    ]


def _short(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}"
