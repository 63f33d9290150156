"""The results as Markdown that is also tidy as plain text."""

from .contestants import CONTESTANTS
from .rows import ROWS, Row
from .standing import AA_SPREAD_MAX, Standing, title_of


def summary(results: dict) -> str:
    """Everything a reader needs to judge: ratios, controls, memory, include cost, conditions."""
    standings = results["standings"]
    parts = []
    for heading in dict.fromkeys(row.table for row in ROWS):
        rows = [row for row in ROWS if row.table == heading and row.name in standings]
        if rows and rows[0].shows:
            parts += [heading, "", _plain(rows, standings), ""]
        elif rows:
            parts += [f"{heading}: CPU of the server, ÷ the best hand-written server", ""]
            parts += [_ratios(rows, standings), ""]
    if results.get("counts"):
        parts += ["What a TCP echo of 64 B takes, 64 connections", "", _counts(results["counts"]), ""]
    if results["include"]:
        parts += ["What including the header costs, g++ -std=c++23 -O0", "", _include(results["include"]), ""]
    if results.get("program"):
        parts += ["What an echo server costs, at -O2: a program of one page", "", _program(results["program"]), ""]
    return "\n".join(parts + _notes(results))


def details(results: dict) -> str:
    """Every cell: medians and minima, since one without the other hides a machine with two speeds."""
    lines = []
    for row in ROWS:
        standing = results["standings"].get(row.name)
        if not standing:
            continue
        fields = {"per_second": "a second", "p50_us": "p50 µs", "p99_us": "p99 µs"}
        fields |= {"busy": "busy", "one_ns": "one ns", "two_ns": "two ns", "busiest_ns": "busiest ns", "lost": "lost"}
        fields = {field: words for field, words in fields.items() if any(c.has(field) for c in standing.cells.values())}
        table = [["", f"median {row.unit}", f"minimum {row.unit}", *fields.values()]]
        for name, cell in standing.cells.items():
            if cell.values:
                numbers = [cell.median, cell.minimum] + [cell.median_of(field) for field in fields]
                table.append([title_of(name), *("" if n is None else _number(n) for n in numbers)])
        lines += [f"{row.name} ({row.table}: {row.column})", "", table_of(table), ""]
    return "\n".join(lines)


def _ratios(rows: list[Row], standings: dict[str, Standing]) -> str:
    table = [["", *(row.column for row in rows)]]
    for who in CONTESTANTS:
        if any(who.name in standings[row.name].cells for row in rows):
            table.append([who.title, *(_ratio(standings[row.name], who, row) for row in rows)])
    table.append(["the best by hand", *(_ceiling(standings[row.name], row) for row in rows)])
    table.append(["A/A spread", *(_spread(standings[row.name]) for row in rows)])
    return table_of(table)


def _ratio(standing: Standing, who, row: Row) -> str:
    cell, ratio = standing.cells.get(who.name), standing.ratio(who.name)
    if cell is None:
        return "–"
    mark = " *" if row.role in who.instead else ""
    failed = f" ({len(cell.failures)} failed)" if cell.failures else ""
    if ratio is None:
        return "failed" if cell.failures else _number(cell.median)
    return f"{ratio:.2f}{mark}{failed}"


def _ceiling(standing: Standing, row: Row) -> str:
    top = standing.ceiling()
    if not top:
        return "–"
    return f"{_number(top[1])} {row.unit}, {title_of(top[0]).replace(' in C', '')}"


def _spread(standing: Standing, field: str = "") -> str:
    spread = standing.spread(field)
    if spread is None:
        return "–"
    return f"{spread:.1%}{' (!)' if spread > AA_SPREAD_MAX else ''}"


def _plain(rows: list[Row], standings: dict[str, Standing]) -> str:
    """Fields as they are."""
    columns = [(standings[row.name], row, name) for row in rows for name, _ in row.shows]
    table = [["", *(heading for row in rows for _, heading in row.shows)]]
    for who in CONTESTANTS:
        if any(who.name in standing.cells for standing, _, _ in columns):
            table.append([who.title, *(field(*column, who) for column in columns)])
    if any(standing.spread(name) is not None for standing, _, name in columns):
        table.append(["A/A spread", *(_spread(standing, name) for standing, _, name in columns)])
    return table_of(table)


def field(standing: Standing, row: Row, name: str, who) -> str:
    cell = standing.cells.get(who.name)
    if cell is None:
        return "–"
    value = cell.median_of(name)
    if value is None:
        return "failed" if cell.failures else "–"
    failed = f" ({len(cell.failures)} failed)" if cell.failures else ""
    return (f"{value:.2f}" if row.unit == "times" else _number(value)) + failed


