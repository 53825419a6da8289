"""A callback handler gets each call once, and LangChain looks for none where there can be none."""

import functools
import json
import sys
import threading
from contextvars import ContextVar
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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
from langchain_openrouter_rerank import OpenRouterRerank
from langchain_openrouter_rerank._tracing import has_callbacks
from langsmith import Client, RunTree, tracing_context, utils
from wrapt import wrap_function_wrapper

QUERY = "capital of France"
DOCUMENTS = [Document("Bread is baked."), Document("Paris is the capital of France.")]
MANAGERS = {"sync": CallbackManager, "async": AsyncCallbackManager}


class Listener(BaseCallbackHandler):
    """A handler that counts retriever runs."""

    runs = 0

    def on_retriever_start(self, *_, **__):
        """Count a run."""
        type(self).runs += 1


class LangSmith(BaseHTTPRequestHandler):
    """A LangSmith server that counts the retriever runs that a client starts."""

    def do_POST(self):
        """Count the run if it is a retriever run, and accept it."""
        run = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.server.runs += run.get("run_type") == "retriever"
        self.do_PATCH()

    def do_PATCH(self):
        """Accept the request."""
        self.rfile.read(0 if self.command == "POST" else int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments):
        """Print nothing."""


class Setting:
    """What a way to register a handler needs, and the call that the handler gets."""

    def __init__(self, reranker, mode, monkeypatch, langsmith, client):
        self.mode, self.monkeypatch = mode, monkeypatch
        self.langsmith, self.client = langsmith, client
        self._reranker = reranker
        self.listener = type("Listener", (Listener,), {})()

    async def call(self, callbacks=None, config=None):
        """Rerank as a compressor, or as a step of a chain if there is a configuration."""
        given = {"query": QUERY, "documents": DOCUMENTS}
        if self.mode == "sync" and config is None:
            return self._reranker.compress_documents(DOCUMENTS, QUERY, callbacks)
        if self.mode == "sync":
            return self._reranker.invoke(given, config)
        if config is None:
            return await self._reranker.acompress_documents(DOCUMENTS, QUERY, callbacks)
        return await self._reranker.ainvoke(given, config)

    def heard(self):
        """Return the number of runs that the handler got."""
        return self.listener.runs

    def heard_by_langsmith(self):
        """Return the number of runs that LangSmith got."""
        return self.langsmith.runs


@pytest.fixture
def setting(local_openrouter, mode, monkeypatch):
    """A reranker that calls the local service, and a LangSmith server in this process."""
    reranker = OpenRouterRerank(
        api_key=local_openrouter.api_key, base_url=local_openrouter.base_url
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), LangSmith) as server:
        server.runs = 0
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        client = Client(
            api_url=f"http://127.0.0.1:{server.server_port}",
            api_key="a key",
            auto_batch_tracing=False,
            info={},
        )
        yield Setting(reranker, mode, monkeypatch, server, client)
        client.close()
        server.shutdown()
        thread.join()


async def a_list(setting):
    """Pass a list of handlers."""
    await setting.call([setting.listener])
    return setting.heard()


async def a_manager(setting):
    """Pass a manager."""
    await setting.call(MANAGERS[setting.mode]([setting.listener]))
    return setting.heard()


async def a_configuration(setting):
    """Pass a configuration."""
    await setting.call(config={"callbacks": [setting.listener]})
    return setting.heard()


async def a_parent(setting):
    """Call inside a run."""

    async def step(_):
        await setting.call()

    await RunnableLambda(step).ainvoke(QUERY, {"callbacks": [setting.listener]})
    return setting.heard()


async def a_configuration_around(setting):
    """Call in a context that holds the configuration of a run."""
    token = var_child_runnable_config.set(RunnableConfig(callbacks=[setting.listener]))
    try:
        await setting.call()
    finally:
        var_child_runnable_config.reset(token)
    return setting.heard()


async def debug(setting):
    """Trace all runs to the console, which prints no retriever runs."""
    seen = []
    setting.monkeypatch.setattr(
        ConsoleCallbackHandler, "_on_retriever_start", lambda _, run: seen.append(run)
    )
    set_debug(True)
    try:
        await setting.call()
    finally:
        set_debug(False)
    return len(seen)


async def collected_runs(setting):
    """Collect runs."""
    with collect_runs() as collector:
        await setting.call()
    return len(collector.traced_runs)


async def a_hook(setting):
    """Put a handler into a context variable that is registered with LangChain."""
    variable = ContextVar("variable", default=None)
    register_configure_hook(variable, inheritable=True)
    variable.set(setting.listener)
    await setting.call()
    return setting.heard()


async def a_hook_by_environment(setting):
    """Register a handler that is made if an environment variable is set."""
    register_configure_hook(
        ContextVar("variable", default=None), True, type(setting.listener), "A_TEST_LISTENS"
    )
    setting.monkeypatch.setenv("A_TEST_LISTENS", "true")
    await setting.call()
    return setting.heard()


async def langsmith_by_environment(setting):
    """Switch LangSmith on for the process."""
    setting.monkeypatch.setenv("LANGSMITH_TRACING", "true")
    utils.get_env_var.cache_clear()
    with tracing_context(client=setting.client):
        await setting.call()
    return setting.heard_by_langsmith()


