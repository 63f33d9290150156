"""What an echo server costs a compiler, and how much of it is in the program itself and not in a library."""

import json
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path
from statistics import median

BENCH = Path(__file__).resolve().parent.parent
CXX, C = ["g++", "-std=c++23"], ["gcc", "-std=gnu11"]


def measure(folder: Path, times: int) -> dict[str, dict]:
    """Median CPU seconds at -O2, and bytes of text that the object brings, by library."""
    include, smallest = BENCH.parent / "include", BENCH / "smallest"
    programs = {
        "soquete": [*CXX, f"-I{include}", str(BENCH.parent / "examples/echo_server.cpp")],
        "Asio": [*CXX, "-DASIO_STANDALONE", str(smallest / "asio_echo.cpp")],
        "libuv, in C": [*C, str(smallest / "libuv_echo.c")],
    }
    newest = json.loads((folder / "includes.json").read_text())["newest Asio"]
    if newest:
        programs["newest Asio"] = [*programs["Asio"], f"-I{newest}"]
    return {name: _one(command, times) for name, command in programs.items()}


def _one(command: list[str], times: int) -> dict:
    if not shutil.which(command[0]) or not shutil.which("size"):
        return {"skipped": f"{command[0]} or size is missing"}
    with tempfile.TemporaryDirectory() as folder:
        made = str(Path(folder) / "program.o")
        seconds = []
        for _ in range(times):
            began = _seconds_of_children()
            done = subprocess.run(
                [*command, "-O2", "-DNDEBUG", "-c", "-o", made], capture_output=True, text=True, timeout=120
            )
            seconds.append(_seconds_of_children() - began)
            if done.returncode != 0:
                return {"skipped": "it does not compile: " + (done.stderr.strip().splitlines() or ["?"])[0]}
        sizes = subprocess.run(["size", made], capture_output=True, text=True, check=True).stdout
    return {"seconds": median(seconds), "text": int(sizes.splitlines()[1].split()[0])}


def _seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
