"""
The command `openrouter-rerank demo`.
"""

import argparse
import sys
from collections.abc import Sequence

from openrouter_rerank.demo.corpus import corpus
from openrouter_rerank.demo.run import run
from openrouter_rerank.demo.terminal import console
from openrouter_rerank.errors import OpenRouterRerankError

_FAILED = 1


def main(arguments: Sequence[str]) -> int:
    """Run the demo, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="openrouter-rerank demo",
        description=(
            "For each question, fetch 25 passages of Python's documentation from a vector store, "
            "rerank them, and show both orders, in each framework that is installed."
        ),
        epilog=(
            "OpenRouter answers if OPENROUTER_API_KEY is set. Otherwise the local scorer answers, "
            "which needs no key and no network."
        ),
    )
    parser.add_argument(
        "questions",
        metavar="QUESTION",
        nargs="*",
        help="your own questions, instead of the prepared ones",
    )
    parser.add_argument(
        "--passages",
        metavar="N",
        type=_positive,
        help="search only the first N passages, which is faster",
    )
    parsed = parser.parse_args(arguments)
    questions: list[str] = parsed.questions
    if any(not question.strip() for question in questions):
        parser.error("a QUESTION is blank")
    try:
        run(console(), corpus()[: parsed.passages], questions)
    except OpenRouterRerankError as error:
        sys.stderr.write(f"{type(error).__name__}: {error.message}\n")
        return _FAILED
    return 0


def _positive(value: str) -> int:
    number = int(value)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{value} is below 1")
    return number
