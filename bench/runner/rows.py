"""What is measured: one row for each question."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Row:
    name: str
    table: str  # The heading of the table that it is a column of.
    column: str
    mode: str  # Of the load generator.
    panel: str = ""  # What stands above it in the pictures; empty: it is in none.
    arguments: tuple[str, ...] = ()
    value: str = "cpu_ns"  # The field of the answer that is compared.
    unit: str = "ns"
    rounds_max: int = 1000
    over: str = "tcp"  # Or "unix", "udp".
    role: str = "echo"  # What the server does.
    # Fields of the answer that its table shows as they are, and what stands above each; empty: `value` as a ratio.
    shows: tuple[tuple[str, str], ...] = ()
    # "together": server and load share a core. "apart": each has its own. "loops": both use two, and two loops of the
    # server under two loads are compared with one under one, together.
    cores: str = "together"
    method: int = 1  # How it is measured, by number: figures of another method are another experiment.


UDP_ECHO, UDP_ONE_WAY = "UDP echo", "UDP one way, for a datagram"
# In flight at once, as far as the receive buffer allows; 54 datagrams of 1200 bytes are what a run can hold.
FLOOD, RUNS_RECEIVED, RUNS_SENT = {"window": 512}, {"window": 2430, "run": 54}, {"window": 162}

SIZES = {64: "64 B", 1200: "1200 B", 4096: "4 KiB", 65536: "64 KiB"}


def _short(size: int) -> str:
    return SIZES[size].replace(" ", "")


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _tcp_echo(connections: int, size: int) -> Row:
    return Row(
        f"echo-{connections}x{_short(size)}",
        f"TCP echo, {SIZES[size]}",
        _plural(connections, "connection"),
        "echo",
        f"{_plural(connections, 'connection')}, {SIZES[size]}",
        ("--connections", str(connections), "--size", str(size)),
    )


def _unix_echo(connections: int, size: int) -> Row:
    column = f"{_plural(connections, 'connection')}, {SIZES[size]}"
    return Row(
        f"unix-{connections}x{_short(size)}",
        "Unix-domain echo",
        column,
        "echo",
        f"Unix: {column}" if connections == 64 else "",
        ("--connections", str(connections), "--size", str(size)),
        over="unix",
    )


def _udp(name: str, table: str, column: str, mode: str, role: str, panel: str, **arguments: int) -> Row:
    given = tuple(word for key, value in arguments.items() for word in (f"--{key}", str(value)))
    return Row(name, table, column, mode, panel, given, over="udp", role=role)


def _udp_echo(clients: int, size: int) -> Row:
    name, column = f"udp-{clients}x{_short(size)}", f"{_plural(clients, 'client')}, {SIZES[size]}"
    panel = f"UDP echo: {column}" if size == 64 else ""  # Those of 1200 B look the same.
    return _udp(name, UDP_ECHO, column, "datagrams", "echo", panel, connections=clients, size=size)


def _udp_batch(size: int) -> Row:
    name, column = f"udp-batch-{_short(size)}", f"in batches, {SIZES[size]}"
    panel = f"UDP echo: {column}" if size == 64 else ""
    return _udp(name, UDP_ECHO, column, "datagrams", "batch", panel, connections=32, window=4, size=size)


def _udp_receive(size: int) -> Row:
    name, column = f"udp-receive-{_short(size)}", f"receive, {SIZES[size]}"
    panel = f"UDP: {column}" if size == 64 else ""
    return _udp(name, UDP_ONE_WAY, column, "flood", "sink", panel, size=size, **FLOOD)


def _udp_runs(name: str, column: str, mode: str, role: str, window: dict[str, int]) -> Row:
    return _udp(name, UDP_ONE_WAY, column, mode, role, f"UDP: {column}", size=1200, **window)


LATENCY = "Latency of a TCP echo of 64 B, server and load on cores of their own, µs"


def _latency(
    name: str, mode: str, panel: str, value: str, arguments: tuple[str, ...], *shows: tuple[str, str], method: int = 1
) -> Row:
    arguments = (*arguments, "--spin", "1")
    return Row(name, LATENCY, panel, mode, panel, arguments, value, "µs", shows=shows, cores="apart", method=method)


def _loops(name: str, what: str, mode: str, connections: int) -> Row:
    return Row(
        name,
        "Two loops on two cores: how many times the work of one",
        what,
        mode,
        arguments=("--connections", str(connections)),
        value="scaling",
        unit="times",
        shows=(("scaling", what),),
        cores="loops",
        method=2,
    )


def half_of(row: Row) -> Row:
    """What one loop is asked beside two: one load, half the connections, one core."""
    mode, connections = row.mode.removesuffix("-by-two"), int(row.arguments[-1])
    return replace(row, mode=mode, arguments=("--connections", str(connections // 2)), cores="together")


ROWS = [
    *(_tcp_echo(connections, size) for size in (64, 4096, 65536) for connections in (1, 64, 1000)),
    Row("bulk", "TCP, bulk and connections", "bulk, a KiB", "bulk", arguments=("--size", "262144"), role="sink"),
    Row("connect", "TCP, bulk and connections", "a connection", "connect", arguments=("--connections", "32")),
    # A count, not a time: it hardly varies, so a few rounds are enough.
    Row(
        "idle",
        "Memory of the server for an idle connection that has done one echo",
        "bytes",
        "idle",
        arguments=("--connections", "4000"),
        value="bytes",
        unit="B",
        rounds_max=2,
        shows=(("bytes", "bytes"),),
    ),
    # What a relay has queued is sent from its load, once that reads and makes room: sometimes all of it, sometimes
    # none. So its own CPU time differs twofold between runs, and the sum is what is compared.
    Row(
        "relay",
        "TCP, a relay: CPU for a KiB, ns",
        "with its load",
        "relay",
        "a relay and its load",
        role="relay",
        value="both_ns",
        shows=(("both_ns", "with its load"), ("cpu_ns", "alone")),
        method=2,
    ),
    _latency(
        "latency-one",
        "echo",
        "1 connection: p50",
        "p50_us",
        ("--connections", "1"),
        ("p50_us", "1 connection: p50"),
        ("p99_us", "p99"),
    ),
    # The runner adds the rate.
    _latency(
        "latency-open",
        "open-loop",
        "1000 at 70 % load: p99.9",
        "p999_us",
        ("--connections", "1000"),
        ("p50_us", "1000 at 70 % load: p50"),
        ("p99_us", "p99"),
        ("p999_us", "p99.9"),
        method=2,
    ),
    _loops("loops-messages", "messages", "echo-by-two", 1000),
    _loops("loops-clients", "connections", "connect-by-two", 64),
    *(_unix_echo(connections, size) for connections, size in ((1, 64), (64, 64), (64, 4096), (64, 65536))),
    *(_udp_echo(clients, size) for size in (64, 1200) for clients in (1, 64)),
    *(_udp_batch(size) for size in (64, 1200)),
    *(_udp_receive(size) for size in (64, 1200)),
    _udp_runs("udp-gro", "receive runs (GRO), 1200 B", "flood", "gro", RUNS_RECEIVED),
    _udp_runs("udp-gso", "send runs (GSO), 1200 B", "fetch", "gso", RUNS_SENT),
]

# What a benchmark does not look at; see --check.
CHECKS = [
    Row("tcp", "", "", "check"),
    Row("unix", "", "", "check", over="unix"),
    Row("udp", "", "", "check-datagrams", over="udp"),
    Row("udp-batch", "", "", "check-datagrams", over="udp", role="batch"),
]
