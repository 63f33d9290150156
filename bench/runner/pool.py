"""What earlier runs have left, put together: more rounds than one run had time for."""

import json
from pathlib import Path

from .rows import ROWS, Row
from .standing import Cell, Standing


def of_runs(saved: list[Path]) -> dict:
    """One run with the rounds of all. What is not measured in rounds is of the last that has it, the machine of the last."""
    runs = [json.loads(path.read_text()) for path in saved]
    if len(runs) == 1:
        return runs[0] | {"standings": {row.name: _standing(row, runs) for row in _rows_of(runs)}}
    commands = list(dict.fromkeys(run["command"] for run in runs))
    apart = {what: next((r[what] for r in reversed(runs) if r.get(what)), {}) for what in ("counts", "include", "program")}
    return (
        runs[-1]
        | apart
        | {
            "standings": {row.name: _standing(row, runs) for row in _rows_of(runs)},
            "rounds": " + ".join(str(run["rounds"]) for run in runs),
            "seed": ", ".join(str(run["seed"]) for run in runs),
            "remarks": list(dict.fromkeys(remark for run in runs for remark in run["remarks"])),
            "command": "`, `".join(commands),
            "seconds": sum(run["seconds"] for run in runs),
        }
    )


def _rows_of(runs: list[dict]) -> list[Row]:
    return [row for row in ROWS if any(row.name in run["standings"] for run in runs)]


def _standing(row: Row, runs: list[dict]) -> Standing:
    cells: dict[str, Cell] = {}
    for run in runs:
        for name, cell in run["standings"].get(row.name, {"cells": {}})["cells"].items():
            mine = cells.setdefault(name, Cell([], [], []))
            answers = [answer for answer in cell["answers"] if row.value in answer]
            mine.answers += answers
            mine.values += [answer[row.value] for answer in answers]
            mine.failures += cell["failures"]
    return Standing(cells)
