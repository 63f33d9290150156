"""What documents say around the figures of a run, in English and in Portuguese."""

from dataclasses import dataclass, field

NOTHING = {"en": "", "pt": ""}


@dataclass(frozen=True)
class Text:
    columns: dict[str, dict[str, str]]  # Of the table: by name of the row, what stands above it.
    before: dict[str, str]
    after: dict[str, str] = field(default_factory=lambda: NOTHING)
    stars: dict[str, str] = field(default_factory=lambda: NOTHING)  # Behind a table with stars.
    also: tuple[str, ...] = ()  # Rows that only `after` speaks of.

    @property
    def needs(self) -> set[str]:
        return {*self.columns, *self.also}


def _both(english: str, portuguese: str) -> dict[str, str]:
    return {"en": english, "pt": portuguese}


ALL = """\
![CPU of a TCP echo server for each message, beside its peers](bench.svg)

![CPU of a server of Unix-domain streams and of datagrams, beside its peers](bench-datagrams.svg)

{}"""

TITLES = {
    "en": {"spread": "spread of one server run under two names"},
    "pt": {
        "Asio, coroutines": "Asio, corrotinas",
        "io_uring in C": "io_uring em C",
        "io_uring in C, polling": "io_uring em C, só como poll",
        "epoll in C": "epoll em C",
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
}