def _counts(counts: dict[str, dict]) -> str:
    fields = ("system calls", "allocations")
    lines = [[title_of(name), *(count(found[field]) for field in fields)] for name, found in counts.items()]
    return table_of([["", *fields], *lines])


def count(found: float | str) -> str:
    """A number of which the thousandths matter, or why there is none."""
    if isinstance(found, str):
        return found
    return f"{found:.3f}" if found >= 0.0005 else "0"


def _include(costs: dict[str, dict]) -> str:
    table = [["", "seconds", "preprocessed lines"]]
    for name, cost in costs.items():
        if "skipped" in cost:
            table.append([name, "–", cost["skipped"]])
        else:
            table.append([name, f"{cost['seconds']:.2f}", f"{cost['lines']:,}"])
    return table_of(table)


def _program(costs: dict[str, dict]) -> str:
    table = [["", "CPU seconds to compile", "bytes of text beside the library"]]
    for name, cost in costs.items():
        known = "skipped" not in cost
        cells = [f"{cost['seconds']:.2f}", f"{cost['text']:,}"] if known else ["–", cost["skipped"]]
        table.append([name, *cells])
    return table_of(table)


def _notes(results: dict) -> list[str]:
    standings = results["standings"]
    spreads = [s for s in (standing.spread() for standing in standings.values()) if s is not None]
    notes = []
    if spreads and max(spreads) > AA_SPREAD_MAX:
        notes.append(
            f"(!) Two runs of one and the same program differ by more than {AA_SPREAD_MAX:.0%}: repeat, do not judge."
        )
    notes.append("1.00 is the ceiling and lower is better. Differences below twice the A/A spread say nothing.")
    notes += _marks(standings) + _losses(standings)
    if any(row.over == "udp" and row.name in standings for row in ROWS):
        notes.append("With datagrams neither the server nor the load interrupts the other (SCHED_BATCH).")
    cores = {row.cores for row in ROWS if row.name in standings}
    if "apart" in cores:
        notes.append(
            "For latencies the load has a core of its own and never sleeps. Those at 70 % load are percentiles of a tenth"
            " of a second, the median of all tenths."
        )
    if "loops" in cores:
        notes.append("Two loops and the two processes of their load use two cores.")
    if results.get("counts"):
        notes.append(
            "Counted and not timed: system calls by strace -c, which slows the server, so that more wait for each turn;"
            " allocations are calls of malloc and its kin, and Go's heap is its own."
        )
    several = " (runs put together, of which not each has every row)" if isinstance(results["rounds"], str) else ""
    notes.append(
        f"Medians of {results['rounds']} interleaved rounds{several} in shuffled order, seed {results['seed']}."
    )
    notes.append("; ".join(results["conditions"]) + ".")
    notes.append(", ".join(f"{key} {value}".strip() for key, value in results["machine"].items()) + ".")
    notes.append(f"{results['seconds']:.0f} s: `{results['command']}`")
    notes += results["remarks"]
    return ["Notes", "", *(f"- {note}" for note in notes), ""]


def _marks(standings: dict[str, Standing]) -> list[str]:
    """What stands behind a star, and why somebody is missing."""
    measured = [row for row in ROWS if row.name in standings]
    notes = []
    for who in CONTESTANTS:
        names = {}
        for row in measured:
            if row.role in who.instead and who.name in standings[row.name].cells:
                names.setdefault(who.instead[row.role], []).append(row.name)
        if names:
            words = "; ".join(f"{instead} ({', '.join(which)})" for instead, which in names.items())
            notes.append(f"(*) {who.title} has no such feature: {words}.")
        if who.absent and any(row.over == "udp" for row in measured):
            notes.append(f"{who.title} takes no part with datagrams: {who.absent}.")
    return notes


def _losses(standings: dict[str, Standing]) -> list[str]:
    found = [
        (answer["lost"], cell_name, row_name)
        for row_name, standing in standings.items()
        for cell_name, cell in standing.cells.items()
        for answer in cell.answers
        if "lost" in answer
    ]
    if not found:
        return []
    lost = sum(number for number, _, _ in found)
    if lost == 0:
        return ["No datagram was lost."]
    most, who, where = max(found)
    return [f"Datagrams lost: {lost:.0f} in {len(found)} runs, at most {most:.0f} in one ({where}, {title_of(who)})."]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 or value == 0 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def table_of(rows: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]

    def line(cells: list[str]) -> str:
        first, *others = (c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths)))
        return "| " + " | ".join([first, *others]) + " |"

    rule = "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    return "\n".join([line(rows[0]), rule, *(line(row) for row in rows[1:])])
