"""docs/benchmarks.md: what is generated of it, section by section."""

import re
from collections.abc import Iterable, Sequence

from . import cases
from .catalog import CORE, EVERYBODY, LANGCHAIN, ON_OTHERS, UNTRACED
from .children import ROOT
from .machine import versions
from .peer_table import CPU, REST, ahead, cpu, peak, peer_table, rate
from .plans import TRANSPORT_CASES
from .results import Results
from .target_table import target_table

PAGE = ROOT / "docs" / "benchmarks.md"
# Below this number of documents, it is the memory of pages that happen to be touched.
_MANY = 100
COMMON = (cpu(cases.TEN), cpu(cases.ALL_100))


def targets(results: Results) -> str:
    """Write the section that every run measures."""
    return "\n\n".join(
        [
            f"Measured on {results.machine}.",
            target_table(results),
            "Beside the peers, CPU as a multiple of the yardstick's:",
            peer_table(results, COMMON),
            tracing(results),
            *_refused(results),
        ]
    )


def peers(results: Results) -> str:
    """Write the section of all clients in all cases."""
    behind = ahead(results, [*CPU, *REST])
    return "\n\n".join(
        [
            f"Measured on {results.machine}.",
            "CPU a call, as a multiple of the yardstick's:",
            peer_table(results, CPU),
            "![CPU of all clients](benchmarks-peers.svg)",
            peer_table(results, REST),
            _behind(behind),
            transports(results),
            f"Versions: {', '.join(versions(EVERYBODY))}.",
            *_refused(results),
        ]
    )


def scaling(results: Results) -> str:
    """Write the section of the scaling law."""
    by_documents = [cpu(case) for case in cases.BY_DOCUMENTS]
    memory = [peak(case) for case in cases.BY_DOCUMENTS if case.workload.documents >= _MANY]
    throughput = [rate(case, f"{case.in_flight} in flight") for case in cases.BY_IN_FLIGHT]
    figures = {"CPU": by_documents, "peak memory": memory, "calls a second": throughput}
    behind = [f"{of}, {each}" for of in figures for each in ahead(results, figures[of])]
    return "\n\n".join(
        [
            "![CPU and memory over documents](benchmarks-documents.svg)",
            "CPU a call over documents, as a multiple of the yardstick's:",
            peer_table(results, by_documents),
            "Peak memory of a call over documents, as a multiple of the body:",
            peer_table(results, memory),
            "![Throughput over calls in flight](benchmarks-in-flight.svg)",
            "Calls a second over calls in flight, of a service that takes 50 ms:",
            peer_table(results, throughput),
            _behind(behind),
        ]
    )


def transports(results: Results) -> str:
    """Say what another transport gives our client."""
    sentences = [
        f"{client.name}, {case.name}: {1 / found.wall:.2f} times the throughput, "
        f"{found.cpu:.2f} times the CPU."
        for client in ON_OTHERS
        for case in TRANSPORT_CASES
        if (found := results.comparison(client.name, case.name, CORE.name))
    ]
    return "\n".join(["Our client on another transport, beside itself:", "", *_items(sentences)])


def tracing(results: Results) -> str:
    """Say what LangChain's class adds to the client, and what of that is looking for handlers."""
    sentences: list[str] = []
    for case in (cases.TEN, cases.ALL_100):
        whole = results.comparison(LANGCHAIN.name, case.name, CORE.name)
        traced = results.comparison(LANGCHAIN.name, case.name, UNTRACED.name)
        if whole and traced:
            sentences.append(
                f"{case.name}: {whole.cpu:.2f} times the CPU of the client alone; "
                f"{1 - 1 / traced.cpu:.0%} of the call is tracing."
            )
    return "\n".join(
        ["Tracing when nobody listens (LangChain, no callbacks):", "", *_items(sentences)]
    )


def _behind(figures: Sequence[str]) -> str:
    title = "Where a peer of the same family is ahead:"
    return "\n".join([title, "", *_items(figures or ["nowhere in this run"])])


def _items(sentences: Iterable[str]) -> list[str]:
    return [f"- {sentence}" for sentence in sentences]


def _refused(results: Results) -> list[str]:
    if not results.refused:
        return []
    return ["Could not be measured:\n\n" + "\n".join(_items(dict.fromkeys(results.refused)))]


def replaced(page: str, section: str, text: str) -> str:
    """Put `text` between the marks of a section of the page."""
    mark = re.compile(rf"(?<=<!-- generated: {section} -->\n).*?(?=<!-- end -->)", re.DOTALL)
    if not mark.search(page):
        raise LookupError(section)
    return mark.sub(lambda _: f"\n{text}\n\n", page, count=1)


def write(sections: dict[str, str]) -> None:
    """Rewrite sections of the page; the others, and the words between, stay."""
    page = PAGE.read_text("utf-8")
    for section, text in sections.items():
        page = replaced(page, section, text)
    PAGE.write_text(page, "utf-8")
