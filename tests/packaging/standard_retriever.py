"""LangChain's standard tests of retrievers. `test_other_versions.py` runs them."""

import pytest
from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda
from langchain_openrouter_rerank import OpenRouterRerank, OpenRouterRerankRetriever
from langchain_tests.integration_tests import RetrieversIntegrationTests

TEXTS = ["Bread is baked.", "Paris is in France.", "Cats sleep.", "France has rivers."]


class TestOpenRouterRerankRetriever(RetrieversIntegrationTests):
    """The tests that LangChain expects every retriever to pass."""

    @pytest.fixture(autouse=True)
    def _service(self, local_openrouter):
        self.service = local_openrouter

    @property
    def retriever_constructor(self):
        """The class under test."""
        return OpenRouterRerankRetriever

    @property
    def retriever_constructor_params(self):
        """The arguments of a retriever that finds more documents than the tests request."""
        service = self.service
        return {
            "base_retriever": RunnableLambda(lambda query: [Document(text) for text in TEXTS]),
            "reranker": OpenRouterRerank(api_key=service.api_key, base_url=service.base_url),
        }

    @property
    def retriever_query_example(self):
        """A question."""
        return "rivers of France"


class TestWithTopN(TestOpenRouterRerankRetriever):
    """The same tests, with the rerankers' name for the number of results."""

    @property
    def num_results_arg_name(self):
        """The name of the argument with the number of results."""
        return "top_n"
