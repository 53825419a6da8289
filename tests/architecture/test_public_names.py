"""The public names. Users import all of them from `openrouter_rerank`."""

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
    "evaluation": "users who measure models, with an extra",
    "local": "the local service, in tests and on the command line",
    "mcp": "the command line",
    "reranker": "framework packages",
    "telemetry": "framework packages",
}


def classes_of(root):
    """Return the names of an error class and of its subclasses, without those of extras."""
    inner = [each for each in root.__subclasses__() if each.__module__ == root.__module__]
    return {root.__name__}.union(*map(classes_of, inner))


def test_every_module_has_a_reader():
    """A module is for users, for another named reader, or its name begins with an underscore."""
    modules = {module.name for module in iter_modules(openrouter_rerank.__path__)}

    assert {name for name in modules if not name.startswith("_")} == FOR_USERS | FOR_OTHERS.keys()


def test_the_package_exports_the_names_of_the_modules_for_users():
    """The package exports all names of the modules for users, and no others."""
    names = [
        name
        for module in FOR_USERS
        for name in import_module(f"openrouter_rerank.{module}").__all__
    ]

    assert sorted([*names, "__version__"]) == sorted(openrouter_rerank.__all__)


@pytest.mark.parametrize("name", openrouter_rerank.__all__)
def test_every_name_can_be_imported_from_the_package(name):
    """A name is one object, whether it is imported from the package or from its module."""
    found = getattr(openrouter_rerank, name)

    modules = [import_module(f"openrouter_rerank.{module}") for module in FOR_USERS]
    assert name == "__version__" or [
        vars(module)[name] for module in modules if name in module.__all__
    ] == [found]


def test_every_error_can_be_imported_from_the_package():
    """The package exports all error classes, and `errors` contains no other names."""
    assert classes_of(OpenRouterRerankError) == set(errors.__all__)
    assert set(errors.__all__) <= set(openrouter_rerank.__all__)
