"""A chat model that says what a test wants, and keeps what it was shown."""

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from pydantic import Field


class ScriptedChat(GenericFakeChatModel):
    """Answers with its lines, one after the other, and remembers the tools of each call."""

    shown: list[list[str]] = Field(default_factory=list)

    def bind_tools(self, tools, **kwargs):
        """Keep the names of the tools, or the type of those that have none."""
        self.shown.append([_name(tool) for tool in tools])
        return self


def scripted(*lines):
    """Make a chat model that says `lines`: a text, or the name and the arguments of a tool."""
    return ScriptedChat(messages=iter([_message(at, line) for at, line in enumerate(lines)]))


def _message(at, line):
    if isinstance(line, str):
        return AIMessage(line)
    name, arguments = line
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": f"call-{at}"}])


def _name(tool):
    return tool["type"] if isinstance(tool, dict) else tool.name
