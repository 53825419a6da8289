"""`docs/errors.md` lists the exact message of each error: each row is made to happen."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from langchain_core.stores import InMemoryByteStore
from openrouter_rerank import AsyncRerankClient, OpenRouterRerankError, RerankClient
from openrouter_rerank.errors import help_note
from openrouter_rerank.local.stage import Fault

from scripts.error_table import error_classes
from tests.clients import OWN_CONNECTIONS
from tests.docs.error_situations import DOCUMENTS, MODELS, QUERY, REPLIES, SETUPS
from tests.docs.reranker_situations import SITUATIONS
from tests.option_errors import (
    ARGUMENTS,
    CLIENT_OPTIONS,
    NO_KEY,
    RERANKER_OPTIONS,
    UNKNOWN_OPTIONS,
)
from tests.starvation import repeat_if_starved

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
TEXT = PAGE.read_text("utf-8")
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL))
ROWS = {
    situation: (error_class, message)
    for error_class, section in SECTIONS.items()
    for situation, message in re.findall(r"^\| (.+?) \| `(.+)` \|$", section, re.MULTILINE)
}

WAITING_FOR_A_SLOT = "All request slots of the client are in use until `timeout`."
WAITING_FOR_AN_IDENTICAL_CALL = "An identical call is in flight until `timeout`."


# How the page writes the addresses of the test's own servers.
ADDRESSES = {
    r"proxy http://127\.0\.0\.1:\d+": "proxy http://proxy.example:8080",
    r"http://127\.0\.0\.1:\d+": "https://openrouter.ai",
    r"(connect to|connection to|certificate of) 127\.0\.0\.1:\d+": r"\1 openrouter.ai:443",
    r"127\.0\.0\.1:\d+": "openrouter.ai",
    r"waited \d+\.\d s": "waited 0.3 s",
    r"SSL_CERT_FILE='.+'": "SSL_CERT_FILE='/etc/ssl/authority.pem'",
}


def shown(error):
    """Return the message of an error as the page shows it."""
    text = error.message
    for pattern, replacement in ADDRESSES.items():
        text = re.sub(pattern, replacement, text)
    return text


@OWN_CONNECTIONS
@pytest.mark.parametrize("situation", REPLIES)
def test_an_error_of_the_service_has_the_documented_message(make_client, stage, situation):
    """The class and the message of an error response are those of the page."""
    stage.always(REPLIES[situation])
    client = make_client(max_retries=0)
    model = MODELS.get(situation, "cohere/rerank-v3.5")

    with pytest.raises(OpenRouterRerankError) as caught:
        client.rerank(QUERY, DOCUMENTS, model=model)

    assert (type(caught.value).__name__, shown(caught.value)) == ROWS[situation]


@OWN_CONNECTIONS
@pytest.mark.parametrize("situation", SETUPS)
@repeat_if_starved
def test_an_error_without_a_response_has_the_documented_message(make_client, stage, situation):
    """The class and the message of an error without a response are those of the page."""
    with ExitStack() as resources:
        client = SETUPS[situation](
            lambda **options: make_client(**{"max_retries": 0} | options), stage, resources
        )

        with pytest.raises(OpenRouterRerankError) as caught:
            client.rerank(QUERY, DOCUMENTS)

    assert (type(caught.value).__name__, shown(caught.value)) == ROWS[situation]


def require_no_slot(stage, outcomes):
    """Require that each call says that it got no request slot, and that none reached the server."""
    found = [(type(error).__name__, shown(error), error.attempts) for error in outcomes]
    assert found == [(*ROWS[WAITING_FOR_A_SLOT], 0)] * 10
    assert len(stage.requests) == 2


@pytest.mark.parametrize("situation", SITUATIONS)
def test_an_error_of_a_reranker_has_the_documented_message(stage, situation):
    """The class and the message of an error that only rerankers raise are those of the page."""
    with pytest.raises(OpenRouterRerankError) as caught:
        SITUATIONS[situation](stage)

    assert (type(caught.value).__name__, shown(caught.value)) == ROWS[situation]


def test_threads_that_wait_for_a_request_slot_say_so(stage):
    """Calls that never get a request slot say so, count no attempt, and reach no server."""
    stage.always(Fault.hang())
    options = {"base_url": stage.base_url, "api_key": stage.api_key, "max_concurrency": 2}

    with RerankClient(**options) as client, ThreadPoolExecutor(12) as pool:
        first = [pool.submit(client.rerank, QUERY, DOCUMENTS) for _ in range(2)]
        stage.wait_until(lambda: stage.in_flight == 2)
        waiting = [pool.submit(client.rerank, QUERY, DOCUMENTS, timeout=0.3) for _ in range(10)]
        outcomes = [call.exception() for call in waiting]
        stage.release()
        assert [len(call.result().results) for call in first] == [2, 2]

    require_no_slot(stage, outcomes)


async def test_tasks_that_wait_for_a_request_slot_say_so(stage):
    """Calls that never get a request slot say so, count no attempt, and reach no server."""
    stage.always(Fault.hang())
    options = {"base_url": stage.base_url, "api_key": stage.api_key, "max_concurrency": 2}

    async with AsyncRerankClient(**options) as client:
        first = [asyncio.create_task(client.rerank(QUERY, DOCUMENTS)) for _ in range(2)]
        await asyncio.to_thread(stage.wait_until, lambda: stage.in_flight == 2)
        waiting = [client.rerank(QUERY, DOCUMENTS, timeout=0.3) for _ in range(10)]
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        stage.release()
        assert [len(ranking.results) for ranking in await asyncio.gather(*first)] == [2, 2]

    require_no_slot(stage, outcomes)


def test_a_wait_for_an_identical_call_has_the_documented_message(stage):
    """A call that waits for an identical one until its deadline says so."""
    stage.always(Fault.hang())
    options = {"base_url": stage.base_url, "api_key": stage.api_key, "max_retries": 0}
    options |= {"score_store": InMemoryByteStore()}

    with RerankClient(**options) as client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.rerank, QUERY, DOCUMENTS)
        stage.wait_until(lambda: stage.in_flight == 1)
        with pytest.raises(OpenRouterRerankError) as caught:
            client.rerank(QUERY, DOCUMENTS, timeout=0.3)
        stage.release()
        assert len(first.result().results) == 2

    found = type(caught.value).__name__, shown(caught.value)
    assert found == ROWS[WAITING_FOR_AN_IDENTICAL_CALL]


def written(options):
    """Return options as they are written in code."""
    return ", ".join(f"{name}={value!r}" for name, value in options.items())


def codes(form, table):
    """Return the rows of a table of option errors, with options as code of this form."""
    # Objects that cannot be shown, and values of megabytes, have no place on a page.
    shown_rows = [(options, text) for options, text in table if "Unprintable" not in text]
    rows = {form.format(written(options)): text for options, text in shown_rows}
    return {code: text for code, text in rows.items() if len(code) < 200}


OPTION_ROWS = {
    **codes("RerankClient({})", CLIENT_OPTIONS),
    **codes("OpenRouterRerank({})", RERANKER_OPTIONS),
    **{
        f'OpenRouterRerank({name}="...")': f"OpenRouterRerank {text}"
        for name, text in UNKNOWN_OPTIONS
    },
    **codes("client.rerank(..., {})", [(options, text) for _, options, text in ARGUMENTS]),
    "RerankClient()": NO_KEY,
}


def test_the_errors_of_options_and_arguments_are_on_the_page():
    """The page lists the errors of options and arguments with the texts that are tested."""
    table = TEXT.partition("## Options and arguments")[2]

    rows = re.findall(r"^\| `(.+?)` \| `+ ?(.+?) ?`+ \|$", table, re.MULTILINE)

    assert dict(rows) == OPTION_ROWS
    assert len(rows) == len(OPTION_ROWS)


def test_every_row_of_the_page_is_tested():
    """The page has exactly the situations that the tests make happen."""
    others = {WAITING_FOR_A_SLOT, WAITING_FOR_AN_IDENTICAL_CALL}

    assert ROWS.keys() == REPLIES.keys() | SETUPS.keys() | SITUATIONS.keys() | others


def test_each_error_has_a_section():
    """Each class of errors has a section, to which the note of a failed call links."""
    names = {error_class.__name__ for error_class in error_classes()}

    assert SECTIONS.keys() == names
    assert {help_note(error_class("")) for error_class in error_classes()} == {
        f"Help: docs/errors.md#{name.lower()}" for name in names
    }
