"""Dumps, pickles and copies of `OpenRouterRerank`, and the checks of its options."""

import copy
import json
import pickle
import warnings
from inspect import signature
from pathlib import Path

import cloudpickle
import httpx
import pytest
import yaml
from langchain_core._api.beta_decorator import LangChainBetaWarning
from langchain_core.documents import Document
from langchain_core.load import dumpd, dumps, load, loads
from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from langchain_openrouter_rerank import OpenRouterRerank
from openrouter_rerank import Budget, ConfigurationError

KEY = "sk-or-v1-secret"
HEADER = "a header that is as secret as the key"
OPTIONS = {
    "model": "cohere/rerank-4-fast",
    "fallback_models": ["cohere/rerank-v3.5"],
    "top_n": 3,
    "base_url": "http://127.0.0.1:9/api/v1",
    "allow_insecure_http": True,
    "app_url": "https://app.example",
    "app_title": "My app",
    "app_categories": ["cli-agent"],
    "session_id": "session-1",
    "user": "user-1",
    "trace": {"id": "1"},
    "provider": {"sort": "price", "order": ["cohere"]},
    "extra_body": {"new": [1, None]},
    "timeout": 7.5,
    "max_retries": 0,
    "max_concurrency": 3,
    "max_documents_per_request": 50,
    "long_documents": "split",
    "passage_tokens": 300,
    "max_passages": 20,
    "on_error": "passthrough",
    "unscorable": "drop",
    "image_mode": "always",
    "keep_retrieval_score": True,
    "image_root": str(Path(__file__).parent),
    "max_image_bytes": 1000,
    "budget": 0.5,
    "score_ttl": 86400.0,
    "image_key": ["photo", "scan"],
    "rank_fields": ["title", "year"],
    "score_key": "score",
    "name": "my reranker",
}
DOCUMENTS = [Document("Paris"), Document("Rome")]


def allow_only(*classes):
    """Return the options of `loads` that allow only these classes, from langchain-core 1.2.5 on."""
    return {"allowed_objects": classes} if "allowed_objects" in signature(loads).parameters else {}


def loaded(text, **options):
    """Return the reranker that LangChain loads from its dump."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangChainBetaWarning)
        return loads(
            text,
            **allow_only(OpenRouterRerank),
            valid_namespaces=["langchain_openrouter_rerank"],
            **options,
        )


def title_of(document):
    """Return the title of a document, as a converter that can be pickled by its name."""
    return document.metadata["title"]


def test_options_has_every_option_that_can_be_dumped():
    """`OPTIONS` lacks only `score_threshold`, which cannot be combined with fallback models."""
    dumped = {
        name for name, field in OpenRouterRerank.model_fields.items() if field.exclude is not True
    }

    assert dumped - OPTIONS.keys() == {"score_threshold"}


@pytest.mark.parametrize(
    "restore",
    [
        lambda reranker: loaded(dumps(reranker)),
        lambda reranker: OpenRouterRerank(**reranker.model_dump()),
        lambda reranker: OpenRouterRerank.model_validate(reranker.model_dump(mode="json")),
        lambda reranker: OpenRouterRerank.model_validate_json(reranker.model_dump_json()),
        lambda reranker: OpenRouterRerank(**json.loads(reranker.model_dump_json())),
        lambda reranker: OpenRouterRerank(
            **yaml.safe_load(yaml.safe_dump(reranker.model_dump(mode="json")))
        ),
        lambda reranker: pickle.loads(pickle.dumps(reranker)),  # noqa: S301 - Made in this line
        lambda reranker: pickle.loads(cloudpickle.dumps(reranker)),  # noqa: S301 - As above
        lambda reranker: reranker.model_copy(deep=True),
        copy.deepcopy,
        copy.copy,
    ],
    ids=[
        *("dumps", "dict", "json dict", "json", "json keywords", "yaml"),
        *("pickle", "cloudpickle", "deep model_copy", "deepcopy", "copy"),
    ],
)
def test_dumps_and_copies_keep_all_options(restore):
    """LangChain's dumps, JSON, YAML, pickles and copies restore a reranker with its options."""
    reranker = OpenRouterRerank(**OPTIONS)

    restored = restore(reranker)

    assert type(restored) is OpenRouterRerank
    assert restored.model_dump(mode="json") == reranker.model_dump(mode="json")
    assert restored.model_dump(mode="json") == {**OPTIONS, "score_threshold": None}


