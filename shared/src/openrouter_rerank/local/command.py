"""
The command `openrouter-rerank serve`.
"""

import argparse
import sys
from collections.abc import Sequence

from openrouter_rerank.local.http_server import serve
from openrouter_rerank.local.images import installed_ocr_engine
from openrouter_rerank.local.installed_scorers import installed_scorers

_FAILED = 1


def main(arguments: Sequence[str]) -> int:
    """Run the local service until it is interrupted, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="openrouter-rerank serve",
        description="Answer OpenRouter's rerank protocol with a scorer on this machine.",
        epilog="It needs no key and no network. It is the local scorer, not OpenRouter.",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; default: %(default)s, for this machine only",
    )
    parser.add_argument(
        "--port", default=8484, type=int, help="default: %(default)s; 0 for any free port"
    )
    parsed = parser.parse_args(arguments)
    try:
        serve(parsed.host, parsed.port, ready=_announce)
    except (OSError, OverflowError) as error:
        sys.stderr.write(f"cannot serve on {parsed.host} port {parsed.port}: {error}\n")
        return _FAILED
    return 0


def _announce(base_url: str) -> None:
    scorer = next(iter(installed_scorers().values()))
    # If OCR does not work, its warning must come now, and not with the first image.
    installed_ocr_engine()
    sys.stdout.write(
        f"export OPENROUTER_API_BASE={base_url} OPENROUTER_API_KEY=local\n"
        "Run the line above where your program runs. Any API key is accepted.\n"
        f"The local scorer {scorer.name} answers, not OpenRouter. Press Ctrl-C to stop.\n"
    )
    sys.stdout.flush()
