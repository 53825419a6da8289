"""
Count tokens with real tokenizers, from files that some packages contain.

No package is needed. Only the tokenizers that are installed are used: `pip install dashscope
llama-models mistral-common tiktoken`, each with `--no-deps`. Any `tokenizer.json` in the format of
Hugging Face can be passed, too: it needs `tokenizers`.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

Count = Callable[[str], int]
"""Returns the number of tokens of a text, without special tokens."""

# How texts are split before byte pairs are merged. Qwen makes each digit a token.
_LLAMA_3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN = _LLAMA_3.replace("{1,3}", "")


@dataclass(frozen=True, slots=True)
class Source:
    """A tokenizer, and the package whose file defines it."""

    name: str
    package: str
    file: str
    read: Callable[[Path], tuple[str, dict[bytes, int]]]
    """Returns the pattern and the ranks of the merged bytes."""

    def path(self) -> Path | None:
        """Return where the file is, or `None` if the package is not installed."""
        spec = find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            return None
        path = Path(spec.submodule_search_locations[0], self.file)
        return path if path.is_file() else None


def _ranks(path: Path) -> dict[bytes, int]:
    lines = (line.split() for line in path.read_bytes().splitlines() if line)
    return {base64.b64decode(token): int(rank) for token, rank in lines}


def _tekken(path: Path) -> tuple[str, dict[bytes, int]]:
    content = json.loads(path.read_bytes())
    config = content["config"]
    size = config["default_vocab_size"] - config["default_num_special_tokens"]
    ranks = {
        base64.b64decode(word["token_bytes"]): word["rank"] for word in content["vocab"][:size]
    }
    return config["pattern"], ranks


SOURCES = (
    Source("Qwen", "dashscope", "resources/qwen.tiktoken", lambda path: (_QWEN, _ranks(path))),
    Source(
        "Llama 3", "llama_models", "llama3/tokenizer.model", lambda path: (_LLAMA_3, _ranks(path))
    ),
    Source("Tekken", "mistral_common", "data/tekken_240911.json", _tekken),
)


def installed() -> tuple[dict[str, Count], list[str]]:
    """Return the tokenizers that are installed, by name, and what is missing for the others."""
    if find_spec("tiktoken") is None:
        return {}, ["tiktoken"]
    found: dict[str, Count] = {}
    missing: list[str] = []
    for source in SOURCES:
        path = source.path()
        if path is None:
            missing.append(f"{source.name} (package {source.package.replace('_', '-')})")
        else:
            found[source.name] = _byte_pairs(source.name, *source.read(path))
    return found, missing


def from_json(path: Path) -> Count:
    """Return the tokenizer of a `tokenizer.json`."""
    tokenizer = import_module("tokenizers").Tokenizer.from_file(str(path))
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def _byte_pairs(name: str, pattern: str, ranks: dict[bytes, int]) -> Count:
    encoding = import_module("tiktoken").Encoding(
        name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={}
    )
    return lambda text: len(encoding.encode_ordinary(text))
