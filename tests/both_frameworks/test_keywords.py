"""The keywords that type checkers know are the keywords that the classes accept."""

import pytest
from langchain_openrouter_rerank import OpenRouterRerank as LangChainRerank
from langchain_openrouter_rerank import OpenRouterRerankRetriever
from langchain_openrouter_rerank.keywords import DocumentKeywords
from langchain_openrouter_rerank.retriever import RetrieverKeywords
from llamaindex_openrouter_rerank import OpenRouterRerank as LlamaIndexRerank
from llamaindex_openrouter_rerank.keywords import NodeKeywords
from pydantic import AliasChoices


def names(model):
    """Return all names that `model` accepts for its fields."""
    found = set(model.model_fields)
    for field in model.model_fields.values():
        if isinstance(field.validation_alias, AliasChoices):
            found.update(map(str, field.validation_alias.choices))
    return found


@pytest.mark.parametrize(
    ("model", "keywords", "required"),
    [
        (LangChainRerank, DocumentKeywords, set()),
        (LlamaIndexRerank, NodeKeywords, set()),
        (OpenRouterRerankRetriever, RetrieverKeywords, {"base_retriever", "reranker"}),
    ],
    ids=["LangChain", "LlamaIndex", "retriever"],
)
def test_keywords_are_the_fields_under_all_their_names(model, keywords, required):
    """A type checker knows every option by each of its names, and nothing else."""
    assert set(keywords.__annotations__) | required == names(model)


@pytest.mark.parametrize(
    ("keyword", "field", "value"),
    [
        ("model_name", "model", "a/b"),
        ("openrouter_api_base", "base_url", "https://example.com"),
        ("api_base", "base_url", "https://example.com"),
        ("openrouter_provider", "provider", {"sort": "price"}),
        ("model_kwargs", "extra_body", {"new": [1]}),
    ],
)
def test_options_have_the_names_that_neighbours_give_them(adapter, keyword, field, value):
    """An option can be passed by its name in `ChatOpenRouter` and in similar classes."""
    reranker = adapter.reranker_class(**{keyword: value})

    assert getattr(reranker, field) == value