@pytest.mark.parametrize("file_format", ["json", "yaml"])
def test_options_can_be_loaded_from_a_file(file_format, tmp_path):
    """The options can be loaded from a configuration file."""
    file = tmp_path / f"reranker.{file_format}"
    file.write_text(json.dumps(OPTIONS) if file_format == "json" else yaml.safe_dump(OPTIONS))

    reranker = OpenRouterRerank(**yaml.safe_load(file.read_text()))

    assert reranker.model_dump() | {"budget": 0.5} == OpenRouterRerank(**OPTIONS).model_dump()


def test_langchain_dumps_a_constructor():
    """LangChain's dump has the class, its options, and a reference in place of the key."""
    dumped = dumpd(OpenRouterRerank(api_key=KEY, top_n=3))

    assert dumped["id"] == ["langchain_openrouter_rerank", "rerank", "OpenRouterRerank"]
    assert (dumped["lc"], dumped["type"]) == (1, "constructor")
    assert dumped["kwargs"]["top_n"] == 3
    assert dumped["kwargs"]["api_key"] == {"lc": 1, "type": "secret", "id": ["OPENROUTER_API_KEY"]}
    assert "api_key" not in dumpd(OpenRouterRerank())["kwargs"]


def test_a_loaded_reranker_uses_the_key_of_secrets_map(local_openrouter):
    """If `loads` gets the key in `secrets_map`, the loaded reranker uses this key."""
    dumped = dumps(OpenRouterRerank(api_key=KEY, base_url=local_openrouter.base_url))
    restored = loaded(dumped, secrets_map={"OPENROUTER_API_KEY": "sk-or-v1-other"})

    restored.compress_documents(DOCUMENTS, "rome")

    assert local_openrouter.requests[0].headers["authorization"] == "Bearer sk-or-v1-other"


@pytest.mark.usefixtures("key_in_environment")
@pytest.mark.parametrize("options", [{}, {"secrets_from_env": False}, {"secrets_from_env": True}])
def test_a_loaded_reranker_uses_the_key_in_the_environment(options, local_openrouter):
    """Without `secrets_map`, the loaded reranker uses the key in the environment."""
    restored = loaded(dumps(OpenRouterRerank(api_key=KEY)), **options)

    assert restored.compress_documents(DOCUMENTS, "rome")[0].page_content == "Rome"
    assert KEY not in local_openrouter.requests[0].headers["authorization"]


def test_a_chain_is_dumped_with_its_reranker():
    """A chain that contains a reranker can be dumped and loaded."""
    chain = {"query": RunnablePassthrough(), "documents": RunnablePassthrough()} | OpenRouterRerank(
        api_key=KEY, top_n=3
    )
    dumped = dumpd(chain)

    assert KEY not in json.dumps(dumped)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangChainBetaWarning)
        restored = load(
            dumped,
            **allow_only(OpenRouterRerank, type(chain), RunnablePassthrough, type(chain.first)),
            valid_namespaces=["langchain_openrouter_rerank"],
        )
    assert restored.last.top_n == 3


@pytest.mark.parametrize(
    "output_of",
    [
        repr,
        str,
        dumps,
        dumpd,
        lambda reranker: reranker.to_json(),
        lambda reranker: reranker.model_dump(),
        lambda reranker: reranker.model_dump_json(),
        pickle.dumps,
        cloudpickle.dumps,
        copy.deepcopy,
        lambda reranker: reranker.model_copy(deep=True),
        lambda reranker: reranker.configurable_fields(),
        lambda reranker: reranker | RunnableLambda(str),
        lambda reranker: dumps(reranker.with_retry()),
    ],
)
def test_no_output_has_the_key(output_of):
    """No text form, dump, pickle, copy or chain shows the key or a header of the user."""
    reranker = OpenRouterRerank(api_key=KEY, default_headers={"X-Token": HEADER})

    text = repr(output_of(reranker))

    assert KEY not in text
    assert HEADER not in text


def test_copies_keep_the_key_and_the_clients(local_openrouter):
    """Copies, deep copies too, use the same key, HTTP client and converter."""
    with httpx.Client() as client:
        reranker = OpenRouterRerank(
            api_key=KEY,
            base_url=local_openrouter.base_url,
            http_client=client,
            document_converter=title_of,
        )
        for copied in (
            copy.deepcopy(reranker),
            reranker.model_copy(deep=True),
            copy.copy(reranker),
        ):
            assert copied.http_client is client
            copied.compress_documents([Document("", metadata={"title": "Rome"})], "rome")

    assert {request.headers["authorization"] for request in local_openrouter.requests} == {
        f"Bearer {KEY}"
    }
    assert [request.documents for request in local_openrouter.requests] == [["Rome"]] * 3


