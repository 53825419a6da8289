"""
The errors about options and arguments: what was passed, and the exact text of the error.

`docs` can show them: each row is code that fails, and its text.
"""

NO_KEY = (
    "no API key: set OPENROUTER_API_KEY or pass api_key (keys: openrouter.ai/keys). Without one, "
    "run `openrouter-rerank serve` and the `export` line that it prints; for a gateway without "
    "keys, pass api_key='none'"
)


class Unprintable:
    """An object whose `repr` fails."""

    def __repr__(self):
        """Fail."""
        raise RuntimeError


CLIENT_OPTIONS = [
    ({"timeout": 0}, "timeout must be a positive number of seconds, got 0"),
    ({"timeout": None}, "timeout must be a positive number of seconds, got None"),
    ({"timeout": "soon"}, "timeout must be a positive number of seconds, got 'soon'"),
    ({"timeout": True}, "timeout must be a positive number of seconds, got True"),
    ({"score_ttl": -1}, "score_ttl must be a positive number of seconds, or None, got -1"),
    ({"max_retries": -1}, "max_retries must be a whole number, 0 or more, got -1"),
    ({"max_retries": True}, "max_retries must be a whole number, 0 or more, got True"),
    ({"max_retries": 1.0}, "max_retries must be a whole number, 0 or more, got 1.0"),
    ({"max_concurrency": 1.5}, "max_concurrency must be a whole number, 1 or more, got 1.5"),
    (
        {"max_retries": Unprintable()},
        "max_retries must be a whole number, 0 or more, got an object of type Unprintable",
    ),
    (
        {"max_retries": "9" * 1_000_000},
        f"max_retries must be a whole number, 0 or more, got '{'9' * 27}...{'9' * 28}'",
    ),
    (
        {"max_retries": list(range(1_000_000))},
        "max_retries must be a whole number, 0 or more, got [0, 1, 2, 3, ...]",
    ),
    (
        {"max_retries": "sk-or-v1-secret"},
        "max_retries must be a whole number, 0 or more, got a value with an API key in it",
    ),
    (
        {"budget": "much"},
        "budget must be a number of US dollars, 0 or more, or a Budget, got 'much'",
    ),
    ({"budget": -1}, "budget must be a number of US dollars, 0 or more, or a Budget, got -1"),
    ({"app_url": 5}, "app_url must be a string, or None, got 5"),
    (
        {"app_categories": ["a", "b", "c"]},
        "app_categories must be a list of at most 2 names, got ('a', 'b', 'c')",
    ),
    ({"app_categories": ["a", 2]}, "app_categories[1] must be a string, got 2"),
    (
        {"default_headers": [("X-Key", "secret")]},
        "default_headers must be a mapping of header names to strings, or None",
    ),
    ({"default_headers": {"X-Key": None}}, "default_headers['X-Key'] must be a string"),
    ({"base_url": 5}, "base_url must be a string, or None"),
    (
        {"base_url": "gateway"},
        "base_url must have the form https://host/api/v1, without a query or a fragment",
    ),
    (
        {"base_url": "http://gateway.example/v1"},
        (
            "base_url must begin with https:// (http:// only for this machine), got "
            "http://gateway.example. If the network is yours, set allow_insecure_http=True to send "
            "the key and the documents unencrypted"
        ),
    ),
    (
        {"base_url": "https://user:password@gateway.example/v1"},
        "base_url has a user name or password in it: pass the key as api_key",
    ),
    (
        {"api_key": "two words"},
        (
            "the API key has characters that cannot be sent, such as a space or a line break: pass "
            "it as OpenRouter shows it"
        ),
    ),
    (
        {"app_title": "\n"},
        "app_title must be 1 to 512 printable ASCII characters without leading or trailing spaces",
    ),
    (
        {"long_documents": "cut"},
        "long_documents must be 'truncate', 'split' or 'raise', got 'cut'",
    ),
    ({"passage_tokens": 31}, "passage_tokens must be a whole number, 32 or more, got 31"),
    ({"max_passages": 0}, "max_passages must be a whole number, 1 or more, or None, got 0"),
    ({"on_response": "print"}, "on_response must be a function, or None, got 'print'"),
    (
        {"api_key": "secret", "openrouter_api_key": "secret"},
        "api_key and openrouter_api_key are two names of one option: pass one of them",
    ),
    (
        {"base_url": "https://a.example", "api_base": "https://a.example"},
        "base_url and api_base are two names of one option: pass one of them",
    ),
]
"""Options of the clients and of both framework classes."""

