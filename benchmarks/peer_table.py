"""The tables with the figures of all clients."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from . import cases
from .cases import Case
from .catalog import ALL_CLIENTS, Client, Family
from .results import Results

FAMILIES: dict[Family, str] = {
    "plain": "plain Python",
    "LangChain": "LangChain",
    "LlamaIndex": "LlamaIndex",
    "HTTP": "HTTP only, without a rerank client",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: one figure for each client."""

    title: str
    read: Callable[[Results, str], float | None]
    more_is_better: bool = False
    digits: int = 2

    def best(self, results: Results, clients: Sequence[Client]) -> float | None:
        """Return the best figure among `clients`."""
        known = [value for each in clients if (value := self.read(results, each.name)) is not None]
        if not known:
            return None
        return max(known) if self.more_is_better else min(known)


def cpu(case: Case, title: str = "") -> Column:
    """Return the column of the CPU ratios in a case."""

    def read(results: Results, client: str) -> float | None:
        found = results.comparison(client, case.name)
        return found.cpu if found else None

    return Column(title=title or case.name, read=read)


def rate(case: Case, title: str = "") -> Column:
    """Return the column of the calls per second in a case."""

    def read(results: Results, client: str) -> float | None:
        found = results.comparison(client, case.name)
        return found.rate if found else None

    title = title or f"calls/s, {case.in_flight} in flight"
    return Column(title=title, read=read, more_is_better=True, digits=0)


def _connections(case: Case) -> Column:
    def read(results: Results, client: str) -> float | None:
        found = results.comparison(client, case.name)
        return 100 * found.connections / found.calls if found else None

    return Column(
        title=f"new connections per 100 calls, {case.in_flight} in flight", read=read, digits=0
    )


def _failed(results: Results, client: str) -> float | None:
    found = results.comparison(client, cases.FAULTS.name)
    return 100 * found.failed / found.calls if found else None


def peak(case: Case, title: str = "") -> Column:
    """Return the column of the peak memory in a case, as a multiple of the request's body."""

    def read(results: Results, client: str) -> float | None:
        found = results.peak(client, case.name)
        return found.bytes / found.body if found else None

    return Column(title=title or case.name, read=read)


def _import(results: Results, client: str) -> float | None:
    found = results.imported(client)
    return found.total if found else None


CPU = tuple(cpu(case) for case in cases.MAIN if case.in_flight == 1 and case != cases.IMAGES)
REST = (
    rate(cases.IN_FLIGHT_32),
    rate(cases.IN_FLIGHT_128),
    cpu(cases.IN_FLIGHT_32, "CPU, 32 in flight"),
    cpu(cases.IN_FLIGHT_128, "CPU, 128 in flight"),
    _connections(cases.IN_FLIGHT_128),
    Column(title=f"failed calls per 100 when {cases.FAULTS.name}", read=_failed),
    cpu(cases.IMAGES, "20 MB of images: CPU"),
    peak(cases.IMAGES, "20 MB of images: peak memory as a multiple of the body"),
    Column(title="cold import, ms of CPU", read=_import, digits=0),
)


def peer_table(results: Results, columns: Sequence[Column]) -> str:
    """Return a Markdown table of all clients, by family. The best figure of each family is bold."""
    lines = [
        f"| client | {' | '.join(column.title for column in columns)} |",
        f"|---|{'---:|' * len(columns)}",
    ]
    for family, title in FAMILIES.items():
        members = [client for client in ALL_CLIENTS if client.family == family]
        rows = [(client, _cells(results, client, columns, members)) for client in members]
        if known := [(client, cells) for client, cells in rows if set(cells) != {"—"}]:
            lines.append(f"| *{title}* |{' |' * len(columns)}")
            lines += [f"| {client.name} | {' | '.join(cells)} |" for client, cells in known]
    return "\n".join(lines)


def _cells(
    results: Results, client: Client, columns: Sequence[Column], family: Sequence[Client]
) -> list[str]:
    cells: list[str] = []
    for column in columns:
        value, best = column.read(results, client.name), column.best(results, family)
        text = "—" if value is None else f"{value:.{column.digits}f}"
        cells.append(f"**{text}**" if value is not None and value == best else text)
    return cells


def better_peers(results: Results, columns: Sequence[Column]) -> list[str]:
    """Return each figure in which a peer of the same family is better than our package."""
    found: list[str] = []
    for ours in (client for client in ALL_CLIENTS if client.is_ours):
        peers = [
            client
            for client in ALL_CLIENTS
            if client.family == ours.family and "openrouter-rerank" not in client.name
        ]
        for column in columns:
            value, best = column.read(results, ours.name), column.best(results, peers)
            if value is None or best is None or value == best:
                continue
            if (best > value) == column.more_is_better:
                (peer, *_) = [each for each in peers if column.read(results, each.name) == best]
                found.append(
                    f"{column.title}: {peer.name} {best:.{column.digits}f}, "
                    f"{ours.name} {value:.{column.digits}f}"
                )
    return found