@pytest.mark.usefixtures("key_in_environment")
def test_converters_are_pickled_but_not_dumped(local_openrouter):
    """A converter is pickled by its name or, if it is a lambda, by its code. Dumps omit it."""
    documents = [Document("", metadata={"title": "Rome"})]
    with_function = OpenRouterRerank(document_converter=title_of)
    with_lambda = OpenRouterRerank(document_converter=lambda document: document.metadata["title"])

    for pickled in (cloudpickle.dumps(with_function), cloudpickle.dumps(with_lambda)):
        restored = pickle.loads(pickled)  # noqa: S301 - This test has made it
        restored.compress_documents(documents, "rome")

    assert [request.documents for request in local_openrouter.requests] == [["Rome"]] * 2
    assert "document_converter" not in with_lambda.model_dump()
    assert "document_converter" not in dumpd(with_lambda)["kwargs"]


@pytest.mark.parametrize(
    "options",
    [
        {"model": "a/model", "api_key": KEY, "base_url": "http://127.0.0.1:9"},
        {
            "model_name": "a/model",
            "openrouter_api_key": KEY,
            "openrouter_api_base": "http://127.0.0.1:9",
        },
        {"model_name": "a/model", "api_key": KEY, "api_base": "http://127.0.0.1:9"},
    ],
)
def test_other_names_of_options_are_accepted(options):
    """The names of options in `ChatOpenRouter` and in other rerankers are accepted."""
    reranker = OpenRouterRerank(**options)

    assert reranker.model == "a/model"
    assert reranker.api_key.get_secret_value() == KEY
    assert reranker.base_url == "http://127.0.0.1:9"


def test_options_of_the_chat_model_are_accepted():
    """Options for the app and the session have the names and values of `ChatOpenRouter`."""
    options = {
        "app_url": "https://app.example",
        "app_title": "My app",
        "app_categories": ["cli-agent"],
        "max_retries": 2,
        "session_id": "1",
        "trace": {"id": "1"},
        "default_headers": {"X-Mine": "yes"},
    }

    assert OpenRouterRerank(**options).model_dump(include=options.keys()) == {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in options.items()
        if name != "default_headers"
    }


@pytest.mark.parametrize("typo", ["topn", "top_k", "modle", "apikey", "timeout_ms", "rank_field"])
def test_an_unknown_option_is_refused(typo):
    """An unknown option is an error with its name. Its value is not shown."""
    with pytest.raises(ConfigurationError, match=typo) as error:
        OpenRouterRerank(**{typo: KEY})
    assert KEY not in str(error.value)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("rank_fields", 17),
        ("image_key", 17),
        ("document_converter", "title"),
        ("top_n", 0),
        ("timeout", 0),
        ("score_key", ""),
    ],
)
def test_an_invalid_value_is_refused(option, value):
    """An invalid value is an error with the name of the option."""
    with pytest.raises(ConfigurationError, match=option):
        OpenRouterRerank(**{option: value})


def test_a_timeout_in_milliseconds_is_a_warning():
    """A timeout of more than 600 seconds, such as one in milliseconds, is a warning."""
    with pytest.warns(
        UserWarning, match="timeout=30000 means 500 minutes: it is in seconds"
    ) as warnings_of_constructor:
        reranker = OpenRouterRerank(timeout=30_000)
    with pytest.warns(UserWarning, match="timeout=601 means 10 minutes"):
        reranker.timeout = 601

    assert warnings_of_constructor[0].filename == __file__
    assert OpenRouterRerank(timeout=600).timeout == 600


def test_copies_share_a_budget_and_dumps_have_its_limit():
    """A copy has the same budget object. A dump has only the limit."""
    reranker = OpenRouterRerank(budget=Budget(0.5))

    assert copy.deepcopy(reranker).budget is reranker.budget
    assert dumpd(reranker)["kwargs"]["budget"] == 0.5


def test_a_dump_is_loaded_without_a_key(monkeypatch):
    """A dump can be loaded where there is no key; the first call says that it is missing."""
    dumped = dumps(OpenRouterRerank(api_key="sk-any", top_n=2))
    monkeypatch.delenv("OPENROUTER_API_KEY")

    reranker = loaded(dumped)

    assert reranker.top_n == 2
    with pytest.raises(ConfigurationError, match="no API key: set OPENROUTER_API_KEY"):
        reranker.compress_documents(DOCUMENTS, "capital of France")


def test_a_dump_is_loaded_where_the_image_folder_does_not_exist(tmp_path):
    """A dump with `image_root` can be loaded on a machine without that folder."""
    folder = tmp_path / "images"
    folder.mkdir()
    written = dumps(OpenRouterRerank(image_root=folder))
    folder.rmdir()

    assert loaded(written).image_root == folder
