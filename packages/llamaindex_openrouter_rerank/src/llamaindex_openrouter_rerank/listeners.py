"""Whether anybody listens: what nobody is told of need not be made."""

from llama_index_instrumentation.dispatcher import Dispatcher
from llama_index_instrumentation.event_handlers import NullEventHandler


def is_heard(dispatcher: Dispatcher) -> bool:
    """Tell whether a handler gets the events of `dispatcher`, be it only that of its root."""
    while all(type(handler) is NullEventHandler for handler in dispatcher.event_handlers):
        if not dispatcher.propagate:
            return False
        dispatcher = dispatcher.parent
    return True