RERANKER_OPTIONS = [
    ({"top_n": -1}, "top_n must be a whole number, 1 or more, or None, got -1"),
    ({"top_n": False}, "top_n must be a whole number, 1 or more, or None, got False"),
    (
        {"model": None},
        "model must be the slug of a model, such as 'cohere/rerank-v3.5', got None",
    ),
    (
        {"fallback_models": {"a/b"}},
        (
            "fallback_models must be a list of slugs, such as ['cohere/rerank-v3.5'], got {'a/b'}; "
            "a set has no order"
        ),
    ),
    ({"fallback_models": ["a/b", 3]}, "fallback_models[1] must be a string, got 3"),
    (
        {"provider": "cohere"},
        (
            "provider must be a mapping such as {'only': ['cohere']} or {'order': ['cohere']}, or "
            "None, got 'cohere'"
        ),
    ),
    ({"trace": {"a": {1}}}, "trace['a'] must be a JSON value, got {1}"),
    ({"extra_body": {"a": [b"b"]}}, "extra_body['a'][0] must be a JSON value, got b'b'"),
    ({"provider": {1: "a"}}, "provider must have strings as names, got the name 1"),
    (
        {"on_error": "ignore"},
        "on_error must be 'raise', 'passthrough' or 'passthrough_all', got 'ignore'",
    ),
    ({"image_mode": 1}, "image_mode must be 'auto', 'always' or 'never', got 1"),
    ({"image_root": 4}, "image_root must be a path, or None, got 4"),
    ({"http_client": 3}, "http_client must be an httpx.Client, an httpx2.Client, or None, got 3"),
    (
        {"score_threshold": 0.5, "fallback_models": "a/b"},
        (
            "score_threshold cannot be combined with fallback_models, because each model has its "
            "own score scale: remove one of them"
        ),
    ),
]
"""Options that only the framework classes have."""

UNKNOWN_OPTIONS = [
    ("top_k", "has no option 'top_k'. Did you mean 'top_n'?"),
    ("modle", "has no option 'modle'. Did you mean 'model'?"),
    ("cohere_api_key", "has no option 'cohere_api_key'. Did you mean 'api_key'?"),
    ("endpoint", "has no option 'endpoint'. Did you mean 'base_url'?"),
    ("headers", "has no option 'headers'. Did you mean 'default_headers'?"),
    ("retries", "has no option 'retries'. Did you mean 'max_retries'?"),
    (
        "max_chunks_per_doc",
        "has no option 'max_chunks_per_doc': OpenRouter has no such parameter, so leave it out",
    ),
    ("flavour", "has no option 'flavour': help(OpenRouterRerank) lists the options"),
]
"""Names that no framework class has; the text follows the name of the class."""

UNKNOWN_CLIENT_OPTIONS = [
    ("top_k", "has no option 'top_k'. Did you mean 'top_n'? If so, pass it to rerank()"),
    ("model", "has no option 'model': pass it to rerank()"),
    ("token", "has no option 'token'. Did you mean 'api_key'?"),
    ("flavour", "has no option 'flavour': help(MyClient) lists the options"),
]
"""Names that no client has; the text follows the name of the class."""

ARGUMENTS = [
    (TypeError, {"top_k": 3}, "rerank() has no argument 'top_k'. Did you mean 'top_n'?"),
    (
        TypeError,
        {"api_key": "secret"},
        "rerank() has no argument 'api_key': pass it when you create the client",
    ),
    (ValueError, {"top_n": 0}, "top_n must be a whole number, 1 or more, or None, got 0"),
    (
        ValueError,
        {"provider": "cohere"},
        (
            "provider must be a mapping, got 'cohere': pass {'only': ['cohere']} to use no other "
            "provider, or {'order': ['cohere']} to try it first"
        ),
    ),
    (ValueError, {"user": 3}, "user must be a string, or None, got 3"),
    (ValueError, {"trace": "a"}, "trace must be a mapping, or None, got 'a'"),
    (ValueError, {"trace": {"a": {1}}}, "trace['a'] must be a JSON value, got {1}"),
    (
        ValueError,
        {"extra_body": {"a": [b"b"]}},
        "extra_body['a'][0] must be a JSON value, got b'b'",
    ),
    (ValueError, {"timeout": 0}, "timeout must be a positive number of seconds, got 0"),
    (ValueError, {"max_retries": 1.0}, "max_retries must be a whole number, 0 or more, got 1.0"),
    (ValueError, {"app_url": 5}, "app_url must be a string, or None, got 5"),
    (ValueError, {"app_categories": ["a", 2]}, "app_categories[1] must be a string, got 2"),
    (
        ValueError,
        {"extra_headers": {"X-Key": None}},
        "extra_headers['X-Key'] must be a string",
    ),
    (
        TypeError,
        {"default_headers": {"X-Key": "secret"}},
        "rerank() has no argument 'default_headers'. Did you mean 'extra_headers'?",
    ),
    (
        TypeError,
        {"base_url": "https://a.example"},
        "rerank() has no argument 'base_url': pass it when you create the client",
    ),
    (
        ValueError,
        {"model": None},
        "model must be the slug of a model, such as 'cohere/rerank-v3.5', got None",
    ),
    (
        ValueError,
        {"query": ["q"]},
        "query must be a string, got an object of type list: pass the question as text",
    ),
    (ValueError, {"query": " "}, "query is blank: pass the question to rank the documents by"),
    (
        ValueError,
        {"documents": ["a", ""]},
        "documents[1] is blank: give it a text or an image, or leave it out",
    ),
    (
        ValueError,
        {"documents": [{"content": "a"}]},
        "documents[0] has the unknown key 'content': use text and/or image",
    ),
    (
        ValueError,
        {"documents": [("a", 0.5)]},
        "documents[0] is a tuple with a score: pass only the document, its first item",
    ),
    (
        ValueError,
        {"documents": None},
        (
            "documents must be a list of documents, got an object of type NoneType: pass [...], "
            "with one item for each document"
        ),
    ),
]
"""Arguments of a client's call, with the built-in error that it is."""
