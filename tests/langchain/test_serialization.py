"""`OpenRouterRerank` as a value: written down, read back, copied, sent to another process."""

import copy
import json
import pickle
import warnings
from inspect import signature

import cloudpickle
import httpx
import pytest
import yaml
from langchain_core._api.beta_decorator import LangChainBetaWarning
from langchain_core.documents import Document
from langchain_core.load import dumpd, dumps, load, loads
from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from langchain_openrouter_rerank import OpenRouterRerank
from openrouter_rerank import Budget
from pydantic import ValidationError

KEY = "sk-or-v1-secret"
HEADER = "a header that is as secret as the key"
OPTIONS = {
    "model": "cohere/rerank-4-fast",
    "fallback_models": ["cohere/rerank-v3.5"],
    "top_n": 3,
    "base_url": "http://127.0.0.1:9/api/v1",
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
    "on_error": "passthrough",
    "unscorable": "drop",
    "image_mode": "always",
    "image_root": "/pictures",
    "max_image_bytes": 1000,
    "budget": 0.5,
    "score_ttl": 86400.0,
    "image_key": ["photo", "scan"],
    "rank_fields": ["title", "year"],
    "score_key": "score",
    "name": "my reranker",
}
DOCUMENTS = [Document("Paris"), Document("Rome")]


def only(*allowed):
    """Let `loads` make these alone, where langchain-core is new enough (1.2.5) to be told so."""
    return {"allowed_objects": allowed} if "allowed_objects" in signature(loads).parameters else {}


def read_back(text, **options):
    """Read what LangChain has written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangChainBetaWarning)
        return loads(
            text,
            **only(OpenRouterRerank),
            valid_namespaces=["langchain_openrouter_rerank"],
            **options,
        )


def title_of(document):
    """Say that a document is ranked by its title."""
    return document.metadata["title"]


def test_every_option_that_can_be_written_is_in_the_table():
    """The table above leaves out only the threshold, which excludes fallbacks, and the secrets."""
    written = {
        name for name, field in OpenRouterRerank.model_fields.items() if field.exclude is not True
    }

    assert written - OPTIONS.keys() == {"score_threshold"}


@pytest.mark.parametrize(
    "again",
    [
        lambda reranker: read_back(dumps(reranker)),
        lambda reranker: OpenRouterRerank(**reranker.model_dump()),
        lambda reranker: OpenRouterRerank.model_validate(reranker.model_dump(mode="json")),
        lambda reranker: OpenRouterRerank.model_validate_json(reranker.model_dump_json()),
        lambda reranker: OpenRouterRerank(**json.loads(reranker.model_dump_json())),
        lambda reranker: OpenRouterRerank(
            **yaml.safe_load(yaml.safe_dump(reranker.model_dump(mode="json")))
        ),
        lambda reranker: pickle.loads(pickle.dumps(reranker)),  # noqa: S301 - It is our own
        lambda reranker: pickle.loads(cloudpickle.dumps(reranker)),  # noqa: S301 - It is our own
        lambda reranker: reranker.model_copy(deep=True),
        copy.deepcopy,
        copy.copy,
    ],
    ids=[
        *("dumps", "dict", "json dict", "json", "json keywords", "yaml"),
        *("pickle", "cloudpickle", "deep model_copy", "deepcopy", "copy"),
    ],
)
def test_what_was_written_is_read_back(again):
    """LangChain's format, JSON, YAML, pickles and copies give a reranker with the same options."""
    reranker = OpenRouterRerank(**OPTIONS)

    restored = again(reranker)

    assert type(restored) is OpenRouterRerank
    assert restored.model_dump(mode="json") == reranker.model_dump(mode="json")
    assert restored.model_dump(mode="json") == {**OPTIONS, "score_threshold": None}


@pytest.mark.parametrize("language", ["json", "yaml"])
def test_a_configuration_file_makes_the_same_reranker(language, tmp_path):
    """The keywords of the constructor can stand in a file."""
    file = tmp_path / f"reranker.{language}"
    file.write_text(json.dumps(OPTIONS) if language == "json" else yaml.safe_dump(OPTIONS))

    made = OpenRouterRerank(**yaml.safe_load(file.read_text()))

    assert made.model_dump() | {"budget": 0.5} == OpenRouterRerank(**OPTIONS).model_dump()


def test_langchain_writes_a_constructor():
    """The dump names the class by its module, and takes only what the constructor takes."""
    dumped = dumpd(OpenRouterRerank(api_key=KEY, top_n=3))

    assert dumped["id"] == ["langchain_openrouter_rerank", "rerank", "OpenRouterRerank"]
    assert (dumped["lc"], dumped["type"]) == (1, "constructor")
    assert dumped["kwargs"]["top_n"] == 3
    assert dumped["kwargs"]["api_key"] == {"lc": 1, "type": "secret", "id": ["OPENROUTER_API_KEY"]}
    assert "api_key" not in dumpd(OpenRouterRerank())["kwargs"]


def test_the_secret_is_filled_in(local_openrouter):
    """Where the secret is supplied, the restored reranker calls with it."""
    dumped = dumps(OpenRouterRerank(api_key=KEY, base_url=local_openrouter.base_url))
    restored = read_back(dumped, secrets_map={"OPENROUTER_API_KEY": "sk-or-v1-other"})

    restored.compress_documents(DOCUMENTS, "rome")

    assert local_openrouter.requests[0].headers["authorization"] == "Bearer sk-or-v1-other"


