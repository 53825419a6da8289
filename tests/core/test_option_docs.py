"""Options are documented in signatures, docstrings and schemas."""

import inspect
import re
import subprocess
import sys

import pytest
from langchain_openrouter_rerank import OpenRouterRerank as LangChainRerank
from llamaindex_openrouter_rerank import OpenRouterRerank as LlamaIndexRerank
from openrouter_rerank import AsyncRerankClient, ClientOptions, RerankClient
from openrouter_rerank.client_options.display import default_text
from openrouter_rerank.reranker import Reranker

RERANKERS = [Reranker, LangChainRerank, LlamaIndexRerank]
CLASSES = [(ClientOptions, ClientOptions), *((item, item) for item in RERANKERS)] + [
    (client, ClientOptions) for client in (RerankClient, AsyncRerankClient)
]
FRAMEWORK_OPTIONS = {"name", "callback_manager"}


@pytest.mark.parametrize(("documented_class", "options"), CLASSES, ids=lambda item: item.__module__)
def test_the_signature_has_every_option_with_its_default(documented_class, options):
    """`inspect.signature()`, `help()` and a notebook's `?` show all options and their defaults."""
    parameters = inspect.signature(documented_class).parameters

    assert [item.kind for item in parameters.values()] == [inspect.Parameter.KEYWORD_ONLY] * len(
        parameters
    )
    assert {name: parameters[name].default for name in options.model_fields} == {
        name: parameters[name].default if field.default_factory else field.default
        for name, field in options.model_fields.items()
    }
    assert set(parameters) - set(options.model_fields) <= {"http_client"}


@pytest.mark.parametrize(("documented_class", "options"), CLASSES, ids=lambda item: item.__module__)
def test_the_docstring_lists_every_option_once(documented_class, options):
    """The class docstring has one entry for each option, with its description and default."""
    listed = documented_class.__doc__.partition("\n\nOptions:\n")[2]
    entries = re.split(r"\n    (?=\w)", listed.removeprefix("    "))
    texts = {name: " ".join(text.split()) for name, text in (e.split(":", 1) for e in entries)}

    assert len(entries) == len(options.model_fields)
    assert texts.keys() == options.model_fields.keys()
    for name in options.model_fields.keys() - FRAMEWORK_OPTIONS:
        field = options.model_fields[name]
        assert texts[name].startswith(field.description)
        assert "Default:" in field.description or texts[name].endswith(
            f"Default: {default_text(field)}."
        )


@pytest.mark.parametrize("option_class", RERANKERS, ids=lambda item: item.__module__)
def test_the_signature_stays_when_the_class_is_used(option_class):
    """The signature starts with the model, before the first object is created and after it."""
    # In its own process, because other tests have used the class.
    code = f"""
import inspect
from {option_class.__module__} import {option_class.__name__} as Class
first = str(inspect.signature(Class))
Class(api_key="k")
Class.model_json_schema()
print(first == str(inspect.signature(Class)), first.startswith("(*, model: str ="))
"""
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert finished.stdout == "True True\n", finished.stderr


@pytest.mark.parametrize(
    "option_class", [ClientOptions, *RERANKERS], ids=lambda item: item.__module__
)
def test_every_option_has_a_description(option_class):
    """Each option has a description, which is also in the class's JSON schema."""
    schema = option_class.model_json_schema()
    properties = schema["properties"]

    for name, field in option_class.model_fields.items():
        if name not in FRAMEWORK_OPTIONS:
            assert (field.description or "").endswith(".")
        if name in properties and name not in FRAMEWORK_OPTIONS:
            assert properties[name]["description"] == field.description
    assert "Options:" not in schema["description"]


def test_a_subclass_documents_its_own_options_too():
    """A user's subclass has its own option in its signature and docstring, next to ours."""

    class CustomReranker(LangChainRerank):
        """A reranker with one more option."""

        flavour: str = "salt"

    assert inspect.signature(CustomReranker).parameters["flavour"].default == "salt"
    assert "    flavour: Default: 'salt'." in CustomReranker.__doc__.splitlines()
    assert CustomReranker.__doc__.count("top_n:") == 1


def test_a_subclass_of_a_client_has_its_own_signature():
    """A user's subclass with its own `__init__` has the signature of that `__init__`."""

    class TenantClient(RerankClient):
        def __init__(self, tenant, **options):
            super().__init__(**options)
            self.tenant = tenant

    assert list(inspect.signature(TenantClient).parameters) == ["tenant", "options"]
