"""
Whether anybody listens to a call, told in a third of the time that LangChain takes.

LangChain makes a manager for each run, and looks everywhere for handlers to put into it.
"""

import os
from functools import cache
from types import FunctionType, MethodType, ModuleType

from langchain_core.callbacks import AsyncCallbackManager, CallbackManager, manager
from langchain_core.globals import get_debug
from langchain_core.runnables import RunnableConfig


def nobody_listens(
    config: RunnableConfig, manager_class: type[CallbackManager | AsyncCallbackManager]
) -> bool:
    """Tell whether LangChain would surely find no handler; if in doubt, it is to be asked."""
    callbacks = config.get("callbacks")
    # A manager without handlers is what steps of a chain get when nobody listens to it.
    if getattr(callbacks, "handlers", callbacks):
        return False
    try:
        return not (get_debug() or _is_traced() or _is_hooked() or _is_patched(manager_class))
    except (AttributeError, LookupError, TypeError, ValueError):
        # LangChain is not as it was when this was written.
        return False


def _is_traced() -> bool:
    """Tell whether LangSmith listens."""
    context, langsmith = _modules()
    return context.tracing_v2_callback_var.get() is not None or langsmith.tracing_is_enabled()


def _is_hooked() -> bool:
    """Tell whether a handler may come from what `register_configure_hook` was told."""
    context, _ = _modules()
    for variable, _, _, name in vars(context)["_configure_hooks"]:
        if variable.get() is not None or (name is not None and name in os.environ):
            return True
    return False


def _is_patched(manager_class: type[CallbackManager | AsyncCallbackManager]) -> bool:
    """Tell whether an observer may add its handler where LangChain makes a manager."""
    return not (
        _is_langchains(manager_class.__init__)
        and _is_langchains(manager_class.configure)
        and _is_langchains(getattr(manager, "_configure", None))
    )


def _is_langchains(function: object) -> bool:
    # Not isinstance: wrappers claim to be of the type of what they wrap.
    if type(function) not in (FunctionType, MethodType):
        return False
    module: str = getattr(function, "__globals__", {})["__name__"]
    return module.startswith("langchain_core.")


@cache
def _modules() -> tuple[ModuleType, ModuleType]:
    # As late as LangChain does it: they take as long as all of its callbacks.
    from langchain_core.tracers import context
    from langsmith import utils

    return context, utils