async def langsmith_by_its_context(setting):
    """Switch LangSmith on for a block."""
    with tracing_context(enabled=True, client=setting.client):
        await setting.call()
    return setting.heard_by_langsmith()


async def langsmith_by_a_parent(setting):
    """Call inside a run of LangSmith."""
    parent = RunTree(name="parent", client=setting.client)
    with tracing_context(parent=parent, client=setting.client):
        await setting.call()
    return setting.heard_by_langsmith()


async def langsmith_by_langchain(setting):
    """Switch LangSmith on with LangChain's `tracing_v2_enabled`."""
    with tracing_v2_enabled(client=setting.client):
        await setting.call()
    return setting.heard_by_langsmith()


async def a_wrapped_constructor(setting):
    """Add a handler to all managers, as OpenTelemetry's instrumentations do."""

    def made(wrapped, instance, arguments, options):
        wrapped(*arguments, **options)
        instance.add_handler(setting.listener, True)

    owner = langchain_core.callbacks.BaseCallbackManager
    setting.monkeypatch.setattr(owner, "__init__", owner.__init__)
    wrap_function_wrapper("langchain_core.callbacks", "BaseCallbackManager.__init__", made)
    await setting.call()
    return setting.heard()


async def a_wrapped_function(setting):
    """Add a handler where all managers are configured, as Sentry does."""
    original = vars(manager)["_configure"]

    @functools.wraps(original)
    def configure(manager_class, inherited=None, local=None, *arguments, **options):
        return original(manager_class, inherited, [setting.listener], *arguments, **options)

    setting.monkeypatch.setattr(manager, "_configure", configure)
    await setting.call()
    return setting.heard()


async def a_replaced_method(setting):
    """Add a handler in another `configure` method of the manager."""
    owner = MANAGERS[setting.mode]
    original = owner.configure

    def configure(*arguments, **options):
        made = original(*arguments, **options)
        made.add_handler(setting.listener)
        return made

    setting.monkeypatch.setattr(owner, "configure", configure)
    await setting.call()
    return setting.heard()


WAYS = (
    a_list,
    a_manager,
    a_configuration,
    a_parent,
    a_configuration_around,
    debug,
    collected_runs,
    a_hook,
    a_hook_by_environment,
    langsmith_by_environment,
    langsmith_by_its_context,
    langsmith_by_a_parent,
    langsmith_by_langchain,
    a_wrapped_constructor,
    a_wrapped_function,
    a_replaced_method,
)


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    """Remove all handlers after a test."""
    hooks = vars(context)["_configure_hooks"]
    before = [*hooks]
    yield
    monkeypatch.undo()
    # In place: older releases refer to this list from other modules too.
    hooks[:] = before
    utils.get_env_var.cache_clear()


# LangChain's first releases collect runs by a method that pydantic has renamed since.
@pytest.mark.filterwarnings("ignore:The `copy` method is deprecated")
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_each_handler_gets_one_run(setting, way):
    """A handler gets exactly one run of a call, in whichever way it was registered."""
    assert await way(setting) == 1


async def searches_in(call):
    """Return how often LangChain looks for handlers while `call` is awaited."""
    code = vars(manager)["_configure"].__code__
    searches = []

    def note(frame, event, _):
        if event == "call" and frame.f_code is code:
            searches.append(frame)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        await call
    finally:
        sys.setprofile(before)
    return len(searches)


async def test_without_handlers_langchain_does_not_look_for_them(setting):
    """If there can be no handler, LangChain does not look for one."""
    no_handlers = MANAGERS[setting.mode]([])

    assert await searches_in(setting.call([setting.listener])) == 1
    assert await searches_in(setting.call()) == 0
    assert await searches_in(setting.call([])) == 0
    assert await searches_in(setting.call(no_handlers)) == 0
    assert await searches_in(setting.call(config={"tags": ["a"], "metadata": {"a": 1}})) == 0


async def test_a_step_of_a_chain_without_handlers_does_not_look_for_them(setting):
    """If a chain has no handlers, LangChain looks for none in a call of its step."""
    searches = []

    async def step(_):
        searches.append(await searches_in(setting.call()))

    await RunnableLambda(step).ainvoke(QUERY)

    assert searches == [0]


def test_verbose_mode_is_not_a_handler():
    """LangChain's verbose mode prints no runs, so it does not count as a handler."""
    set_verbose(True)
    try:
        assert not has_callbacks({}, CallbackManager)
        assert not CallbackManager.configure().handlers
    finally:
        set_verbose(False)


@pytest.mark.parametrize("name", ["tracing_v2_callback_var", "_configure_hooks"])
def test_an_unknown_langchain_looks_for_handlers(monkeypatch, name):
    """A release of LangChain without the private names that are read looks for handlers itself."""
    assert not has_callbacks({}, CallbackManager)

    monkeypatch.delattr(context, name)

    assert has_callbacks({}, CallbackManager)


def test_hooks_of_another_form_are_left_to_langchain():
    """A hook in an unknown form may add a handler, so LangChain looks for it."""
    vars(context)["_configure_hooks"].append(object())

    assert has_callbacks({}, CallbackManager)
