"""A split call that a signal handler ends at any step: it does not wait without end."""

import sys
import threading

from openrouter_rerank import RerankClient

LONG = 30
DOCUMENTS = ["a", "b", "c"]
# The modules in which threads wait for each other.
WAITING = {
    *("threading", "queue", "concurrent.futures._base"),
    *("openrouter_rerank._drive", "openrouter_rerank._transport.threads"),
}


class Interrupted(BaseException):
    """Raised by a signal handler."""


class Interruption:
    """Counts the functions in `WAITING` that return, and raises `Interrupted` when one does."""

    def __init__(self, at=None):
        self.returns = 0
        self._at = at

    def trace(self, frame, event, _):
        """Trace a function: the interface of `sys.settrace`."""
        if frame.f_globals.get("__name__") not in WAITING or is_starting(frame):
            return None
        if event == "return":
            self.returns += 1
            if self.returns == self._at:
                raise Interrupted
        return self.trace


def is_starting(frame):
    """Return `True` in `Thread.start`: Python itself loses a thread that is interrupted there."""
    while frame is not None:
        if frame.f_code is threading.Thread.start.__code__:
            return True
        frame = frame.f_back
    return False


def interrupted_call(client, at=None):
    """Interrupt a split call; return the outcome, if it ends, and the number of returns."""
    interruption, outcomes = Interruption(at), []

    def call():
        sys.settrace(interruption.trace)
        try:
            outcomes.append(client.rerank("q", DOCUMENTS, max_documents_per_request=1))
        except Interrupted as error:
            outcomes.append(error)
        finally:
            sys.settrace(None)

    # A daemon, so that a call that waits without end does not keep the tests from ending.
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(LONG)
    return outcomes, interruption.returns


def test_an_interrupted_split_call_ends(local_openrouter):
    """Wherever a split call is interrupted while its threads work, it ends, and the next works."""
    url, key = local_openrouter.base_url, local_openrouter.api_key
    with RerankClient(base_url=url, api_key=key, max_concurrency=2) as client:
        client.rerank("q", DOCUMENTS)
        _, returns = interrupted_call(client)
        assert returns
        interrupted = 0
        for at in range(1, returns + 1):
            (outcome,), _ = interrupted_call(client, at)
            interrupted += isinstance(outcome, Interrupted)

        assert interrupted
        assert len(client.rerank("q", DOCUMENTS, max_documents_per_request=1)) == len(DOCUMENTS)
