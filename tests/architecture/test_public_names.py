"""The public surface: users import everything from the top of the package."""

from importlib import import_module
from pkgutil import iter_modules

import openrouter_rerank
import pytest
from openrouter_rerank import errors
from openrouter_rerank.errors import OpenRouterRerankError

FOR_USERS = {
    *("budget", "client", "client_options", "documents", "errors", "http_client", "images"),
    *("models", "provider", "ranking", "rate_limiter", "score_store"),
}
FOR_OTHERS = {
    "cli": "the command line",
    "demo": "the command line",
    "local": "the local service, in tests and on the command line",
    "reranker": "framework packages",
    "telemetry": "framework packages",
}


def classes_of(root):
    """Return the names of an error class and of all its subclasses."""
    return {root.__name__}.union(*map(classes_of, root.__subclasses__()))


def test_every_module_is_for_somebody():
    """A module of the core is for users, for a named other reader, or has an underscore."""
    modules = {module.name for module in iter_modules(openrouter_rerank.__path__)}

    assert {name for name in modules if not name.startswith("_")} == FOR_USERS | FOR_OTHERS.keys()


def test_the_top_has_what_the_modules_for_users_have():
    """The names of the modules for users are those at the top, no fewer and no others."""
    names = [
        name
        for module in FOR_USERS
        for name in import_module(f"openrouter_rerank.{module}").__all__
    ]

    assert sorted([*names, "__version__"]) == sorted(openrouter_rerank.__all__)


@pytest.mark.parametrize("name", openrouter_rerank.__all__)
def test_every_name_can_be_imported_from_the_top(name):
    """Each name leads to an object that is the same wherever it is imported from."""
    found = getattr(openrouter_rerank, name)

    homes = [import_module(f"openrouter_rerank.{module}") for module in FOR_USERS]
    assert name == "__version__" or [
        vars(home)[name] for home in homes if name in home.__all__
    ] == [found]


def test_every_error_can_be_imported_from_the_top():
    """All error classes of the tree are at the top, and no other class is an error."""
    assert classes_of(OpenRouterRerankError) == set(errors.__all__)
    assert set(errors.__all__) <= set(openrouter_rerank.__all__)
