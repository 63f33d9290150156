"""The TCP echo rows as a picture: CPU of the server for a message, where hand-written io_uring is 1."""

from html import escape

from .contestants import HAND, HAND_AGAIN, CONTESTANTS
from .rows import ROWS, SIZES, Row
from .standing import Standing

WIDTH, LABELS, GAP, TOP = 880, 148, 18, 60
BAR, PITCH, PANEL_HEAD = 11, 17, 40
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


def draw(standings: dict[str, Standing], caption: str) -> str:
    """An SVG document; empty if hand-written io_uring took no part."""
    rows = [row for row in ROWS if row.mode == "echo" and row.name in standings]
    rows = [row for row in rows if standings[row.name].hand_written(HAND)]
    if not rows:
        return ""
    bands = [[row for row in rows if row.size == size] for size in SIZES]
    bands = [band for band in bands if band]
    taking_part = {name for row in rows for name, cell in standings[row.name].cells.items() if cell.values}
    names = [c for c in CONTESTANTS if c.name in taking_part and c.name != HAND_AGAIN]
    panel_height = PANEL_HEAD + PITCH * len(names) + 10
    height = TOP + panel_height * len(bands) + 22
    columns = max(len(band) for band in bands)
    panel = (WIDTH - LABELS - 16 - GAP * (columns - 1)) / columns

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        ' role="img" aria-labelledby="title">',
        f"<style>{STYLE}</style>",
        # Its own ground: the page's theme need not be the system's, which is the one that the style can see.
        '<rect class="ground" width="100%" height="100%" rx="6"/>',
        '<text class="title" id="title" x="16" y="28">CPU of a TCP echo server for each message</text>',
        '<text class="quiet" x="16" y="48">1.00 is io_uring written by hand in C (dashed line); shorter is better.'
        f" A gap: the bar is cut at {RATIO_MAX:g}.</text>",
    ]
    for index, band in enumerate(bands):
        top = TOP + panel_height * index
        parts += _labels(names, top + PANEL_HEAD)
        for column, row in enumerate(band):
            parts += _panel(row, standings[row.name], names, LABELS + column * (panel + GAP), top, panel)
    parts.append(f'<text class="number" x="16" y="{height - 10}">{escape(caption)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _labels(names, top: float) -> list[str]:
    return [
        f'<text class="{"ours" if who.kind == "soquete" else ""}" x="{LABELS - 8}" y="{top + PITCH * i + BAR - 1}"'
        f' text-anchor="end">{escape(who.title)}</text>'
        for i, who in enumerate(names)
    ]


def _panel(row: Row, standing: Standing, names, left: float, top: float, width: float) -> list[str]:
    one = standing.hand_written(HAND)
    scale = (width - 34) / RATIO_MAX  # Room for the number after the longest bar.
    x = left + scale
    first = top + PANEL_HEAD
    parts = [f'<text class="head" x="{left:.1f}" y="{top + 26}">{escape(row.title)}</text>']
    for i, who in enumerate(names):
        cell = standing.cells.get(who.name)
        y = first + PITCH * i
        if not cell or not cell.values:
            parts.append(f'<text class="number" x="{left + 2:.1f}" y="{y + BAR - 1}">not measured</text>')
            continue
        # By definition 1: the mean of its two copies.
        ratio = 1 if who.name == HAND else cell.median / one
        end = left + min(ratio, RATIO_MAX) * scale
        parts += _bar(who.kind, left, end, y, cut=ratio > RATIO_MAX)
        # Never under the dashed line.
        number = x + 5 if end <= x else end + 5
        parts.append(f'<text class="number" x="{number:.1f}" y="{y + BAR - 1}">{_short(ratio)}</text>')
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
