"""The options for documents that are longer than the context of a model."""

from typing import Literal, NamedTuple, TypeAlias

LongDocumentPolicy: TypeAlias = Literal["truncate", "split", "raise"]

DEFAULT_PASSAGE_TOKENS = 450
"""One or two paragraphs. Smaller passages were not better, and 500 tokens are a billing unit."""

LEAST_PASSAGE_TOKENS = 32


class LongDocumentRules(NamedTuple):
    """What happens to documents that are longer than the context of a model."""

    policy: LongDocumentPolicy = "truncate"
    passage_tokens: int = DEFAULT_PASSAGE_TOKENS
    max_passages: int | None = None


DEFAULT_RULES = LongDocumentRules()
