"""The postprocessor as a value: written down, read back, copied, sent to another process."""

import asyncio
import copy
import json
import pickle
import subprocess
import sys
import threading

import cloudpickle
import httpx
import pytest
import yaml
from llama_index.core import Settings
from llama_index.core.callbacks import CallbackManager, LlamaDebugHandler
from llama_index.core.evaluation import RetrieverEvaluator
from llama_index.core.schema import MetadataMode, NodeWithScore, TextNode
from llamaindex_openrouter_rerank import OpenRouterRerank
from openrouter_rerank.local.stage import Stage
from pydantic import ValidationError

KEY = Stage.api_key
HEADER = "a header that is as secret as the key"
OPTIONS = {
    "model": "cohere/rerank-4-fast",
    "fallback_models": ["cohere/rerank-v3.5"],
    "top_n": 3,
    "base_url": "http://127.0.0.1:9/api/v1",
    "app_categories": ["cli-agent"],
    "trace": {"id": "1"},
    "provider": {"sort": "price"},
    "timeout": 7.5,
    "image_root": "/pictures",
    "budget": 0.5,
    "metadata_mode": "none",
    "keep_retrieval_score": True,
}
NODES = [NodeWithScore(node=TextNode(text="Paris")), NodeWithScore(node=TextNode(text="Rome"))]


class UnpicklableHandler(LlamaDebugHandler):
    """A handler with something in it that no other process can have."""

    def __init__(self):
        super().__init__(print_trace_on_end=False)
        self.lock = threading.Lock()


def works(reranker, stage, monkeypatch):
    """Tell whether a reranker without a key of its own reranks."""
    monkeypatch.setenv("OPENROUTER_API_KEY", stage.api_key)
    return reranker.postprocess_nodes(NODES, query_str="rome")[0].node.get_content() == "Rome"


@pytest.mark.parametrize(
    "again",
    [
        lambda reranker: OpenRouterRerank.from_dict(reranker.to_dict()),
        lambda reranker: OpenRouterRerank.from_json(reranker.to_json()),
        lambda reranker: OpenRouterRerank(**reranker.model_dump()),
        lambda reranker: OpenRouterRerank.model_validate(reranker.model_dump()),
        lambda reranker: OpenRouterRerank.model_validate_json(reranker.model_dump_json()),
        lambda reranker: OpenRouterRerank(**yaml.safe_load(yaml.safe_dump(reranker.to_dict()))),
        lambda reranker: OpenRouterRerank(**json.loads(json.dumps(reranker.dict()))),
        lambda reranker: pickle.loads(pickle.dumps(reranker)),  # noqa: S301 - It is our own
        OpenRouterRerank.model_validate,
        copy.deepcopy,
        copy.copy,
    ],
)
def test_what_was_written_is_read_back(again):
    """Dictionaries, JSON, YAML, pickles and copies give a reranker with the same options."""
    reranker = OpenRouterRerank(**OPTIONS)

    restored = again(reranker)

    assert type(restored) is OpenRouterRerank
    assert restored == reranker
    assert restored.to_dict() == reranker.to_dict()
    assert restored.metadata_mode is MetadataMode.NONE


@pytest.mark.parametrize(
    "change", [{"top_n": 2}, {"api_key": "another"}, {"metadata_mode": "all"}], ids=str
)
def test_rerankers_with_other_options_are_others(change):
    """Equal means equal in every option, and handlers are no options."""
    reranker = OpenRouterRerank(**OPTIONS, callback_manager=CallbackManager([LlamaDebugHandler()]))
    listening = reranker.callback_manager

    assert reranker == OpenRouterRerank(**OPTIONS)
    assert reranker != OpenRouterRerank(**(OPTIONS | change))
    assert reranker != reranker.to_dict()
    assert reranker.callback_manager is listening


@pytest.mark.parametrize("written", [str, repr, OpenRouterRerank.to_json, pickle.dumps])
def test_secrets_are_in_nothing_that_is_written(written):
    """Neither the key nor the headers leave the object."""
    reranker = OpenRouterRerank(api_key=KEY, default_headers={"X-Secret": HEADER}, **OPTIONS)

    assert KEY not in str(written(reranker))
    assert HEADER not in str(written(reranker))
    assert "cohere/rerank-4-fast" in str(written(reranker))


def test_an_evaluator_that_holds_the_reranker_holds_no_secret():
    """LlamaIndex writes postprocessors inside of other components, with all that they dump."""
    reranker = OpenRouterRerank(api_key=KEY, default_headers={"X-Secret": HEADER}, **OPTIONS)
    evaluator = RetrieverEvaluator.model_construct(metrics=[], node_postprocessors=[reranker])

    written = json.dumps(evaluator.model_dump(include={"node_postprocessors"}))

    assert '"class_name": "OpenRouterRerank"' in written
    assert KEY not in written
    assert HEADER not in written


def test_a_restored_reranker_works(local_openrouter, monkeypatch):
    """Restored where the environment has a key, it reranks there."""
    reranker = OpenRouterRerank(api_key=KEY, base_url=local_openrouter.base_url)
    assert works(reranker, local_openrouter, monkeypatch)

    restored = pickle.loads(pickle.dumps(reranker))  # noqa: S301 - It is our own

    assert restored.api_key is None
    assert works(restored, local_openrouter, monkeypatch)
    assert works(OpenRouterRerank.from_dict(reranker.to_dict()), local_openrouter, monkeypatch)
    assert works(copy.deepcopy(reranker), local_openrouter, monkeypatch)
    asyncio.run(restored.aclose())
    reranker.close()


