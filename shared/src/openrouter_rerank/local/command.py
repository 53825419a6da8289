"""
The command `openrouter-rerank serve`.
"""

import sys
from contextlib import ExitStack

import click

from openrouter_rerank.cli.options import output_options
from openrouter_rerank.cli.serving import cannot_serve, host_option, port_option

# Any key is accepted.
_KEY = "local"


@click.command(
    "serve",
    epilog="It needs no key and no network. It is the local scorer, not OpenRouter.",
)
@host_option("The address to listen on.")
@port_option(8484, "The port to listen on; 0 for any free port.")
@output_options
def command(*, host: str, port: int, as_json: bool) -> None:
    """Answer OpenRouter's rerank protocol with a scorer on this machine."""
    from openrouter_rerank.cli.output import flush, progress, write_json

    def announce(base_url: str) -> None:
        scorer = _scorer()
        loading.close()
        if as_json:
            write_json({"base_url": base_url, "api_key": _KEY, "scorer": scorer})
        else:
            sys.stdout.write(_lines(base_url, scorer))
        flush()

    with ExitStack() as loading:
        loading.enter_context(progress("loading the local scorer"))
        from openrouter_rerank.local.http_server import serve

        try:
            serve(host, port, ready=announce)
        except OSError as error:
            raise cannot_serve(host, port, error) from error


def _scorer() -> str:
    from openrouter_rerank.local.images import installed_ocr_engine
    from openrouter_rerank.local.installed_scorers import installed_scorers

    # If OCR does not work, its warning must come now, and not with the first image.
    installed_ocr_engine()
    return next(iter(installed_scorers().values())).name


def _lines(base_url: str, scorer: str) -> str:
    return (
        f"export OPENROUTER_API_BASE={base_url} OPENROUTER_API_KEY={_KEY}\n"
        "Run the line above where your program runs. Any API key is accepted.\n"
        f"The local scorer {scorer} answers, not OpenRouter. Press Ctrl-C to stop.\n"
    )
