"""A chat model that replies from a script and records the tools it was offered."""

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from pydantic import Field


class ScriptedChat(GenericFakeChatModel):
    """Replies with scripted messages in order, and records the tools offered in each call."""

    shown: list[list[str]] = Field(default_factory=list)

    def bind_tools(self, tools, **kwargs):
        """Record each tool's name, or its type if it is a mapping."""
        self.shown.append([_name(tool) for tool in tools])
        return self


def scripted(*replies):
    """
    Return a chat model that replies with `replies`, one after another.

    A reply is a text, or a pair of a tool's name and its arguments.
    """
    return ScriptedChat(
        messages=iter([_message(number, reply) for number, reply in enumerate(replies)])
    )


def _message(number, reply):
    if isinstance(reply, str):
        return AIMessage(reply)
    name, arguments = reply
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": f"call-{number}"}])


def _name(tool):
    return tool["type"] if isinstance(tool, dict) else tool.name
