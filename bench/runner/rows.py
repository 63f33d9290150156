"""What is measured: one row for each question."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    name: str
    title: str
    mode: str  # Of the load generator.
    arguments: tuple[str, ...] = ()
    value: str = "cpu_ns"  # The field of the answer that is compared.
    unit: str = "ns"
    rounds_max: int = 1000
    sink: bool = False  # The server discards instead of answering.
    connections: int = 0
    size: int = 0


SIZES = {64: "64 B", 4096: "4 KiB", 65536: "64 KiB"}


def _echo(connections: int, size: int) -> Row:
    plural = "" if connections == 1 else "s"
    return Row(
        name=f"echo-{connections}x{SIZES[size].replace(' ', '')}",
        title=f"{connections} connection{plural}, {SIZES[size]}",
        mode="echo",
        arguments=("--connections", str(connections), "--size", str(size)),
        connections=connections,
        size=size,
    )


ROWS = [
    *(_echo(connections, size) for size in SIZES for connections in (1, 64, 1000)),
    Row("bulk", "bulk, a KiB", "bulk", ("--size", "262144"), sink=True),
    Row("connect", "a connection", "connect", ("--connections", "32")),
    # A count, not a time: it hardly varies, so a few rounds are enough.
    Row("idle", "an idle connection", "idle", ("--connections", "4000"), value="bytes", unit="B", rounds_max=2),
]
