"""Where and with what it was measured: a number without this means nothing."""

import json
import os
import platform
from pathlib import Path

from . import relays

# The peers, and the fact that is their version.
PEERS = {
    "asio": "Asio",
    "asio_newest": "newest Asio",
    "libuv": "libuv",
    "libevent": "libevent",
    "tokio": "tokio",
    "go": "Go",
}


def describe(folder: Path) -> dict[str, str]:
    """Kernel, processor, and what CMake noted when it configured the contestants."""
    facts = {
        "kernel": platform.release(),
        "processor": f"{os.cpu_count()} x {_processor()}",
        "load average before": f"{os.getloadavg()[0]:.2f}",
    }
    noted = folder / "built_with.json"
    if noted.exists():
        facts |= {key: value for key, value in json.loads(noted.read_text()).items() if value.strip()}
    return facts | relays.versions()


def peers(facts: dict[str, str]) -> list[tuple[str, str, str]]:
    """Contestant, title and version of those that are built."""
    return [
        (name, title, facts[title].removeprefix("go").removesuffix("-stable"))
        for name, title in PEERS.items()
        if title in facts
    ]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()
