"""One request that a stage has received, as the client sent it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """
    A request as the server received it, for tests to check.

    Its `repr` shows neither headers nor body, so a failing assertion prints no key.
    """

    method: str
    path: str
    """The request target as sent, with its query string."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """The headers, with names in lower case. Values of a repeated header are joined with commas."""
    body: bytes = field(default=b"", repr=False)
    number: int = 1
    """1 for the first request since the stage was started or reset."""

    @property
    def json(self) -> dict[str, JSON]:
        """
        The body, parsed as a JSON object.

        Raises:
            ValueError: If the body is not a JSON object.
        """
        value: JSON = json.loads(self.body)
        if isinstance(value, dict):
            return value
        raise ValueError(f"expected a JSON object as the body of a rerank request, got {value!r}")

    @property
    def model(self) -> str:
        """The slug of the model, empty if none was sent."""
        model = self.json.get("model")
        return model if isinstance(model, str) else ""

    @property
    def query(self) -> str:
        """The query, empty if none was sent."""
        query = self.json.get("query")
        return query if isinstance(query, str) else ""

    @property
    def documents(self) -> list[JSON]:
        """The documents as sent: strings, or objects with `text` and `image`."""
        documents = self.json.get("documents")
        return documents if isinstance(documents, list) else []

    @property
    def texts(self) -> list[str]:
        """The text of each document, empty for a document without text."""
        return [_text(document) for document in self.documents]

    @property
    def top_n(self) -> int | None:
        """The number of requested results, or `None` if the request sets no limit."""
        top_n = self.json.get("top_n")
        return top_n if isinstance(top_n, int) else None


def _text(document: JSON) -> str:
    text = document.get("text") if isinstance(document, dict) else document
    return text if isinstance(text, str) else ""
