"""The headers of a call, and configured keys: no frame and no `repr` shows them."""

import pytest
from langchain_core.documents import Document
from langchain_core.runnables import ConfigurableField, RunnableLambda
from langchain_openrouter_rerank import OpenRouterRerank
from openrouter_rerank.errors import ConfigurationError, UnauthorizedError
from openrouter_rerank.local.stage import error

from tests.secret_walker import HEADER, KEY, secrets_in, secrets_in_frames

QUERY = "capital of France"
DOCUMENTS = [Document("Bread is baked."), Document("Paris is the capital of France.")]
INPUT = {"query": QUERY, "documents": DOCUMENTS}


class Sync(OpenRouterRerank):
    """A reranker that overrides the sync method."""

    def compress_documents(self, documents, query, callbacks=None, **options):
        """Return what the superclass returns."""
        return super().compress_documents(documents, query, callbacks, **options)


class Async(OpenRouterRerank):
    """A reranker that overrides the async method."""

    async def acompress_documents(self, documents, query, callbacks=None, **options):
        """Return what the superclass returns."""
        return await super().acompress_documents(documents, query, callbacks, **options)


class WithOption(OpenRouterRerank):
    """A reranker whose calls have an option that other rerankers do not have."""

    def compress_documents(self, documents, query, callbacks=None, *, most=None):
        """Return at most `most` documents."""
        return super().compress_documents(documents, query, callbacks)[:most]


@pytest.fixture
def refusing(local_openrouter):
    """Return a function that makes a reranker of a class whose calls are refused."""
    local_openrouter.always(error(401, "No cookie auth credentials found"))

    def make(kind):
        return kind(api_key=local_openrouter.api_key, base_url=local_openrouter.base_url)

    return make


async def asynchronously(iterator):
    """Yield the inputs of `iterator`."""
    for each in iterator:
        yield each


async def listed(iterator):
    """Return the outputs of an async iterator."""
    return [each async for each in iterator]


SYNC_CALLS = {
    "compress_documents": lambda each, **o: each.compress_documents(DOCUMENTS, QUERY, **o),
    "rerank": lambda each, **o: each.rerank(DOCUMENTS, QUERY, **o),
    "invoke": lambda each, **o: each.invoke(INPUT, **o),
    "batch": lambda each, **o: each.batch([INPUT, INPUT], **o),
    "batch_as_completed": lambda each, **o: [*each.batch_as_completed([INPUT, INPUT], **o)],
    "stream": lambda each, **o: [*each.stream(INPUT, **o)],
    "transform": lambda each, **o: [*each.transform(iter([INPUT]), **o)],
    "bind": lambda each, **o: each.bind(**o).invoke(INPUT),
    "bind in a chain": lambda each, **o: (RunnableLambda(dict) | each.bind(**o)).invoke(INPUT),
}
ASYNC_CALLS = {
    "acompress_documents": lambda each, **o: each.acompress_documents(DOCUMENTS, QUERY, **o),
    "arerank": lambda each, **o: each.arerank(DOCUMENTS, QUERY, **o),
    "ainvoke": lambda each, **o: each.ainvoke(INPUT, **o),
    "abatch": lambda each, **o: each.abatch([INPUT, INPUT], **o),
    "abatch_as_completed": lambda each, **o: listed(each.abatch_as_completed([INPUT], **o)),
    "astream": lambda each, **o: listed(each.astream(INPUT, **o)),
    "atransform": lambda each, **o: listed(each.atransform(asynchronously([INPUT]), **o)),
    "astream_events": lambda each, **o: listed(each.astream_events(INPUT, version="v2", **o)),
    "bind": lambda each, **o: each.bind(**o).ainvoke(INPUT),
}
each_kind = pytest.mark.parametrize("kind", [OpenRouterRerank, Sync, Async])


@each_kind
@pytest.mark.parametrize("call", SYNC_CALLS.values(), ids=SYNC_CALLS)
def test_no_frame_of_a_sync_call_shows_a_header(refusing, kind, call):
    """The headers of a call are in no variable of a frame, also in those of LangChain."""
    with pytest.raises(UnauthorizedError) as caught:
        call(refusing(kind), extra_headers={"X-Secret": HEADER})

    assert secrets_in_frames(caught.value) == []


@each_kind
@pytest.mark.parametrize("call", ASYNC_CALLS.values(), ids=ASYNC_CALLS)
async def test_no_frame_of_an_async_call_shows_a_header(refusing, kind, call):
    """The headers of an async call are in no variable of a frame, also in those of LangChain."""
    with pytest.raises(UnauthorizedError) as caught:
        await call(refusing(kind), extra_headers={"X-Secret": HEADER})

    assert secrets_in_frames(caught.value) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"api_key": KEY}, "has no argument 'api_key'"),
        ({"default_headers": {"X-Secret": HEADER}}, "Did you mean 'extra_headers'?"),
        ({"extra_header": {"X-Secret": HEADER}}, "Did you mean 'extra_headers'?"),
    ],
)
def test_bind_refuses_what_is_no_option_of_a_call(make_reranker, options, message):
    """`bind` itself refuses the name, because LangChain's Runnable would show the value."""
    with pytest.raises(TypeError) as caught:
        make_reranker().bind(**options)

    assert message in str(caught.value)
    assert secrets_in_frames(caught.value) == []


def test_bind_refuses_a_bad_value(make_reranker):
    """`bind` refuses a value that each call would refuse."""
    with pytest.raises(ConfigurationError, match="timeout must be a positive number"):
        make_reranker().bind(timeout=0)


async def test_bind_takes_the_options_of_an_overridden_method(local_openrouter, invoke):
    """`bind` passes an option that only the subclass has to its overridden method."""
    reranker = WithOption(api_key=local_openrouter.api_key, base_url=local_openrouter.base_url)

    assert len(await invoke(reranker.bind(most=1), INPUT)) == 1


FIELDS = {"api_key": ConfigurableField("key"), "default_headers": ConfigurableField("headers")}
SECRETS = {"configurable": {"key": KEY, "headers": {"X-Secret": HEADER}}}


async def test_no_frame_shows_a_configured_secret(refusing, invoke, local_openrouter):
    """A key and headers in the configuration of a call are sent, and no frame shows them."""
    configurable = refusing(OpenRouterRerank).configurable_fields(**FIELDS)

    for runnable, config in (
        (configurable, SECRETS),
        (configurable.with_config(SECRETS), None),
        (configurable.with_config(**SECRETS), None),
    ):
        with pytest.raises(UnauthorizedError) as caught:
            await invoke(runnable, INPUT, config)
        assert secrets_in_frames(caught.value) == []
    for request in local_openrouter.requests:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert request.headers["x-secret"] == HEADER


def test_a_runnable_with_a_configured_secret_does_not_show_it(reranker):
    """The `repr` and the attributes of what `with_config` returns have no secret."""
    configured = reranker.configurable_fields(**FIELDS).with_config(SECRETS)

    assert secrets_in(configured) == []
