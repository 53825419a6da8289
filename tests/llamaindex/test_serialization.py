"""Dumps, pickles and copies of a reranker, and the checks of its options."""

import asyncio
import copy
import json
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import cloudpickle
import httpx
import pytest
import yaml
from llama_index.core import Settings
from llama_index.core.callbacks import CallbackManager, LlamaDebugHandler
from llama_index.core.evaluation import RetrieverEvaluator
from llama_index.core.schema import MetadataMode, NodeWithScore, TextNode
from llamaindex_openrouter_rerank import OpenRouterRerank
from openrouter_rerank import ConfigurationError
from openrouter_rerank.local.stage import Stage

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
    "image_root": str(Path(__file__).parent),
    "budget": 0.5,
    "metadata_mode": "none",
    "keep_retrieval_score": True,
}
NODES = [NodeWithScore(node=TextNode(text="Paris")), NodeWithScore(node=TextNode(text="Rome"))]


class UnpicklableHandler(LlamaDebugHandler):
    """A handler with a lock, which cannot be pickled."""

    def __init__(self):
        super().__init__(print_trace_on_end=False)
        self.lock = threading.Lock()


def works(reranker, server, monkeypatch):
    """Return `True` if the reranker ranks nodes with a key from the environment."""
    monkeypatch.setenv("OPENROUTER_API_KEY", server.api_key)
    return reranker.postprocess_nodes(NODES, query_str="rome")[0].node.get_content() == "Rome"


RESTORE = {
    "from_dict": lambda reranker: OpenRouterRerank.from_dict(reranker.to_dict()),
    "from_json": lambda reranker: OpenRouterRerank.from_json(reranker.to_json()),
    "constructor": lambda reranker: OpenRouterRerank(**reranker.model_dump()),
    "model_validate": lambda reranker: OpenRouterRerank.model_validate(reranker.model_dump()),
    "model_validate_json": lambda reranker: OpenRouterRerank.model_validate_json(
        reranker.model_dump_json()
    ),
    "YAML": lambda reranker: OpenRouterRerank(**yaml.safe_load(yaml.safe_dump(reranker.to_dict()))),
    "JSON": lambda reranker: OpenRouterRerank(**json.loads(json.dumps(reranker.dict()))),
    "pickle": lambda reranker: pickle.loads(pickle.dumps(reranker)),  # noqa: S301 - Made by this test
    "model_validate of the reranker": OpenRouterRerank.model_validate,
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}


@pytest.mark.parametrize("restore", RESTORE.values(), ids=RESTORE)
def test_a_restored_reranker_has_the_same_options(restore):
    """Dumps, pickles and copies of a reranker restore an equal one."""
    reranker = OpenRouterRerank(**OPTIONS)

    restored = restore(reranker)

    assert type(restored) is OpenRouterRerank
    assert restored == reranker
    assert restored.to_dict() == reranker.to_dict()
    assert restored.metadata_mode is MetadataMode.NONE


@pytest.mark.parametrize(
    "change", [{"top_n": 2}, {"api_key": "another"}, {"metadata_mode": "all"}], ids=str
)
def test_rerankers_with_other_options_are_not_equal(change):
    """Rerankers are equal if all their options are; callback handlers are not compared."""
    reranker = OpenRouterRerank(**OPTIONS, callback_manager=CallbackManager([LlamaDebugHandler()]))
    manager = reranker.callback_manager

    assert reranker == OpenRouterRerank(**OPTIONS)
    assert reranker != OpenRouterRerank(**(OPTIONS | change))
    assert reranker != reranker.to_dict()
    assert reranker.callback_manager is manager


@pytest.mark.parametrize("dump", [str, repr, OpenRouterRerank.to_json, pickle.dumps])
def test_no_dump_contains_secrets(dump):
    """No dump of a reranker contains its key or its headers."""
    reranker = OpenRouterRerank(api_key=KEY, default_headers={"X-Secret": HEADER}, **OPTIONS)

    assert KEY not in str(dump(reranker))
    assert HEADER not in str(dump(reranker))
    assert "cohere/rerank-4-fast" in str(dump(reranker))


def test_the_dump_of_an_evaluator_contains_no_secrets():
    """The dump of an evaluator contains its reranker, but neither its key nor its headers."""
    reranker = OpenRouterRerank(api_key=KEY, default_headers={"X-Secret": HEADER}, **OPTIONS)
    evaluator = RetrieverEvaluator.model_construct(metrics=[], node_postprocessors=[reranker])

    dump = json.dumps(evaluator.model_dump(include={"node_postprocessors"}))

    assert '"class_name": "OpenRouterRerank"' in dump
    assert KEY not in dump
    assert HEADER not in dump


def test_a_restored_reranker_works(local_openrouter, monkeypatch):
    """A restored or copied reranker works if the environment has a key."""
    reranker = OpenRouterRerank(api_key=KEY, base_url=local_openrouter.base_url)
    assert works(reranker, local_openrouter, monkeypatch)

    restored = pickle.loads(pickle.dumps(reranker))  # noqa: S301 - Made by this test

    assert restored.api_key is None
    assert works(restored, local_openrouter, monkeypatch)
    assert works(OpenRouterRerank.from_dict(reranker.to_dict()), local_openrouter, monkeypatch)
    assert works(copy.deepcopy(reranker), local_openrouter, monkeypatch)
    asyncio.run(restored.aclose())
    reranker.close()


