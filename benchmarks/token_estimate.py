"""
Compare the token estimate with tokenizers: `python -m benchmarks.token_estimate`.

Prints a Markdown table for docs/guides/long-documents.md. Each cell is the estimate divided by the
number of tokens: 1st percentile, median and 99th percentile of the texts. The estimate is too low
where it is below 1.

The texts are the paragraphs of XQuAD in its languages, and texts that are made here. Languages that
XQuAD lacks are added if Django is installed, which is translated into them.
"""

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import quantiles

from openrouter_rerank._call.passages import estimated_tokens

from benchmarks.retrieval_data import add_data_argument, languages, read_collection, required
from benchmarks.sample_texts import made_texts, translations
from benchmarks.tokenizer_files import Count, from_json, installed


def ratios(texts: Sequence[str], count: Count) -> tuple[float, float, float]:
    """Return the 1st percentile, the median and the 99th percentile of the ratios."""
    found = [estimated_tokens(text) / count(text) for text in texts]
    percentiles = quantiles(found, n=100, method="inclusive")
    return percentiles[0], percentiles[49], percentiles[98]


def table(texts: Mapping[str, Sequence[str]], tokenizers: Mapping[str, Count]) -> str:
    """Return a Markdown table with a row for each kind of text."""
    lines = [
        f"| text | {' | '.join(tokenizers)} |",
        "| --- |" + " --- |" * len(tokenizers),
    ]
    for kind, several in texts.items():
        cells = (
            " / ".join(f"{ratio:.2f}" for ratio in ratios(several, count))
            for count in tokenizers.values()
        )
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table, and what is missing."""
    parser = ArgumentParser(prog="python -m benchmarks.token_estimate")
    add_data_argument(parser)
    parser.add_argument(
        "--tokenizer",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="a tokenizer.json in the format of Hugging Face; may be repeated",
    )
    arguments = parser.parse_args()
    folder = required(arguments.data, "xquad")

    tokenizers, missing = installed()
    for name, _, path in (value.partition("=") for value in arguments.tokenizer):
        tokenizers[name] = from_json(Path(path))
    texts = {
        name.partition("/")[2]: [
            document.text for document in read_collection(folder, name).documents.values()
        ]
        for name in languages(folder, "xquad")
    }
    words = " ".join(texts["en"]).split()
    texts |= translations() | made_texts(words)
    if tokenizers:
        print(table(texts, tokenizers))
    if missing:
        print(f"\nNot installed: {', '.join(missing)}.")


if __name__ == "__main__":
    main()
