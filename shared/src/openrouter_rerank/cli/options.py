"""The options that several commands have, and the completion of their values in a shell."""

import logging
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click
from click.shell_completion import CompletionItem

from openrouter_rerank.errors import shown_value
from openrouter_rerank.models import DEFAULT_MODEL, MODELS

from .log import LOGGER

if TYPE_CHECKING:
    from openrouter_rerank.client_options import ClientKeywords

DEBUG = "openrouter_rerank.debug"
"""In `click.Context.meta`: whether `--debug` was given."""

# Seconds. A longer timeout is in milliseconds by mistake.
_LONGEST_TIMEOUT = 600.0


class WholeNumber(click.IntRange):
    """A whole number in a range."""

    name = "whole number"


class Number(click.types.FloatParamType):
    """A number. An option of this type has the callback `finite`."""

    name = "number"


class NumberRange(click.FloatRange):
    """A number in a range. An option of this type has the callback `finite`."""

    name = "number"


def finite(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    """Return the value of an option. NaN, which is in each range, and infinity are refused."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"'{value}' is not a valid number")
    return value


Decorated = TypeVar("Decorated", bound=Callable[..., object])


def service_options(function: Decorated) -> Decorated:
    """Add the options of commands that call the service."""
    base_url = click.option(
        "--base-url",
        metavar="URL",
        help="Where the service is. Default: OPENROUTER_API_BASE in the environment, else "
        "OpenRouter. The key in the environment is sent only to OpenRouter, to this machine, or to "
        "the URL in OPENROUTER_API_BASE.",
    )
    timeout = click.option(
        "--timeout",
        metavar="SECONDS",
        type=NumberRange(min=0, min_open=True, max=_LONGEST_TIMEOUT),
        callback=finite,
        help="Seconds that a call may take. Default: 30.",
    )
    return base_url(timeout(function))


def output_options(function: Decorated) -> Decorated:
    """Add the options of commands that print results."""
    as_json = click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object, with all fields."
    )
    return as_json(debug_option(function))


def debug_option(function: Decorated) -> Decorated:
    """Add the option for more about an error."""
    return click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        callback=_start_debugging,
        help="Log each request to the standard error, and show where an error happened. The key "
        "is never shown.",
    )(function)


def model_option(text: str) -> Callable[[Decorated], Decorated]:
    """Add the option for the model, with `text` as the beginning of its help."""
    return click.option(
        "--model",
        metavar="SLUG",
        default=DEFAULT_MODEL,
        callback=_checked_model,
        shell_complete=model_slugs,
        help=f"{text} `openrouter-rerank models` lists the models. Default: {DEFAULT_MODEL}.",
    )


def client_keywords(base_url: str | None, timeout: float | None) -> "ClientKeywords":
    """Return the options that were given, as keywords of a client."""
    keywords: ClientKeywords = {}
    if base_url is not None:
        keywords["base_url"] = base_url
    if timeout is not None:
        keywords["timeout"] = timeout
    return keywords


def model_slugs(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the slugs of the known models that begin with `incomplete`, for completion."""
    slugs = [
        f"{model.slug}:free" if model.billing == "free" else model.slug for model in MODELS.values()
    ]
    return [CompletionItem(slug) for slug in slugs if slug.startswith(incomplete)]


def _checked_model(_: click.Context, __: click.Parameter, model: str) -> str:
    if model.strip() and model.isprintable():
        return model
    raise click.BadParameter(
        f"pass the slug of a model, such as {DEFAULT_MODEL!r}, not {shown_value(model)}"
    )


def _start_debugging(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.meta[DEBUG] = True
        LOGGER.setLevel(logging.DEBUG)
