"""The generated sections of docs/explain/benchmarks.md."""

import re
from collections.abc import Iterable, Mapping, Sequence
from textwrap import indent

from . import cases
from .cases import Case
from .catalog import (
    ALL_CLIENTS,
    CORE,
    LANGCHAIN,
    ON_OTHER_TRANSPORTS,
    OURS,
    PEERS,
    UNTRACED,
    Client,
)
from .machine import versions
from .peer_table import CPU, REST, better_peers, cpu, peak, peer_table, rate
from .plans import TRANSPORT_CASES
from .plots import CHART
from .processes import ROOT
from .results import Results
from .target_table import target_table

PAGE = ROOT / "docs/explain/benchmarks.md"
# With fewer documents, the figure is mostly memory pages that were touched by chance.
_FEWEST_FOR_MEMORY = 100
COMMON = (cpu(cases.TEN), cpu(cases.ALL_100))
_COMPARED = (cases.TEN, cases.ALL_100)


def summary(results: Results) -> str:
    """Return the section that is not folded: the most important figures."""
    header = "| package | 10 documents | peers | 100 documents, all returned | peers |"
    rows = [
        f"| {ours.name} | {' | '.join(_compared(results, ours, case) for case in _COMPARED)} |"
        for ours in OURS
    ]
    speed = {
        ours.name: f"{1 / found.wall:.2f}"
        for ours in OURS
        if (found := results.comparison(ours.name, cases.IN_FLIGHT_128.name))
    }
    memory = {
        ours.name: f"{peaks.bytes / peaks.body:.2f}"
        for ours in OURS
        if (peaks := results.peak(ours.name, cases.IMAGES.name))
    }
    failed = {
        ours.name: f"{found.failed}"
        for ours in OURS
        if (found := results.comparison(ours.name, cases.FAULTS.name))
    }
    more = [
        f"128 calls in flight, calls per second compared with httpx: {_listed(speed)}.",
        f"20 images of 1 MB, peak memory as a multiple of the body: {_listed(memory)}.",
        f"Every tenth attempt fails, failed calls: {_listed(failed)}.",
    ]
    parts = [
        f"![CPU of a call with 10 documents, by client](../images/{CHART})",
        "CPU of a call, as a multiple of that of a bare httpx call, and its range in the peers:",
        "\n".join([header, "|---|---:|---:|---:|---:|", *rows]),
        "\n".join(_items(more)),
        f"Measured on {results.machine}.",
    ]
    return "\n\n".join(parts)


def _compared(results: Results, ours: Client, case: Case) -> str:
    """Return two cells: the CPU of our package, and the range of its peers."""
    found = results.comparison(ours.name, case.name)
    peers = sorted(
        each.cpu
        for peer in PEERS
        if peer.family == ours.family and (each := results.comparison(peer.name, case.name))
    )
    own = f"**{found.cpu:.2f}**" if found else "—"
    return f"{own} | {f'{peers[0]:.2f} to {peers[-1]:.2f}' if peers else '—'}"


