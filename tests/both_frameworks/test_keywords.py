"""The classes accept the keywords that type checkers know, and no others."""

import pytest
from langchain_openrouter_rerank import OpenRouterRerank as LangChainRerank
from langchain_openrouter_rerank import OpenRouterRerankRetriever
from langchain_openrouter_rerank.keywords import DocumentKeywords
from langchain_openrouter_rerank.retriever import RetrieverKeywords
from llamaindex_openrouter_rerank import OpenRouterRerank as LlamaIndexRerank
from llamaindex_openrouter_rerank.keywords import NodeKeywords
from pydantic import AliasChoices


def accepted_names(model):
    """Return all names that `model` accepts for its fields."""
    names = set(model.model_fields)
    for field in model.model_fields.values():
        if isinstance(field.validation_alias, AliasChoices):
            names.update(map(str, field.validation_alias.choices))
    return names


@pytest.mark.parametrize(
    ("model", "keywords", "required"),
    [
        (LangChainRerank, DocumentKeywords, set()),
        (LlamaIndexRerank, NodeKeywords, set()),
        (OpenRouterRerankRetriever, RetrieverKeywords, {"base_retriever", "reranker"}),
    ],
    ids=["LangChain", "LlamaIndex", "retriever"],
)
def test_keywords_have_all_names_of_all_options(model, keywords, required):
    """Type checkers know every option under all its names, and no other keyword."""
    assert set(keywords.__annotations__) | required == accepted_names(model)


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
def test_other_names_of_options_are_accepted(framework, keyword, field, value):
    """The names that `ChatOpenRouter` and similar classes have for an option are accepted."""
    reranker = framework.reranker_class(**{"api_key": "sk-any", keyword: value})

    assert getattr(reranker, field) == value
