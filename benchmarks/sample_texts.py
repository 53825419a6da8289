"""
Make texts that are not prose: data, code and signs.

All random choices are made with a fixed seed, so that each run measures the same texts.
"""

import base64
import json
import random
import re
import string
import sysconfig
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

_EMOJI = [chr(code) for code in (*range(0x1F300, 0x1F64F), *range(0x1F680, 0x1F6C0))]
_COUNT = 40
_LENGTH = 1_500
_DJANGO_LANGUAGES = ("he", "bn", "ja", "ko")
_MESSAGE = re.compile(r'^msgstr "(.+)"$', re.MULTILINE)


def made_texts(words: Sequence[str]) -> dict[str, list[str]]:
    """
    Return texts by their kind.

    Args:
        words: English words, of which the texts are made.
    """
    rng = random.Random(1)
    plain = [word.strip(string.punctuation).lower() for word in words if word.isascii()]

    def record() -> dict[str, object]:
        return {
            "id": f"{rng.getrandbits(64):x}",
            "name": " ".join(rng.choices(words, k=3)),
            "price": round(rng.random() * 1_000, 2),
            "tags": rng.choices(plain, k=3),
            "created_at": f"2026-{rng.randrange(10, 13)}-{rng.randrange(10, 29)}T10:00:00Z",
        }

    def url() -> str:
        path = "/".join(rng.choices(plain, k=3))
        return f"https://www.{rng.choice(plain)}.com/{path}?id={rng.getrandbits(32)}"

    def row() -> str:
        return ",".join(f"{rng.random() * 1_000:.2f}" for _ in range(8))

    makers: dict[str, Callable[[], str]] = {
        "JSON": lambda: json.dumps([record() for _ in range(8)]),
        "URLs": lambda: "\n".join(url() for _ in range(20)),
        "numbers": lambda: "\n".join(row() for _ in range(25)),
        "Base64": lambda: base64.b64encode(rng.randbytes(1_000)).decode(),
        "emoji": lambda: "".join(rng.choices(_EMOJI, k=300)),
    }
    made = {kind: [make() for _ in range(_COUNT)] for kind, make in makers.items()}
    return {"Python code": _python_code(), **made}


def translations() -> dict[str, list[str]]:
    """Return texts of Django's user interface in languages that XQuAD lacks, if it is installed."""
    spec = find_spec("django")
    if spec is None or not spec.submodule_search_locations:
        return {}
    django = Path(spec.submodule_search_locations[0])
    found: dict[str, list[str]] = {}
    for language in _DJANGO_LANGUAGES:
        files = sorted(django.glob(f"con*/**/locale/{language}/LC_MESSAGES/django.po"))
        messages = [
            message for file in files for message in _MESSAGE.findall(file.read_text("utf-8"))
        ]
        found[f"{language} (user interface)"] = _cut("\n".join(messages))
    return found


def _python_code() -> list[str]:
    library = Path(sysconfig.get_path("stdlib"))
    files = sorted(library.glob("[a-h]*.py"))
    texts = (file.read_text("utf-8", "replace")[_LENGTH : 2 * _LENGTH] for file in files)
    return [text for text in texts if text.strip()]


def _cut(text: str) -> list[str]:
    return [text[start : start + _LENGTH] for start in range(0, len(text), _LENGTH)]
