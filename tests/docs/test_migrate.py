"""
What docs/migrate says of the packages of other providers, compared with these packages.

They are in an environment of their own, because they are large: `make sdks` creates `.venv-migrate`
from the lock `requirements/migrate.txt`. torch is too large even for that, so the code before the
migration from sentence-transformers runs with a stand-in for `CrossEncoder` (`before_migration`).

On a page, fences with `.before` are the old code, those with the title "After" are the new code,
and all others prepare both. Old and new code name their results `best`.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from langchain_openrouter_rerank import OpenRouterRerank as LangChainReranker
from llamaindex_openrouter_rerank import OpenRouterRerank as LlamaIndexReranker
from openrouter_rerank import OpenRouterRerankError, RerankClient
from openrouter_rerank.local.stage import error

from tests.docs import before_migration
from tests.docs.before_migration import texts_and_scores
from tests.docs.fences import Fence, fences
from tests.docs.provider_stub import KEY, KEY_WHEN_DOWN, provider_stub

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".venv-migrate"
PYTHON = HOME / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
PAGES = {page.stem: page for page in sorted(ROOT.glob("docs/migrate/*.md"))}
KEYS = {"right": KEY, "wrong key": "wrong-key", "no key": None, "HTTP 503": KEY_WHEN_DOWN}

# Local models need no key and no service.
WITH_ERRORS = [page for page in PAGES if page != "sentence-transformers"]
# The classes and functions whose parameters a page must name, without those that carry data.
CLASSES = {
    "cohere": [
        "langchain_cohere:CohereRerank",
        "langchain_cohere:CohereRerank.rerank",
        "llama_index.postprocessor.cohere_rerank:CohereRerank",
        "cohere:ClientV2",
        "cohere.v2.client:V2Client.rerank",
    ],
    "jina": [
        "langchain_community.document_compressors:JinaRerank",
        "langchain_community.document_compressors:JinaRerank.rerank",
        "llama_index.postprocessor.jinaai_rerank:JinaRerank",
    ],
    "voyage": [
        "langchain_voyageai:VoyageAIRerank",
        "llama_index.postprocessor.voyageai_rerank:VoyageAIRerank",
        "voyageai:Client",
        "voyageai:Client.rerank",
    ],
    "nvidia": [
        "langchain_nvidia_ai_endpoints:NVIDIARerank",
        "llama_index.postprocessor.nvidia_rerank:NVIDIARerank",
    ],
    "sentence-transformers": [
        "langchain_classic.retrievers.document_compressors:CrossEncoderReranker",
        "langchain_community.cross_encoders:HuggingFaceCrossEncoder",
        "llama_index.core.postprocessor:SentenceTransformerRerank",
    ],
    "litellm": ["litellm:rerank", "litellm:arerank"],
}
DATA = {"args", "callback_manager", "documents", "kwargs", "query", "self"}
DEFAULTS = [
    ("langchain_cohere:CohereRerank", "top_n", 3),
    ("llama_index.postprocessor.cohere_rerank:CohereRerank", "top_n", 2),
    ("llama_index.postprocessor.cohere_rerank:CohereRerank", "model", "rerank-english-v3.0"),
    ("cohere.v2.client:V2Client.rerank", "top_n", "..."),
    ("langchain_community.document_compressors:JinaRerank", "top_n", 3),
    ("langchain_community.document_compressors:JinaRerank", "model", "jina-reranker-v1-base-en"),
    ("llama_index.postprocessor.jinaai_rerank:JinaRerank", "top_n", 2),
    ("llama_index.postprocessor.jinaai_rerank:JinaRerank", "model", "jina-reranker-v1-base-en"),
    ("langchain_voyageai:VoyageAIRerank", "top_k", None),
    ("langchain_voyageai:VoyageAIRerank", "truncation", True),
    ("llama_index.postprocessor.voyageai_rerank:VoyageAIRerank", "top_n", None),
    ("voyageai:Client", "max_retries", 0),
    ("langchain_nvidia_ai_endpoints:NVIDIARerank", "top_n", 5),
    ("langchain_nvidia_ai_endpoints:NVIDIARerank", "max_batch_size", 32),
    ("llama_index.postprocessor.nvidia_rerank:NVIDIARerank", "top_n", 5),
    ("llama_index.postprocessor.nvidia_rerank:NVIDIARerank", "max_batch_size", 64),
    ("langchain_classic.retrievers.document_compressors:CrossEncoderReranker", "top_n", 3),
    (
        "langchain_community.cross_encoders:HuggingFaceCrossEncoder",
        "model_name",
        "BAAI/bge-reranker-base",
    ),
    ("llama_index.core.postprocessor:SentenceTransformerRerank", "top_n", 2),
    (
        "llama_index.core.postprocessor:SentenceTransformerRerank",
        "model",
        "cross-encoder/stsb-distilroberta-base",
    ),
    ("llama_index.core.postprocessor:SentenceTransformerRerank", "trust_remote_code", True),
    ("litellm:rerank", "top_n", None),
    ("litellm:rerank", "return_documents", True),
]


def is_old(fence: Fence) -> bool:
    """Return `True` for the code before a migration."""
    return ".before" in fence.info


def is_new(fence: Fence) -> bool:
    """Return `True` for the code after a migration."""
    return 'title="After"' in fence.info


def programs(page: Path) -> dict[str, str]:
    """Return the old programs of `page` by their headings, each after the code that prepares it."""
    shared, found = "", {}
    for fence in fences(page):
        if fence.language == "python" and is_old(fence):
            found[heading(page, fence)] = shared + fence.code
        elif fence.language == "python" and not is_new(fence):
            shared += fence.code + "\n"
    return found


def heading(page: Path, fence: Fence) -> str:
    """Return the heading above a fence."""
    above = page.read_text("utf-8").splitlines()[: fence.line]
    return next(line.removeprefix("## ") for line in reversed(above) if line.startswith("## "))


def rows(page: Path, title: str) -> list[list[str]]:
    """Return the cells of the table below a heading, without the header and the line below it."""
    lines = page.read_text("utf-8").partition(f"# {title}\n")[2].splitlines()
    lines = lines[: next((at for at, line in enumerate(lines) if line.startswith("#")), None)]
    table = [line for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def names(markdown: str) -> list[str]:
    """Return the names in backticks."""
    return re.findall(r"`(\w+)`", markdown)


@pytest.fixture(scope="module")
def before():
    """What the old programs of all pages did, and the parameters of the old classes."""
    if not (HOME / "ready").exists():
        reason = f"there is no {HOME.name}: run `make sdks`"
        if "CI" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    runs = [
        (page, title, situation)
        for page, path in PAGES.items()
        for title in programs(path)
        for situation in KEYS
    ]
    given = {
        "programs": [
            {"code": programs(PAGES[page])[title], "key": KEYS[situation]}
            for page, title, situation in runs
        ],
        "classes": [path for paths in CLASSES.values() for path in paths],
    }
    settings = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # litellm fetches its prices at import
        "NVIDIA_USAGE_TELEMETRY_ENABLED": "0",
    }
    with provider_stub() as url:
        done = subprocess.run(
            [PYTHON, before_migration.__file__, url],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | settings,
        )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    return dict(zip(runs, answer["outcomes"], strict=True)), answer["classes"]


@pytest.mark.parametrize("page", PAGES)
def test_new_code_returns_the_documents_of_the_old_code(page, before, key_in_environment):
    """With one scorer behind both, old and new code return the same documents, best first."""
    outcomes, _ = before
    namespace: dict[str, object] = {"__name__": "example"}
    compared = []
    for fence in fences(PAGES[page]):
        if fence.language == "python" and not is_old(fence):
            exec(compile(fence.code, page, "exec"), namespace)  # noqa: S102
        if is_new(fence):
            title = heading(PAGES[page], fence)
            outcome = outcomes[page, title, "right"]
            assert "best" in outcome, (title, outcome)
            new = texts_and_scores(namespace["best"])
            scores = [score for _, score in new]
            assert scores == sorted(scores, reverse=True)
            assert [text for text, _ in new] == [text for text, _ in outcome["best"]], title
            compared.append(title)

    assert compared == list(programs(PAGES[page]))


@pytest.mark.parametrize("page", WITH_ERRORS)
def test_old_errors_are_those_of_the_page(page, before):
    """The table of errors has the class of each old error, and the requests until HTTP 503 ends."""
    outcomes, _ = before
    expected = []
    for title in programs(PAGES[page]):
        wrong, missing, down = (outcomes[page, title, situation] for situation in list(KEYS)[1:])
        requests = f"{down['requests']} request{'s' if down['requests'] > 1 else ''}"
        classes = [f"`{outcome['error']}`" for outcome in (wrong, missing, down)]
        classes[-1] += f" after {requests}"
        expected.append([f"{title}, before", *classes])

    *old, _ = rows(PAGES[page], "Errors")
    assert old == expected


def test_new_errors_are_those_of_the_pages(local_openrouter, key_in_environment, monkeypatch):
    """The last row of each table of errors has the errors of today, and the number of requests."""
    raised = []
    for status in (401, None, 503):
        if status is None:
            monkeypatch.delenv("OPENROUTER_API_KEY")
        else:
            monkeypatch.setenv("OPENROUTER_API_KEY", local_openrouter.api_key)
            local_openrouter.always(error(status, "no", retry_after=0))
        with pytest.raises(OpenRouterRerankError) as caught, RerankClient() as client:
            client.rerank("question", ["one", "two"])
        raised.append(f"`{type(caught.value).__name__}`")
    raised[-1] += f" after {caught.value.attempts} requests"

    tables = [rows(path, "Errors") for page, path in PAGES.items() if page in WITH_ERRORS]
    assert [table[-1] for table in tables] == [["now", *raised]] * len(tables)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_every_old_option(page, before):
    """Each parameter of an old class is in the table of options, or among what is left out."""
    _, classes = before
    left_out = PAGES[page].read_text("utf-8").partition("## What has no counterpart\n")[2]
    named = {name for row in rows(PAGES[page], "Options") for name in names(row[0])}
    named |= set(names(left_out))
    old = {name for path in CLASSES[page] for name in classes[path]}

    assert old - DATA - named == set()


def test_old_defaults_are_those_of_the_pages(before):
    """The old packages have the defaults that the pages name."""
    _, classes = before

    assert [(path, name, classes[path][name]) for path, name, _ in DEFAULTS] == DEFAULTS


@pytest.mark.parametrize("page", PAGES)
def test_an_old_option_is_accepted_or_leads_to_the_new_one(page, key_in_environment):
    """An old option is an option under this name, or an error that names a new option."""
    kept = {"documents", "query"}  # Arguments of every call
    for old, new, *_ in rows(PAGES[page], "Options"):
        for name in set(names(old)) - kept:
            for reranker in (LangChainReranker, LlamaIndexReranker):
                try:
                    reranker(**{name: object()})
                except ValueError as problem:
                    text = str(problem)
                    assert name in names(new) or any(repr(n) in text for n in names(new)), text
                else:
                    assert name in names(new)


@pytest.mark.parametrize("page", PAGES)
def test_new_options_exist(page):
    """Each new option of a page is an option of one of our classes, or an argument of a call."""
    options = {*LangChainReranker.model_fields, *LlamaIndexReranker.model_fields}
    options |= {"query", "documents", "extra_headers", "api_base", "model_name"}
    named = {name for row in rows(PAGES[page], "Options") for name in names(row[1])}

    assert named - options == set()
