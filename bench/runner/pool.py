"""What earlier runs have left, put together: more rounds than one run had time for."""

import json
import sys
from pathlib import Path

from .contestants import CONTESTANTS
from .rows import ROWS, Row
from .standing import Cell, Standing


def of_runs(saved: list[Path]) -> dict:
    """One run with the rounds of all, of the rows that each has measured as they are measured now. What is not measured in
    rounds is of the last that has it. Ends the program if they are of different machines, or of servers that are not known."""
    runs = [json.loads(path.read_text()) for path in saved]
    if any(_machine(run) != _machine(runs[0]) for run in runs):
        sys.exit("these runs are of different machines, builds or versions, and cannot be put together")
    known = {who.name for who in CONTESTANTS}
    rows = [row for row in ROWS if any(_has(run, row) for run in runs)]
    for path, run in zip(saved, runs):
        for strange in (name for row in rows if _has(run, row) for name in run["standings"][row.name]["cells"]):
            if strange not in known:
                sys.exit(f"{path} has measured {strange}, which takes no part; of a run with --before, give that again")
    together = {"standings": {row.name: _standing(row, [run for run in runs if _has(run, row)]) for row in rows}}
    if len(runs) > 1:
        together |= {what: _last(what, runs) for what in ("counts", "include", "program")}
        together |= {
            "rounds": " + ".join(str(run["rounds"]) for run in runs),
            "seed": ", ".join(str(run["seed"]) for run in runs),
            "remarks": list(dict.fromkeys(remark for run in runs for remark in run["remarks"] if _stands(remark, run))),
            "command": "`, `".join(dict.fromkeys(run["command"] for run in runs)),
            "seconds": sum(run["seconds"] for run in runs),
        }
    return runs[-1] | together


def _machine(run: dict) -> dict:
    return {fact: value for fact, value in run["machine"].items() if not fact.startswith("load average")}


def _has(run: dict, row: Row) -> bool:
    return row.name in run["standings"] and run.get("methods", {}).get(row.name, 1) == row.method


def _stands(remark: str, run: dict) -> bool:
    """Not what is said of a row that is left out."""
    return all(_has(run, row) for row in ROWS if remark.startswith(f"{row.name}:"))


def _last(what: str, runs: list[dict]) -> dict:
    return next((run[what] for run in reversed(runs) if run.get(what)), {})


def _standing(row: Row, runs: list[dict]) -> Standing:
    cells: dict[str, Cell] = {}
    for run in runs:
        for name, cell in run["standings"][row.name]["cells"].items():
            mine = cells.setdefault(name, Cell([], [], []))
            mine.answers += cell["answers"]
            mine.values += cell["values"]
            mine.failures += cell["failures"]
    return Standing(cells)