def test_a_pickle_can_be_loaded_in_another_process(local_openrouter):
    """A process that has not imported the package can load a pickled reranker and use it."""
    reranker = OpenRouterRerank(base_url=local_openrouter.base_url, top_n=1)
    program = (
        "import pickle, sys\n"
        "reranker, nodes = pickle.load(sys.stdin.buffer)\n"
        "print(reranker.postprocess_nodes(nodes, query_str='rome')[0].node.text)\n"
    )

    finished = subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps((reranker, NODES)),
        capture_output=True,
        env={"OPENROUTER_API_KEY": KEY, "NO_PROXY": "127.0.0.1"},
        check=False,
    )

    assert finished.returncode == 0, finished.stderr.decode()
    assert finished.stdout.decode().strip() == "Rome"


def test_pickling_does_not_change_the_original(local_openrouter):
    """Pickling leaves out clients, hooks and handlers, but the original keeps them."""
    ids = []
    with httpx.Client() as client:
        reranker = OpenRouterRerank(
            api_key=KEY,
            base_url=local_openrouter.base_url,
            http_client=client,
            on_response=lambda ranking: ids.append(ranking.id),
            callback_manager=CallbackManager([UnpicklableHandler()]),
        )
        before = dict(vars(reranker))

        restored = pickle.loads(pickle.dumps(reranker))  # noqa: S301 - Made by this test

        assert vars(reranker) == before
        reranker.postprocess_nodes(NODES, query_str="rome")
    assert len(ids) == 1
    assert (restored.http_client, restored.on_response) == (None, None)


@pytest.mark.parametrize("handler_class", [LlamaDebugHandler, UnpicklableHandler])
def test_a_restored_reranker_has_the_handlers_of_its_process(handler_class, monkeypatch):
    """A restored reranker has the handlers of `Settings` in its process, not pickled handlers."""
    reranker = OpenRouterRerank(callback_manager=CallbackManager([handler_class()]))
    handler = UnpicklableHandler()
    monkeypatch.setattr(Settings, "_callback_manager", CallbackManager([handler]))

    restored = pickle.loads(pickle.dumps(reranker))  # noqa: S301 - Made by this test

    assert restored.callback_manager.handlers == [handler]


def test_a_copy_has_the_same_callback_manager():
    """A deep copy has the callback manager of its original, because users read its handlers."""
    manager = CallbackManager([UnpicklableHandler()])

    assert copy.deepcopy(OpenRouterRerank(callback_manager=manager)).callback_manager is manager


def text_in_capitals(item):
    """Return the text of a node in capitals."""
    return item.node.get_content().upper()


def test_pickles_and_copies_keep_document_fn(local_openrouter, monkeypatch):
    """Pickles and copies keep `document_fn`; a dictionary contains no functions."""
    reranker = OpenRouterRerank(base_url=local_openrouter.base_url, document_fn=text_in_capitals)

    restored = pickle.loads(pickle.dumps(reranker))  # noqa: S301 - Made by this test

    for candidate in (reranker, restored, copy.deepcopy(reranker)):
        assert works(candidate, local_openrouter, monkeypatch)
    documents = [request.documents for request in local_openrouter.requests]
    assert documents == [["PARIS", "ROME"]] * 3
    assert "document_fn" not in reranker.to_dict()
    assert "document_fn" not in repr(reranker)
    assert OpenRouterRerank.from_dict(reranker.to_dict()).document_fn is None


def test_an_unpicklable_document_fn_is_an_error():
    """Pickling fails if it would lose `document_fn`, because other texts would be ranked then."""
    reranker = OpenRouterRerank(document_fn=lambda item: None)

    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(reranker)
    assert reranker.document_fn is not None
    restored = pickle.loads(cloudpickle.dumps(reranker))  # noqa: S301 - Made by this test
    assert restored.document_fn(NODES[0]) is None


def test_the_callback_manager_can_be_assigned():
    """Query engines can assign their callback manager to a reranker."""
    reranker, manager = OpenRouterRerank(), CallbackManager()

    reranker.callback_manager = manager

    assert reranker.callback_manager is manager


@pytest.mark.parametrize("name", ["top_k", "choice_batch_size", "modle", "keep"])
def test_unknown_options_are_refused(name):
    """An unknown option raises an error that names it."""
    with pytest.raises(ConfigurationError, match=name):
        OpenRouterRerank(**{name: 1})


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"top_n": 0}, "top_n"),
        ({"metadata_mode": "some"}, "metadata_mode"),
        ({"timeout": -1}, "timeout"),
        ({"unscorable": "lose"}, "unscorable"),
    ],
    ids=["top_n", "metadata_mode", "timeout", "unscorable"],
)
def test_an_invalid_value_is_refused(options, name):
    """An invalid value is refused by the constructor and by an assignment."""
    with pytest.raises(ConfigurationError, match=name):
        OpenRouterRerank(**options)
    reranker = OpenRouterRerank()
    with pytest.raises(ConfigurationError, match=name):
        setattr(reranker, *next(iter(options.items())))


def test_a_derived_class_can_add_an_option():
    """A user's subclass with an additional option can be pickled."""
    restored = pickle.loads(pickle.dumps(Derived(flavour="sweet")))  # noqa: S301 - Made by this test

    assert (type(restored), restored.flavour) == (Derived, "sweet")


class Derived(OpenRouterRerank):
    """A user's subclass with an additional option."""

    flavour: str


@pytest.mark.parametrize("restore", ["from_dict", "from_json", "JSON", "YAML", "pickle"])
def test_a_dump_is_loaded_where_the_image_folder_does_not_exist(tmp_path, restore):
    """A dump with `image_root` can be loaded on a machine without that folder."""
    folder = tmp_path / "images"
    folder.mkdir()
    reranker = OpenRouterRerank(image_root=folder)
    folder.rmdir()

    assert RESTORE[restore](reranker).image_root == folder
