"""
Writes the log of the package to the standard error: warnings, and with `--debug` each request.
"""

import logging
from collections.abc import Generator
from contextlib import contextmanager

from .failures import masked
from .wording import for_command_line

LOGGER = logging.getLogger("openrouter_rerank")


@contextmanager
def logged() -> Generator[None]:
    """Write the log to the standard error until the end of the `with`."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter())
    level = LOGGER.level
    LOGGER.addHandler(handler)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(level)


class _Formatter(logging.Formatter):
    """Formats a line without the key, and with the options of the command line."""

    def format(self, record: logging.LogRecord) -> str:
        level = "" if record.levelno >= logging.WARNING else f"{record.levelname} "
        return masked(for_command_line(f"{level}{super().format(record)}"))
