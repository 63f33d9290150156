"""What documents say around the figures of a run, in English and in Portuguese."""

from dataclasses import dataclass, field

NOTHING = {"en": "", "pt": ""}


@dataclass(frozen=True)
class Text:
    # Of the table, what stands above each. By name of a row: its ratios; by "ROW/FIELD": that field of its answers, or
    # of what is measured apart.
    columns: dict[str, dict[str, str]]
    before: dict[str, str]
    after: dict[str, str] = field(default_factory=lambda: NOTHING)
    stars: dict[str, str] = field(default_factory=lambda: NOTHING)  # Behind a table with stars.
    also: tuple[str, ...] = ()  # Rows that only `after` speaks of.

    @property
    def needs(self) -> set[str]:
        return {name.partition("/")[0] for name in (*self.columns, *self.also)}


def _both(english: str, portuguese: str) -> dict[str, str]:
    return {"en": english, "pt": portuguese}


ALL = """\
![CPU of a TCP echo server for each message, beside its peers](bench.svg)

![CPU of a server of Unix-domain streams and of datagrams, beside its peers](bench-datagrams.svg)

![Latency of a TCP echo, and CPU of a relay and its load, beside its peers](bench-latency.svg)

{}"""

TITLES = {
    "en": {"spread": "spread of one server run under two names"},
    "pt": {
        "Asio, coroutines": "Asio, corrotinas",
        "io_uring in C": "io_uring em C",
        "io_uring in C, polling": "io_uring em C, só como poll",
        "epoll in C": "epoll em C",
        "io_uring in C, spinning": "io_uring em C, sem dormir",
        "epoll in C, spinning": "epoll em C, sem dormir",
        "soquete, io_uring, spinning": "soquete, io_uring, sem dormir",
        "soquete, epoll, spinning": "soquete, epoll, sem dormir",
        "soquete, io_uring, pinned": "soquete, io_uring, preso ao núcleo",
        "soquete, epoll, pinned": "soquete, epoll, preso ao núcleo",
        "newest Asio": "Asio mais novo",
        "failed": "falhou",
        "spread": "diferença entre duas rodadas do mesmo servidor",
    },
}