@pytest.mark.usefixtures("key_in_environment")
@pytest.mark.parametrize("options", [{}, {"secrets_from_env": False}, {"secrets_from_env": True}])
def test_without_the_secret_the_environment_is_asked(options, local_openrouter):
    """A key that was not supplied is looked up as if none had been written."""
    restored = read_back(dumps(OpenRouterRerank(api_key=KEY)), **options)

    assert restored.compress_documents(DOCUMENTS, "rome")[0].page_content == "Rome"
    assert KEY not in local_openrouter.requests[0].headers["authorization"]


def test_a_chain_is_written_with_its_reranker():
    """A chain that holds a reranker is read back too."""
    chain = {"query": RunnablePassthrough(), "documents": RunnablePassthrough()} | OpenRouterRerank(
        api_key=KEY, top_n=3
    )
    dumped = dumpd(chain)

    assert KEY not in json.dumps(dumped)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangChainBetaWarning)
        restored = load(
            dumped,
            **only(OpenRouterRerank, type(chain), RunnablePassthrough, type(chain.first)),
            valid_namespaces=["langchain_openrouter_rerank"],
        )
    assert restored.last.top_n == 3


@pytest.mark.parametrize(
    "written",
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
def test_the_key_is_written_nowhere(written):
    """Neither the key nor a header of the user is in anything that may be stored or logged."""
    reranker = OpenRouterRerank(api_key=KEY, default_headers={"X-Token": HEADER})

    text = repr(written(reranker))

    assert KEY not in text
    assert HEADER not in text


def test_a_copy_keeps_the_key_and_the_clients(local_openrouter):
    """Copies call with the same key and through the same clients, deep ones too."""
    with httpx.Client() as client:
        reranker = OpenRouterRerank(
            api_key=KEY,
            base_url=local_openrouter.base_url,
            http_client=client,
            document_converter=title_of,
        )
        for made in (copy.deepcopy(reranker), reranker.model_copy(deep=True), copy.copy(reranker)):
            assert made.http_client is client
            made.compress_documents([Document("", metadata={"title": "Rome"})], "rome")

    assert {request.headers["authorization"] for request in local_openrouter.requests} == {
        f"Bearer {KEY}"
    }
    assert [request.documents for request in local_openrouter.requests] == [["Rome"]] * 3


@pytest.mark.usefixtures("key_in_environment")
def test_pickles_take_functions_along(local_openrouter):
    """A function of a module is pickled by name, any other by cloudpickle."""
    documents = [Document("", metadata={"title": "Rome"})]
    by_name = OpenRouterRerank(document_converter=title_of)
    by_value = OpenRouterRerank(document_converter=lambda document: document.metadata["title"])

    for pickled in (cloudpickle.dumps(by_name), cloudpickle.dumps(by_value)):
        restored = pickle.loads(pickled)  # noqa: S301 - It is our own
        restored.compress_documents(documents, "rome")

    assert [request.documents for request in local_openrouter.requests] == [["Rome"]] * 2
    assert "document_converter" not in by_value.model_dump()
    assert "document_converter" not in dumpd(by_value)["kwargs"]


@pytest.mark.parametrize(
    "names",
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
def test_the_names_of_the_neighbours(names):
    """The names that `ChatOpenRouter` and other rerankers have for an option are accepted."""
    reranker = OpenRouterRerank(**names)

    assert reranker.model == "a/model"
    assert reranker.api_key.get_secret_value() == KEY
    assert reranker.base_url == "http://127.0.0.1:9"


def test_options_of_the_chat_model_mean_the_same():
    """What `ChatOpenRouter` takes to name an app and a session can be passed on as it is."""
    shared = {
        "app_url": "https://app.example",
        "app_title": "My app",
        "app_categories": ["cli-agent"],
        "max_retries": 2,
        "session_id": "1",
        "trace": {"id": "1"},
        "default_headers": {"X-Mine": "yes"},
    }

    assert OpenRouterRerank(**shared).model_dump(include=shared.keys()) == {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in shared.items()
        if name != "default_headers"
    }


@pytest.mark.parametrize("typo", ["topn", "top_k", "modle", "apikey", "timeout_ms", "rank_field"])
def test_typos_are_refused(typo):
    """A misspelt option is named, and its value is not quoted."""
    with pytest.raises(ValidationError, match=typo) as error:
        OpenRouterRerank(**{typo: KEY})
    assert KEY not in str(error.value)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("rank_fields", "title"),
        ("image_key", 17),
        ("document_converter", "title"),
        ("top_n", 0),
        ("timeout", 0),
        ("score_key", ""),
    ],
)
def test_impossible_values_are_refused(option, value):
    """A value of the wrong kind is an error that names the option."""
    with pytest.raises(ValidationError, match=option):
        OpenRouterRerank(**{option: value})


def test_a_timeout_in_milliseconds_is_noticed():
    """Ten minutes and more look like milliseconds: a warning says that seconds are meant."""
    with pytest.warns(
        UserWarning, match="timeout=30000 means 500 minutes: it is in seconds"
    ) as seen:
        reranker = OpenRouterRerank(timeout=30_000)
    with pytest.warns(UserWarning, match="timeout=601 means 10 minutes"):
        reranker.timeout = 601

    assert seen[0].filename == __file__
    assert OpenRouterRerank(timeout=600).timeout == 600


def test_a_budget_is_shared_by_copies_and_written_as_its_limit():
    """Copies spend the same budget; what was written down has one of its own."""
    reranker = OpenRouterRerank(budget=Budget(0.5))

    assert copy.deepcopy(reranker).budget is reranker.budget
    assert dumpd(reranker)["kwargs"]["budget"] == 0.5
