"""Tools for agents that return lists of documents in many forms."""

from langchain_core.documents import Document
from langchain_core.tools import StructuredTool

QUESTION = "What is the capital of France?"
BREAD, PARIS, BERLIN = TEXTS = [
    "Bread is baked every morning.",
    "Paris is the capital of France.",
    "Berlin is the capital of Germany.",
]
RANKED = [PARIS, BERLIN, BREAD]
CALL = ("search", {"query": "cities"})


def tool(result, name="search", *, with_artifact=False):
    """Return a tool that returns `result`, or raises it."""

    def search(query: str):
        if isinstance(result, Exception):
            raise result
        return result

    async def asearch(query: str):
        return search(query)

    return StructuredTool.from_function(
        search,
        coroutine=asearch,
        name=name,
        description="Searches.",
        response_format="content_and_artifact" if with_artifact else "content",
        handle_tool_error=True,
    )


def found_documents():
    """Return the documents that a search found, with ids and metadata."""
    return [Document(text, id=text[:5], metadata={"source": text[:3]}) for text in TEXTS]
