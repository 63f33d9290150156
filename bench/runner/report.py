"""The results as Markdown that is also tidy as plain text."""

from .contestants import HAND, CONTESTANTS
from .rows import ROWS, SIZES, Row
from .standing import AA_SPREAD_MAX, Standing, title_of


def summary(results: dict) -> str:
    """Everything a reader needs to judge: ratios, controls, memory, include cost, conditions."""
    standings = results["standings"]
    rows = [row for row in ROWS if row.name in standings]
    parts = []
    for size, words in SIZES.items():
        echo = [row for row in rows if row.mode == "echo" and row.size == size]
        if echo:
            heads = [f"{row.connections} connection{'s' if row.connections > 1 else ''}" for row in echo]
            parts += [f"TCP echo, {words}: CPU of the server for a message, ÷ the better hand-written server", ""]
            parts += [_ratios(echo, heads, standings), ""]
    rest = [row for row in rows if row.mode != "echo" and row.value == "cpu_ns"]
    if rest:
        parts += ["Bulk and connections: CPU of the server, ÷ the better hand-written server", ""]
        parts += [_ratios(rest, [row.title for row in rest], standings), ""]
    for row in rows:
        if row.value == "bytes":
            parts += ["Memory of the server for an idle connection that has done one echo", ""]
            parts += [_memory(standings[row.name]), ""]
    if results["include"]:
        parts += ["What including the header costs, g++ -std=c++23 -O0", "", _include(results["include"]), ""]
    return "\n".join(parts + _notes(results))


def details(results: dict) -> str:
    """Every cell: medians and minima, since one without the other hides a machine with two speeds."""
    lines = []
    for row in ROWS:
        standing = results["standings"].get(row.name)
        if not standing:
            continue
        table = [["", f"median {row.unit}", f"minimum {row.unit}", "a second", "p50 µs", "p99 µs"]]
        for name, cell in standing.cells.items():
            if cell.values:
                numbers = [cell.median, cell.minimum] + [
                    cell.median_of(field) for field in ("per_second", "p50_us", "p99_us")
                ]
                table.append([title_of(name), *("" if n is None else _number(n) for n in numbers)])
        lines += [f"{row.name} ({row.mode} {row.title})", "", _table(table), ""]
    return "\n".join(lines)


def _ratios(rows: list[Row], heads: list[str], standings: dict[str, Standing]) -> str:
    table = [["", *heads]]
    for who in CONTESTANTS:
        cells = [standings[row.name].cells.get(who.name) for row in rows]
        if any(cells):
            table.append([who.title, *(_ratio(standings[row.name], who.name) for row in rows)])
    table.append(["the better by hand", *(_ceiling(standings[row.name], row) for row in rows)])
    table.append(["A/A spread", *(_spread(standings[row.name]) for row in rows)])
    return _table(table)


def _ratio(standing: Standing, name: str) -> str:
    cell, ratio = standing.cells.get(name), standing.ratio(name)
    if cell is None:
        return "–"
    failed = f" ({len(cell.failures)} failed)" if cell.failures else ""
    if ratio is None:
        return "failed" if cell.failures else _number(cell.median)
    return f"{ratio:.2f}{failed}"


def _ceiling(standing: Standing, row: Row) -> str:
    top = standing.ceiling()
    if not top:
        return "–"
    return f"{_number(top[1])} {row.unit}, {'io_uring' if top[0] == HAND else 'epoll'}"


def _spread(standing: Standing) -> str:
    spread = standing.spread()
    if spread is None:
        return "–"
    return f"{spread:.1%}{' (!)' if spread > AA_SPREAD_MAX else ''}"


def _memory(standing: Standing) -> str:
    table = [["", "bytes"]]
    for name, cell in standing.cells.items():
        table.append([title_of(name), _number(cell.median) if cell.values else "failed"])
    return _table(table)


def _include(costs: dict[str, dict]) -> str:
    table = [["", "seconds", "preprocessed lines"]]
    for name, cost in costs.items():
        if "skipped" in cost:
            table.append([name, "–", cost["skipped"]])
        else:
            table.append([name, f"{cost['seconds']:.2f}", f"{cost['lines']:,}"])
    return _table(table)


def _notes(results: dict) -> list[str]:
    spreads = [s for s in (standing.spread() for standing in results["standings"].values()) if s is not None]
    notes = []
    if spreads and max(spreads) > AA_SPREAD_MAX:
        notes.append(
            f"(!) Two runs of one and the same program differ by more than {AA_SPREAD_MAX:.0%}: repeat, do not judge."
        )
    notes.append("1.00 is the ceiling and lower is better. Differences below twice the A/A spread say nothing.")
    notes.append(f"Medians of {results['rounds']} interleaved rounds in shuffled order, seed {results['seed']}.")
    notes.append("; ".join(results["conditions"]) + ".")
    notes.append(", ".join(f"{key} {value}".strip() for key, value in results["machine"].items()) + ".")
    notes.append(f"{results['seconds']:.0f} s: `{results['command']}`")
    notes += results["remarks"]
    return ["Notes", "", *(f"- {note}" for note in notes), ""]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _table(rows: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]

    def line(cells: list[str]) -> str:
        first, *others = (c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths)))
        return "| " + " | ".join([first, *others]) + " |"

    rule = "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    return "\n".join([line(rows[0]), rule, *(line(row) for row in rows[1:])])