def _listed(figures: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {each}" for name, each in figures.items()) or "not measured"


def folded(title: str, *parts: str) -> str:
    """Return a section that the reader has to open."""
    return f'??? note "{title}"\n\n' + indent("\n\n".join(parts), "    ")


def targets(results: Results) -> str:
    """Return the section about the figures that every run measures."""
    return folded(
        "Targets: the measured figure, the required figure, and the figure that we aim at",
        f"Measured on {results.machine}.",
        target_table(results),
        "CPU per call compared with the peers, as a multiple of the baseline's CPU:",
        peer_table(results, COMMON),
        tracing(results),
        *_failures(results),
    )


def peers(results: Results) -> str:
    """Return the section about all clients in all cases."""
    better = better_peers(results, [*CPU, *REST])
    return folded(
        "All clients in all cases",
        f"Measured on {results.machine}.",
        "CPU per call, as a multiple of the baseline's CPU:",
        peer_table(results, CPU),
        "Other figures:",
        peer_table(results, REST),
        _better(better),
        transports(results),
        f"Versions: {', '.join(f'`{each}`' for each in versions(ALL_CLIENTS))}.",
        *_failures(results),
    )


def scaling(results: Results) -> str:
    """Return the section about how the clients scale."""
    by_documents = [cpu(case) for case in cases.BY_DOCUMENTS]
    memory = [
        peak(case) for case in cases.BY_DOCUMENTS if case.workload.documents >= _FEWEST_FOR_MEMORY
    ]
    throughput = [rate(case, f"{case.in_flight} in flight") for case in cases.BY_IN_FLIGHT]
    figures = {"CPU": by_documents, "peak memory": memory, "calls per second": throughput}
    better = [
        f"{name}, {each}" for name in figures for each in better_peers(results, figures[name])
    ]
    return folded(
        "Scaling by number of documents, and by calls in flight",
        "![CPU and memory by number of documents](../images/benchmarks-documents.svg)",
        "CPU per call by number of documents, as a multiple of the baseline's CPU:",
        peer_table(results, by_documents),
        "Peak memory of a call by number of documents, as a multiple of the body:",
        peer_table(results, memory),
        "![Throughput by number of calls in flight](../images/benchmarks-in-flight.svg)",
        "Calls per second by number of calls in flight, with a service that takes 50 ms:",
        peer_table(results, throughput),
        _better(better),
    )


def transports(results: Results) -> str:
    """Return how our client on other transports compares with its own connections."""
    sentences = [
        f"{client.name}, {case.name}: {1 / found.wall:.2f} times the throughput, "
        f"{found.cpu:.2f} times the CPU."
        for client in ON_OTHER_TRANSPORTS
        for case in TRANSPORT_CASES
        if (found := results.comparison(client.name, case.name, CORE.name))
    ]
    title = "Our client on other transports, compared with its own connections:"
    return "\n".join([title, "", *_items(sentences)])


def tracing(results: Results) -> str:
    """Return the CPU that the LangChain class adds to the client, and the share of tracing."""
    sentences: list[str] = []
    for case in (cases.TEN, cases.ALL_100):
        whole = results.comparison(LANGCHAIN.name, case.name, CORE.name)
        traced = results.comparison(LANGCHAIN.name, case.name, UNTRACED.name)
        if whole and traced:
            sentences.append(
                f"{case.name}: {whole.cpu:.2f} times the CPU of the client alone; "
                f"tracing takes {1 - 1 / traced.cpu:.0%} of the call."
            )
    title = "CPU of the LangChain class without callbacks, and the share of tracing:"
    return "\n".join([title, "", *_items(sentences)])


def _better(figures: Sequence[str]) -> str:
    title = "Figures in which a peer of the same family is better than our package:"
    return "\n".join([title, "", *_items(figures or ["none in this run"])])


def _items(sentences: Iterable[str]) -> list[str]:
    return [f"- {sentence}" for sentence in sentences]


def _failures(results: Results) -> list[str]:
    if not results.failures:
        return []
    title = "Clients that could not be measured:"
    return ["\n".join([title, "", *_items(dict.fromkeys(results.failures))])]


def replaced(page: str, section: str, text: str) -> str:
    """Return the page with `text` between the marks of a section."""
    mark = re.compile(rf"(?<=<!-- generated: {section} -->\n).*?(?=<!-- end -->)", re.DOTALL)
    if not mark.search(page):
        raise LookupError(section)
    return mark.sub(lambda _: f"\n{text}\n\n", page, count=1)


def write(sections: dict[str, str]) -> None:
    """Rewrite some sections of the page. The rest of the page stays."""
    page = PAGE.read_text("utf-8")
    for section, text in sections.items():
        page = replaced(page, section, text)
    PAGE.write_text(page, "utf-8")
