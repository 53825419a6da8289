"""
The command `openrouter-rerank serve`.
"""

import sys

import click

from openrouter_rerank.cli.failures import Failure
from openrouter_rerank.cli.options import debug_option


@click.command(
    "serve",
    epilog="It needs no key and no network. It is the local scorer, not OpenRouter.",
)
@click.option(
    "--host",
    metavar="ADDRESS",
    default="127.0.0.1",
    help="Address to listen on. Default: 127.0.0.1, for this machine only.",
)
@click.option(
    "--port",
    metavar="PORT",
    default=8484,
    type=int,
    help="Port to listen on; 0 for any free port. Default: 8484.",
)
@debug_option
def command(*, host: str, port: int) -> None:
    """Answer OpenRouter's rerank protocol with a scorer on this machine."""
    from openrouter_rerank.local.http_server import serve

    try:
        serve(host, port, ready=_announce)
    except (OSError, OverflowError) as error:
        raise Failure(f"cannot serve on {host} port {port}: {error}") from error


def _announce(base_url: str) -> None:
    from openrouter_rerank.local.images import installed_ocr_engine
    from openrouter_rerank.local.installed_scorers import installed_scorers

    scorer = next(iter(installed_scorers().values()))
    # If OCR does not work, its warning must come now, and not with the first image.
    installed_ocr_engine()
    sys.stdout.write(
        f"export OPENROUTER_API_BASE={base_url} OPENROUTER_API_KEY=local\n"
        "Run the line above where your program runs. Any API key is accepted.\n"
        f"The local scorer {scorer.name} answers, not OpenRouter. Press Ctrl-C to stop.\n"
    )
    sys.stdout.flush()
