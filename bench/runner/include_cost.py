"""What `#include <soquete/soquete.hpp>` costs a compiler, beside `#include <asio.hpp>`."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

HEADERS = {"soquete": ("soquete/soquete.hpp", []), "Asio": ("asio.hpp", ["-DASIO_STANDALONE"])}


def measure(include: Path, times: int) -> dict[str, dict]:
    """Median seconds and preprocessed lines of a program that includes the header and does nothing."""
    found = {}
    for name, (header, flags) in HEADERS.items():
        if name == "soquete" and not (include / header).exists():
            found[name] = {"skipped": f"{header} is missing"}
            continue
        found[name] = _one(header, ["-std=c++23", "-O0", *flags, f"-I{include}"], times)
    return found


def _one(header: str, flags: list[str], times: int) -> dict:
    compiler = shutil.which("g++")
    if not compiler:
        return {"skipped": "g++ is missing"}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "main.cpp"
        source.write_text(f"#include <{header}>\nint main() {{}}\n")
        command = [compiler, *flags, "-c", str(source), "-o", str(Path(folder) / "main.o")]
        seconds = []
        for _ in range(times):
            began = time.monotonic()
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
            seconds.append(time.monotonic() - began)
            if done.returncode != 0:
                return {"skipped": "it does not compile: " + (done.stderr.strip().splitlines() or ["?"])[0]}
        text = subprocess.run(
            [compiler, *flags, "-E", str(source)], capture_output=True, text=True, timeout=120
        ).stdout
    return {"seconds": median(seconds), "lines": text.count("\n")}
