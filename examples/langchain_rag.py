"""
Answer a question from documents (RAG) with LangChain: retrieve, rerank, generate.

    pip install langchain-openrouter-rerank numpy
    python langchain_rag.py "How many days of holiday do employees have?"

Set OPENROUTER_API_KEY. Without a key, run `openrouter-rerank serve` (pip install
'openrouter-rerank[local]'), and then the `export` line that it prints.
"""

import sys

from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompt_values import PromptValue
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openrouter_rerank import OpenRouterRerank

HANDBOOK = [
    "Parking permits are handed out at the gate.",
    "Requests for holiday are made in the staff portal.",
    "The canteen serves lunch from noon to two.",
    "Employees have 30 days of holiday a year.",
    "The heating is repaired by the caretaker, Ms Keller, on extension 17.",
    "Visitors sign in at the reception.",
]
PROMPT = ChatPromptTemplate.from_template(
    "Answer from these passages, the most relevant first:\n{passages}\n\nQuestion: {question}"
)


def first_passage(prompt: PromptValue) -> AIMessage:
    """Answer with the first passage of the prompt, because this example has no chat model."""
    return AIMessage(prompt.to_string().splitlines()[1])


def main(question: str) -> None:
    """Print the passages for `question`, with their ranks before reranking, and the answer."""
    # Use your own vector store. These embeddings are random numbers.
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=64))
    store.add_texts(HANDBOOK)
    before = [found.page_content for found in store.similarity_search(question, k=25)]

    reranker = OpenRouterRerank(top_n=3)
    retriever = reranker.as_retriever(store.as_retriever(), fetch_k=25)
    documents = retriever.invoke(question)
    for rank, document in enumerate(documents, start=1):
        was = before.index(document.page_content) + 1
        score = document.metadata["relevance_score"]
        print(f"{rank} (was {was})  {score:.3f}  {document.page_content}")

    # Use your chat model, for example ChatOpenRouter(model="openai/gpt-5-mini").
    model = RunnableLambda(first_passage)
    chain = PROMPT | model | StrOutputParser()
    passages = "\n".join(document.page_content for document in documents)
    print("Answer:", chain.invoke({"passages": passages, "question": question}))


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "How many days of holiday do employees have?")