TEXTS = {
    "tcp": Text(
        columns={
            "echo-1x64B": _both("1 connection, 64 B", "1 conexão, 64 B"),
            "echo-64x64B": _both("64, 64 B", "64, 64 B"),
            "echo-1000x64B": _both("1000, 64 B", "1000, 64 B"),
            "echo-64x4KiB": _both("64, 4 KiB", "64, 4 KiB"),
            "echo-64x64KiB": _both("64, 64 KiB", "64, 64 KiB"),
            "connect": _both("connect, echo, close", "conectar, ecoar, fechar"),
        },
        before=_both(
            """\
CPU time of a single-threaded echo server for each verified message, divided by that of the best of three servers written by hand
in C (io_uring, io_uring that only polls, epoll): 1.00 is the ceiling, lower is better. Medians of {rounds} interleaved rounds of
`./dev bench`, which also draws the pictures; one core of {machine}, {versions}.

![CPU of a TCP echo server for each message, beside its peers](docs/bench.svg)""",
            """\
Tempo de CPU de um servidor de eco com uma única thread por mensagem conferida, dividido pelo do melhor de três servidores escritos à
mão em C (io_uring, io_uring só como poll, epoll): 1,00 é o teto, e menos é melhor. Medianas de {rounds} rodadas intercaladas de
`./dev bench`, que também desenha as figuras; um núcleo de {machine}, {versions}.

![CPU de um servidor de eco TCP por mensagem, ao lado dos concorrentes](docs/bench.svg)""",
        ),
        after=_both(
            """\
Rows closer than twice that spread are equal. An idle connection with a coroutine waiting in `receive` costs {idle/soquete-io_uring}
bytes on io_uring and {idle/soquete-epoll} on epoll, beside {idle/asio} (Asio), {idle/libuv} (libuv, without a coroutine) and
{idle/go} (Go). `#include <soquete/soquete.hpp>` compiles in {seconds/soquete} s and {lines/soquete} lines, `<asio.hpp>` in
{seconds/Asio} s and {lines/Asio} (g++ -O0, the same command). A bulk stream into soquete costs {bulk/soquete-io_uring} (io_uring)
and {bulk/soquete-epoll} (epoll): both receive up to 256 KiB at a time.""",
            """\
Linhas mais próximas que o dobro dessa diferença são iguais. Uma conexão ociosa, com uma corrotina esperando em `receive`, custa
{idle/soquete-io_uring} bytes com io_uring e {idle/soquete-epoll} com epoll, ao lado de {idle/asio} (Asio), {idle/libuv} (libuv, sem
corrotina) e {idle/go} (Go). `#include <soquete/soquete.hpp>` compila em {seconds/soquete} s e tem {lines/soquete} linhas;
`<asio.hpp>`, {seconds/Asio} s e {lines/Asio}. Um fluxo contínuo recebido pelo soquete custa {bulk/soquete-io_uring} (io_uring) e
{bulk/soquete-epoll} (epoll): ambos recebem até 256 KiB por vez.""",
        ),
        also=("idle", "bulk"),
    ),
    "others": Text(
        columns={
            "unix-64x64B": _both("Unix echo, 64 B", "eco Unix, 64 B"),
            "unix-64x64KiB": _both("Unix echo, 64 KiB", "eco Unix, 64 KiB"),
            "udp-64x64B": _both("UDP echo, 64 B", "eco UDP, 64 B"),
            "udp-batch-64B": _both("in batches", "em lotes"),
            "udp-receive-64B": _both("UDP receive, 64 B", "receber UDP, 64 B"),
            "udp-gro": _both("receive runs (GRO)", "receber em sequências (GRO)"),
            "udp-gso": _both("send runs (GSO)", "enviar em sequências (GSO)"),
        },
        before=_both(
            """\
Unix-domain streams and UDP in the same way, with 64 connections or clients. The kernel takes a run of datagrams (here of 1200 B) as
one.

![CPU of a server of Unix-domain streams and of datagrams, beside its peers](docs/bench-datagrams.svg)""",
            """\
Streams Unix e UDP do mesmo modo, com 64 conexões ou clientes. O kernel trata como um só uma sequência de datagramas (aqui de
1200 B).

![CPU de um servidor de streams Unix e de datagramas, ao lado dos concorrentes](docs/bench-datagrams.svg)""",
        ),
        stars=_both(
            "\\* It has no such feature, and does the same as well as it can: mostly one by one.",
            "\\* Não tem esse recurso e faz o mesmo como pode: quase sempre um por um.",
        ),
    ),
    "more": Text(
        columns={
            "counts/system calls": _both("system calls for an echo", "chamadas de sistema por eco"),
            "counts/allocations": _both("allocations", "alocações"),
            "latency-one/p50_us": _both("latency of 1 connection, p50, µs", "latência de 1 conexão, p50, µs"),
            "latency-one/p99_us": _both("p99", "p99"),
            "latency-open/p50_us": _both("of 1000 at 70 % load, p50", "de 1000 a 70 % de carga, p50"),
            "latency-open/p999_us": _both("p99.9", "p99,9"),
            "loops-messages/scaling": _both("two loops: messages", "dois loops: mensagens"),
            "loops-clients/scaling": _both("connections", "conexões"),
        },
        before=_both(
            """\
What is not CPU time of one core: system calls and allocations for a TCP echo with 64 connections, counted; latencies with the load on
a core of its own, at 70 % load from the moment when a message was due, and percentiles of a tenth of a second, the median of all tenths; and how many times the work of one loop two loops on two cores do.

![Latency of a TCP echo, and CPU of a relay and its load, beside its peers](docs/bench-latency.svg)""",
            """\
O que não é tempo de CPU de um núcleo: chamadas de sistema e alocações por eco TCP com 64 conexões, contadas; latências com o gerador
de carga em um núcleo só dele, a 70 % de carga a partir do instante em que a mensagem deveria sair, com percentis de cada décimo de segundo e a mediana deles; e quantas vezes o trabalho de um
loop fazem dois loops em dois núcleos.

![Latência de um eco TCP e CPU de um relay com o seu gerador de carga, ao lado dos concorrentes](docs/bench-latency.svg)""",
        ),
        after=_both(
            """\
A `copy` between two TCP streams and its load cost {relay/soquete-io_uring} times (io_uring) and {relay/soquete-epoll} times (epoll) what a relay in C
costs that splices, its load included; one in C that copies 256 KiB at a time costs {relay/raw_copy}, Go {relay/go}, Asio {relay/asio}, `socat -b 262144`
{relay/socat_large}, nginx {relay/nginx}, haproxy {relay/haproxy}, and socat as it comes {relay/socat}. An echo server of one page
compiles in {program_seconds/soquete} s of CPU at -O2 and brings {program_text/soquete} bytes of text beside the library; with
Asio {program_seconds/Asio} s and {program_text/Asio}.""",
            """\
Um `copy` entre dois streams TCP e a sua carga custam {relay/soquete-io_uring} vezes (io_uring) e {relay/soquete-epoll} vezes (epoll) o que custa um relay em C
que usa `splice`, carga incluída; um em C que copia 256 KiB por vez custa {relay/raw_copy}, Go {relay/go}, Asio {relay/asio}, `socat -b 262144`
{relay/socat_large}, nginx {relay/nginx}, haproxy {relay/haproxy}, e o socat sem opções {relay/socat}. Um servidor de eco de uma
página compila em {program_seconds/soquete} s de CPU com -O2 e traz {program_text/soquete} bytes de código além da biblioteca; com
Asio, {program_seconds/Asio} s e {program_text/Asio}.""",
        ),
        also=("relay", "program"),
    ),
}
