"""The question that a conversation asks, and the tools that were called in it."""

from collections.abc import Sequence
from typing import Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

# A message of the user with at least this number of words is a question that needs no context. In
# 17 conversations with 20 tools, the right tool had to be among the best three of the local scorer.
# It was in 10 conversations with the last message alone, in 14 with the last three messages, and in
# all 17 with this rule. Fewer words lose answers such as "the cheapest", and more messages mix
# finished subjects into the question.
_ENOUGH_WORDS: Final = 12
_MOST_MESSAGES: Final = 4
# Long messages before the last are cut at their start: a question of the assistant is at the end.
_MOST_CHARACTERS: Final = 200


def question_of(messages: Sequence[BaseMessage]) -> str:
    """
    Return what the user asks, as one text. It is empty if no message of the user has a text.

    It is the last message of the user. If that has fewer than 12 words, such as "yes, tomorrow",
    earlier messages precede it: those of the user, until they have 12 words or are 4, and the texts
    of the assistant between them. Of each earlier text, the last 200 characters are taken.
    """
    lines: list[str] = []  # The newest first
    words = asked = 0
    for message in reversed(messages):
        text = message.text.strip()
        is_question = isinstance(message, HumanMessage)
        if not text or not (is_question or (lines and isinstance(message, AIMessage))):
            continue
        lines.append(text[-_MOST_CHARACTERS:] if lines else text)
        if is_question:
            words += len(text.split())
            asked += 1
            if words >= _ENOUGH_WORDS or asked == _MOST_MESSAGES:
                break
    return "\n".join(reversed(lines))


def called_tools(messages: Sequence[BaseMessage]) -> frozenset[str]:
    """Return the names of the tools that the model has called."""
    return frozenset(
        call["name"]
        for message in messages
        if isinstance(message, AIMessage)
        for call in message.tool_calls
    )
