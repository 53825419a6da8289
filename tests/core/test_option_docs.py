"""Options are visible where people look: in signatures, docstrings and schemas."""

import inspect

import pytest
from langchain_openrouter_rerank import OpenRouterRerank as LangChainRerank
from llamaindex_openrouter_rerank import OpenRouterRerank as LlamaIndexRerank
from openrouter_rerank import AsyncRerankClient, ClientOptions, RerankClient
from openrouter_rerank.reranker import Reranker

RERANKERS = [Reranker, LangChainRerank, LlamaIndexRerank]
CLASSES = [(ClientOptions, ClientOptions), *((each, each) for each in RERANKERS)] + [
    (client, ClientOptions) for client in (RerankClient, AsyncRerankClient)
]
OF_LANGCHAIN_AND_LLAMAINDEX = {"name", "callback_manager"}


@pytest.mark.parametrize(("shown", "options"), CLASSES, ids=lambda each: each.__module__)
def test_the_signature_has_every_option_with_its_default(shown, options):
    """`inspect.signature()`, `help()` and a notebook's `?` show all options and their defaults."""
    parameters = inspect.signature(shown).parameters

    assert [each.kind for each in parameters.values()] == [inspect.Parameter.KEYWORD_ONLY] * len(
        parameters
    )
    assert {name: parameters[name].default for name in options.model_fields} == {
        name: parameters[name].default if field.default_factory else field.default
        for name, field in options.model_fields.items()
    }
    assert set(parameters) - set(options.model_fields) <= {"http_client"}


@pytest.mark.parametrize(("shown", "options"), CLASSES, ids=lambda each: each.__module__)
def test_the_docstring_lists_every_option_once(shown, options):
    """The class docstring says what each option means, in one line each."""
    lines = shown.__doc__.partition("Options [default]:\n")[2].splitlines()

    assert sorted(line.split(":")[0].strip() for line in lines) == sorted(options.model_fields)
    for name, field in options.model_fields.items():
        if name not in OF_LANGCHAIN_AND_LLAMAINDEX:
            assert f"    {name}: {field.description} [{field.default!r}]" in lines


@pytest.mark.parametrize("kind", [ClientOptions, *RERANKERS], ids=lambda each: each.__module__)
def test_every_option_has_a_description(kind):
    """A schema of the class, such as a form or a configuration file needs, describes options."""
    properties = kind.model_json_schema()["properties"]

    for name, field in kind.model_fields.items():
        if name not in OF_LANGCHAIN_AND_LLAMAINDEX:
            assert (field.description or "").endswith(".")
        if name in properties and name not in OF_LANGCHAIN_AND_LLAMAINDEX:
            assert properties[name]["description"] == field.description


def test_a_subclass_shows_its_own_options_too():
    """A class that a user derives shows its option beside ours."""

    class Mine(LangChainRerank):
        """Mine."""

        flavour: str = "salt"

    assert inspect.signature(Mine).parameters["flavour"].default == "salt"
    assert "    flavour:  ['salt']" in Mine.__doc__.splitlines()
    assert Mine.__doc__.count("top_n:") == 1
