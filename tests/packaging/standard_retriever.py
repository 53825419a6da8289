"""LangChain's standard tests of retrievers; `test_neighbours.py` runs them where they install."""

import pytest
from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda
from langchain_openrouter_rerank import OpenRouterRerank, OpenRouterRerankRetriever
from langchain_tests.integration_tests import RetrieversIntegrationTests

TEXTS = ["Bread is baked.", "Paris is in France.", "Cats sleep.", "France has rivers."]


class TestOpenRouterRerankRetriever(RetrieversIntegrationTests):
    """What LangChain expects of any retriever."""

    @pytest.fixture(autouse=True)
    def _service(self, local_openrouter):
        self.service = local_openrouter

    @property
    def retriever_constructor(self):
        """The class under test."""
        return OpenRouterRerankRetriever

    @property
    def retriever_constructor_params(self):
        """A retriever that finds more than the tests ask for."""
        service = self.service
        return {
            "base_retriever": RunnableLambda(lambda query: [Document(text) for text in TEXTS]),
            "reranker": OpenRouterRerank(api_key=service.api_key, base_url=service.base_url),
        }

    @property
    def retriever_query_example(self):
        """A question."""
        return "rivers of France"


class TestByTheNameOfRerankers(TestOpenRouterRerankRetriever):
    """The same, where the number of results is called as rerankers call it."""

    @property
    def num_results_arg_name(self):
        """The name of the number of results."""
        return "top_n"
