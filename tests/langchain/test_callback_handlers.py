"""Each callback handler gets one run of a call, and no time is spent if there are no handlers."""

import functools
import sys
from contextvars import ContextVar

import langchain_core.callbacks
import pytest
from langchain_core.callbacks import (
    AsyncCallbackManager,
    BaseCallbackHandler,
    CallbackManager,
    manager,
)
from langchain_core.documents import Document
from langchain_core.globals import set_debug, set_verbose
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tracers import ConsoleCallbackHandler, context
from langchain_core.tracers.context import (
    collect_runs,
    register_configure_hook,
    tracing_v2_enabled,
)
from langchain_openrouter_rerank._tracing import has_callbacks
from langsmith import RunTree, tracing_context, utils
from wrapt import wrap_function_wrapper

QUERY = "capital of France"
DOCUMENTS = [Document("Bread is baked."), Document("Paris is the capital of France.")]
MANAGERS = {"sync": CallbackManager, "async": AsyncCallbackManager}


class CountingHandler(BaseCallbackHandler):
    """A callback handler that counts the runs of retrievers."""

    runs = 0

    def on_retriever_start(self, *_, **__):
        """Count a run."""
        type(self).runs += 1


class Calls:
    """Calls of a reranker, a handler to register for them, and the runs that handlers got."""

    def __init__(self, call, mode, monkeypatch, langsmith, langsmith_client):
        self.call, self.mode, self.monkeypatch = call, mode, monkeypatch
        self.langsmith, self.langsmith_client = langsmith, langsmith_client
        self.handler = type("Handler", (CountingHandler,), {})()

    def handler_runs(self):
        """Return the number of runs that the handler got."""
        return self.handler.runs

    def langsmith_runs(self):
        """Return the number of retriever runs that clients of LangSmith have started."""
        return sum(
            method == "POST" and run.get("run_type") == "retriever"
            for method, run in self.langsmith.received
        )


@pytest.fixture
def call(reranker, compress, invoke):
    """Return a function that calls a reranker: as a Runnable if there is a configuration."""

    async def call(callbacks=None, config=None):
        if config is None:
            return await compress(reranker, DOCUMENTS, QUERY, callbacks)
        return await invoke(reranker, {"query": QUERY, "documents": DOCUMENTS}, config)

    return call


@pytest.fixture
def calls(call, mode, monkeypatch, langsmith, langsmith_client):
    """Calls of a reranker, with a LangSmith server."""
    return Calls(call, mode, monkeypatch, langsmith, langsmith_client)


async def list_of_handlers(calls):
    """Pass a list of handlers."""
    await calls.call([calls.handler])
    return calls.handler_runs()


async def callback_manager(calls):
    """Pass a callback manager."""
    await calls.call(MANAGERS[calls.mode]([calls.handler]))
    return calls.handler_runs()


async def configuration(calls):
    """Pass a configuration."""
    await calls.call(config={"callbacks": [calls.handler]})
    return calls.handler_runs()


async def parent_run(calls):
    """Call inside a run."""

    async def step(_):
        await calls.call()

    await RunnableLambda(step).ainvoke(QUERY, {"callbacks": [calls.handler]})
    return calls.handler_runs()


async def configuration_of_the_context(calls):
    """Call in a context that has the configuration of a run."""
    token = var_child_runnable_config.set(RunnableConfig(callbacks=[calls.handler]))
    try:
        await calls.call()
    finally:
        var_child_runnable_config.reset(token)
    return calls.handler_runs()


async def debug_mode(calls):
    """Trace all runs to the console, which does not print the runs of retrievers."""
    runs = []
    calls.monkeypatch.setattr(
        ConsoleCallbackHandler, "_on_retriever_start", lambda _, run: runs.append(run)
    )
    set_debug(True)
    try:
        await calls.call()
    finally:
        set_debug(False)
    return len(runs)


async def collected_runs(calls):
    """Collect runs."""
    with collect_runs() as collector:
        await calls.call()
    return len(collector.traced_runs)


async def hook_with_a_context_variable(calls):
    """Set a context variable that is registered with LangChain to a handler."""
    variable = ContextVar("variable", default=None)
    register_configure_hook(variable, inheritable=True)
    variable.set(calls.handler)
    await calls.call()
    return calls.handler_runs()


async def hook_with_an_environment_variable(calls):
    """Register a class of handlers for an environment variable, and set this variable."""
    register_configure_hook(
        ContextVar("variable", default=None), True, type(calls.handler), "TEST_HANDLER"
    )
    calls.monkeypatch.setenv("TEST_HANDLER", "true")
    await calls.call()
    return calls.handler_runs()


async def langsmith_by_environment(calls):
    """Enable LangSmith for the process."""
    calls.monkeypatch.setenv("LANGSMITH_TRACING", "true")
    utils.get_env_var.cache_clear()
    with tracing_context(client=calls.langsmith_client):
        await calls.call()
    return calls.langsmith_runs()


async def langsmith_by_tracing_context(calls):
    """Enable LangSmith for a block."""
    with tracing_context(enabled=True, client=calls.langsmith_client):
        await calls.call()
    return calls.langsmith_runs()


async def langsmith_by_parent_run(calls):
    """Call inside a run of LangSmith."""
    parent = RunTree(name="parent", client=calls.langsmith_client)
    with tracing_context(parent=parent, client=calls.langsmith_client):
        await calls.call()
    return calls.langsmith_runs()


