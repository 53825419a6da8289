"""The options of one call: in each method of the reranker, and in LangChain's configurations."""

import asyncio

import pytest
from langchain_core.documents import Document
from langchain_core.load import dumps
from langchain_core.runnables import ConfigurableField, RunnablePassthrough
from openrouter_rerank.errors import ConfigurationError, DeadlineExceededError
from openrouter_rerank.local.stage import Fault

QUERY = "capital of France"
TEXTS = ("Bread is baked.", "Paris is the capital of France.", "Rome is a capital.")
DOCUMENTS = [Document(text) for text in TEXTS]
INPUT = {"query": QUERY, "documents": DOCUMENTS}
OPTIONS = {
    "timeout": 20,
    "max_retries": 0,
    "user": "user-1",
    "session_id": "session-1",
    "provider": {"only": ["cohere"]},
    "app_title": "My app",
    "extra_headers": {"X-Tenant": "secret-1"},
}


def require_options(request):
    """Require that a request was sent with `OPTIONS`."""
    assert (request.json["user"], request.json["provider"]) == ("user-1", {"only": ["cohere"]})
    assert request.headers["x-session-id"] == "session-1"
    assert request.headers["x-openrouter-title"] == "My app"
    assert request.headers["x-tenant"] == "secret-1"


async def test_each_method_takes_the_options(reranker, compress, rerank, invoke, local_openrouter):
    """All methods that make a call take its options, and so does `bind`."""
    bound = reranker.bind(**OPTIONS)

    await compress(reranker, DOCUMENTS, QUERY, **OPTIONS)
    await rerank(reranker, TEXTS, QUERY, **OPTIONS)
    await invoke(reranker, INPUT, **OPTIONS)
    await invoke(bound, INPUT)
    await asyncio.to_thread(reranker.batch, [INPUT, INPUT], **OPTIONS)
    await compress(reranker, DOCUMENTS, QUERY)

    *with_options, without = local_openrouter.requests
    assert len(with_options) == 6
    for request in with_options:
        require_options(request)
    assert without.json.keys() == {"model", "query", "documents"}
    assert "secret-1" not in repr(bound)


async def test_a_timeout_of_a_call_holds(reranker, compress, local_openrouter):
    """The timeout of a call ends it, and the reranker keeps its own."""
    local_openrouter.always(Fault.hang())

    with pytest.raises(DeadlineExceededError, match=r"timeout=0\.2 s"):
        await compress(reranker, DOCUMENTS, QUERY, timeout=0.2)
    assert reranker.timeout == 30


@pytest.fixture
def configurable(reranker):
    """A reranker whose options can be set by the configuration of a call."""
    names = ("timeout", "max_retries", "user", "session_id", "provider", "app_title", "score_key")
    fields = {name: ConfigurableField(f"rerank_{name}") for name in names}
    return reranker.configurable_fields(default_headers=ConfigurableField("headers"), **fields)


def configuration(**options):
    """Return the configuration of a call that sets these options."""
    return {"configurable": {f"rerank_{name}": value for name, value in options.items()}}


async def test_a_configuration_sets_the_options(configurable, invoke, local_openrouter):
    """The configuration of a call, or of a Runnable, sets options of the call."""
    options = {name: OPTIONS[name] for name in OPTIONS if name != "extra_headers"}
    config = configuration(score_key="score", **options)
    config["configurable"]["headers"] = OPTIONS["extra_headers"]
    chain = RunnablePassthrough() | configurable

    for found in (
        await invoke(configurable, INPUT, config),
        await invoke(configurable.with_config(config), INPUT),
        await invoke(chain, INPUT, config),
    ):
        assert found[0].metadata == {"score": 1.0}
    assert (await invoke(configurable, INPUT))[0].metadata == {"relevance_score": 1.0}
    *with_options, without = local_openrouter.requests
    for request in with_options:
        require_options(request)
    assert without.json.keys() == {"model", "query", "documents"}


async def test_configured_calls_share_one_client(configurable, invoke, local_openrouter):
    """Other values of options in configurations create no other client."""
    reranker = configurable.default
    for number in range(1, 20):
        await invoke(configurable, INPUT, configuration(timeout=number, user=f"user-{number}"))

    clients = reranker._clients  # noqa: SLF001 - no public name
    assert len(clients._sync) + len(clients._async) == 1  # noqa: SLF001 - no public name
    assert [request.json["user"] for request in local_openrouter.requests][-1] == "user-19"


async def test_a_bad_option_in_a_configuration_is_refused(configurable, invoke):
    """A value that a reranker refuses is refused in a configuration, with the same text."""
    with pytest.raises(ConfigurationError, match="timeout must be a positive number of seconds"):
        await invoke(configurable, INPUT, configuration(timeout=0))
    with pytest.raises(ValueError, match="timeout_ms"):
        configurable.default.configurable_fields(timeout_ms=ConfigurableField("a"))


async def test_another_reranker_in_a_configuration(reranker, invoke):
    """Alternatives inside of configurable fields keep their own clients."""
    fields = reranker.configurable_fields(top_n=ConfigurableField("n"))
    other = reranker.model_copy(update={"top_n": 2})
    chosen = fields.configurable_alternatives(ConfigurableField("which"), other=other)

    assert len(await invoke(chosen, INPUT, {"configurable": {"n": 1}})) == 1
    assert len(await invoke(chosen, INPUT, {"configurable": {"which": "other"}})) == 2


def test_a_dump_of_configurable_fields_has_the_id_of_langchains_class(configurable):
    """LangChain can load the dump, because it has the id of a class of LangChain, and no key."""
    text = dumps(configurable)

    assert '"RunnableConfigurableFields"' in text
    assert "sk-or" not in text