def test_a_pickle_opens_in_another_process(local_openrouter):
    """A worker that never imported the package restores the reranker and uses it."""
    reranker = OpenRouterRerank(base_url=local_openrouter.base_url, top_n=1)
    program = (
        "import pickle, sys\n"
        "reranker, nodes = pickle.load(sys.stdin.buffer)\n"
        "print(reranker.postprocess_nodes(nodes, query_str='rome')[0].node.text)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps((reranker, NODES)),
        capture_output=True,
        env={"OPENROUTER_API_KEY": KEY, "NO_PROXY": "127.0.0.1"},
        check=False,
    )

    assert (done.stdout.decode().strip(), done.returncode) == ("Rome", 0), done.stderr.decode()


def test_pickling_leaves_the_original_whole(local_openrouter):
    """Clients, callbacks and handlers that cannot be pickled stay in the object that has them."""
    seen = []
    with httpx.Client() as client:
        reranker = OpenRouterRerank(
            api_key=KEY,
            base_url=local_openrouter.base_url,
            http_client=client,
            on_response=lambda ranking: seen.append(ranking.id),
            callback_manager=CallbackManager([UnpicklableHandler()]),
        )
        before = dict(vars(reranker))

        restored = pickle.loads(pickle.dumps(reranker))  # noqa: S301 - It is our own

        assert vars(reranker) == before
        reranker.postprocess_nodes(NODES, query_str="rome")
    assert len(seen) == 1
    assert (restored.http_client, restored.on_response) == (None, None)


@pytest.mark.parametrize("handler_class", [LlamaDebugHandler, UnpicklableHandler])
def test_a_restored_reranker_reports_to_the_handlers_of_its_process(handler_class, monkeypatch):
    """Handlers are of a process: a pickle takes none along and finds those of `Settings`."""
    reranker = OpenRouterRerank(callback_manager=CallbackManager([handler_class()]))
    handler = UnpicklableHandler()
    monkeypatch.setattr(Settings, "_callback_manager", CallbackManager([handler]))

    restored = pickle.loads(pickle.dumps(reranker))  # noqa: S301 - It is our own

    assert restored.callback_manager.handlers == [handler]


def test_a_copy_reports_to_the_same_handlers():
    """A deep copy shares the handlers, which nobody could read in a copy."""
    manager = CallbackManager([UnpicklableHandler()])

    assert copy.deepcopy(OpenRouterRerank(callback_manager=manager)).callback_manager is manager


def shouted(item):
    """Rank what a node says in capitals."""
    return item.node.get_content().upper()


def test_a_function_is_kept_where_functions_can_be(local_openrouter, monkeypatch):
    """Pickles and copies choose what is ranked as before; dictionaries and JSON hold values."""
    reranker = OpenRouterRerank(base_url=local_openrouter.base_url, document_fn=shouted)

    restored = pickle.loads(pickle.dumps(reranker))  # noqa: S301 - It is our own

    for again in (reranker, restored, copy.deepcopy(reranker)):
        assert works(again, local_openrouter, monkeypatch)
    assert [each.documents for each in local_openrouter.requests] == [["PARIS", "ROME"]] * 3
    assert "document_fn" not in reranker.to_dict()
    assert "document_fn" not in repr(reranker)
    assert OpenRouterRerank.from_dict(reranker.to_dict()).document_fn is None


def test_a_function_is_never_lost_on_the_way():
    """A pickle without it would send other words, so one that cannot be pickled is an error."""
    reranker = OpenRouterRerank(document_fn=lambda item: None)

    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(reranker)
    assert reranker.document_fn is not None
    restored = pickle.loads(cloudpickle.dumps(reranker))  # noqa: S301 - It is our own
    assert restored.document_fn(NODES[0]) is None


def test_engines_may_set_the_callback_manager():
    """Query engines assign their own manager to each postprocessor."""
    reranker, manager = OpenRouterRerank(), CallbackManager()

    reranker.callback_manager = manager

    assert reranker.callback_manager is manager


@pytest.mark.parametrize("name", ["top_k", "choice_batch_size", "modle", "keep"])
def test_unknown_options_are_refused(name):
    """A mistyped or foreign option is an error and not silently nothing."""
    with pytest.raises(ValidationError, match=name):
        OpenRouterRerank(**{name: 1})


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"top_n": 0}, "top_n"),
        ({"metadata_mode": "some"}, "metadata_mode"),
        ({"timeout": -1}, "timeout"),
        ({"unscorable": "lose"}, "unscorable"),
    ],
)
def test_a_value_out_of_range_is_refused(options, named):
    """A value that means nothing is refused, when it is made and when it is assigned."""
    with pytest.raises(ValidationError, match=named):
        OpenRouterRerank(**options)
    reranker = OpenRouterRerank()
    with pytest.raises(ValidationError, match=named):
        setattr(reranker, *next(iter(options.items())))


def test_derived_classes_may_add_an_option():
    """A class derived by a user has fields of its own and pickles like ours."""
    restored = pickle.loads(pickle.dumps(Derived(flavour="sweet")))  # noqa: S301 - It is our own

    assert (type(restored), restored.flavour) == (Derived, "sweet")


class Derived(OpenRouterRerank):
    """A user's class."""

    flavour: str