async def langsmith_by_langchain(calls):
    """Enable LangSmith with LangChain's `tracing_v2_enabled`."""
    with tracing_v2_enabled(client=calls.langsmith_client):
        await calls.call()
    return calls.langsmith_runs()


async def wrapped_constructor(calls):
    """Add a handler to every new callback manager, as OpenTelemetry's instrumentations do."""

    def add_handler(constructor, instance, arguments, options):
        constructor(*arguments, **options)
        instance.add_handler(calls.handler, True)

    owner = langchain_core.callbacks.BaseCallbackManager
    calls.monkeypatch.setattr(owner, "__init__", owner.__init__)
    wrap_function_wrapper("langchain_core.callbacks", "BaseCallbackManager.__init__", add_handler)
    await calls.call()
    return calls.handler_runs()


async def wrapped_function(calls):
    """Add a handler in the function that configures all callback managers, as Sentry does."""
    original = vars(manager)["_configure"]

    @functools.wraps(original)
    def configure(manager_class, inherited=None, local=None, *arguments, **options):
        return original(manager_class, inherited, [calls.handler], *arguments, **options)

    calls.monkeypatch.setattr(manager, "_configure", configure)
    await calls.call()
    return calls.handler_runs()


async def replaced_method(calls):
    """Replace the method `configure` of the callback manager by one that adds a handler."""
    owner = MANAGERS[calls.mode]
    original = owner.configure

    def configure(*arguments, **options):
        configured = original(*arguments, **options)
        configured.add_handler(calls.handler)
        return configured

    calls.monkeypatch.setattr(owner, "configure", configure)
    await calls.call()
    return calls.handler_runs()


REGISTRATIONS = (
    list_of_handlers,
    callback_manager,
    configuration,
    parent_run,
    configuration_of_the_context,
    debug_mode,
    collected_runs,
    hook_with_a_context_variable,
    hook_with_an_environment_variable,
    langsmith_by_environment,
    langsmith_by_tracing_context,
    langsmith_by_parent_run,
    langsmith_by_langchain,
    wrapped_constructor,
    wrapped_function,
    replaced_method,
)
"""Each makes one call with a handler, and returns the number of runs that the handler got."""


@pytest.fixture(autouse=True)
def without_handlers_of_the_test(monkeypatch):
    """Remove all handlers that a test has registered."""
    hooks = vars(context)["_configure_hooks"]
    before = [*hooks]
    yield
    monkeypatch.undo()
    # In place, because other modules of older releases refer to this list too.
    hooks[:] = before
    utils.get_env_var.cache_clear()


# LangChain's first releases collect runs with a method that pydantic has renamed since.
@pytest.mark.filterwarnings("ignore:The `copy` method is deprecated")
@pytest.mark.parametrize("runs_of_one_call", REGISTRATIONS, ids=lambda function: function.__name__)
async def test_each_handler_gets_one_run(calls, runs_of_one_call):
    """A handler gets exactly one run of a call, however it was registered."""
    assert await runs_of_one_call(calls) == 1


async def searches_during(call):
    """Return how often LangChain searches for handlers while `call` is awaited."""
    code = vars(manager)["_configure"].__code__
    searches = []

    def record(frame, event, _):
        if event == "call" and frame.f_code is code:
            searches.append(frame)

    before = sys.getprofile()
    sys.setprofile(record)
    try:
        await call
    finally:
        sys.setprofile(before)
    return len(searches)


async def test_without_handlers_langchain_does_not_search_for_them(calls):
    """If there cannot be a handler, LangChain does not search for one."""
    empty_manager = MANAGERS[calls.mode]([])

    assert await searches_during(calls.call([calls.handler])) == 1
    assert await searches_during(calls.call()) == 0
    assert await searches_during(calls.call([])) == 0
    assert await searches_during(calls.call(empty_manager)) == 0
    assert await searches_during(calls.call(config={"tags": ["a"], "metadata": {"a": 1}})) == 0


async def test_a_step_of_a_chain_without_handlers_does_not_search_for_them(calls):
    """If a chain has no handlers, LangChain does not search for them in a call inside a step."""
    searches = []

    async def step(_):
        searches.append(await searches_during(calls.call()))

    await RunnableLambda(step).ainvoke(QUERY)

    assert searches == [0]


def test_verbose_mode_is_not_a_handler():
    """LangChain's verbose mode does not print runs, so it does not count as a handler."""
    set_verbose(True)
    try:
        assert not has_callbacks({}, CallbackManager)
        assert not CallbackManager.configure().handlers
    finally:
        set_verbose(False)


@pytest.mark.parametrize("name", ["tracing_v2_callback_var", "_configure_hooks"])
def test_an_unknown_release_of_langchain_searches_for_handlers(monkeypatch, name):
    """If LangChain lacks a private name that the package reads, LangChain searches for handlers."""
    assert not has_callbacks({}, CallbackManager)

    monkeypatch.delattr(context, name)

    assert has_callbacks({}, CallbackManager)


def test_langchain_searches_for_handlers_of_unknown_hooks():
    """A hook in an unknown form may add a handler, so LangChain searches for handlers."""
    vars(context)["_configure_hooks"].append(object())

    assert has_callbacks({}, CallbackManager)
