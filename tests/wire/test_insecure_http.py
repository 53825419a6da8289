"""http to other machines: only if the user allows it, and never to OpenRouter."""

import pytest
from openrouter_rerank._wire.endpoint import ApiKey, endpoint
from openrouter_rerank.errors import ConfigurationError

ENVIRONMENT = {"OPENROUTER_API_KEY": "sk-ambient"}


@pytest.mark.parametrize(
    "base_url", ["http://gateway:4000", "http://10.0.0.1/v1", "http://gateway.svc.cluster.local/v1"]
)
@pytest.mark.parametrize("source", ["option", "OPENROUTER_API_BASE", "OPENROUTER_BASE_URL"])
def test_http_to_other_hosts_can_be_allowed(base_url, source):
    """With `allow_insecure_http` any host is accepted over http; without it the error names it."""
    option = base_url if source == "option" else None
    environment = ENVIRONMENT if option else ENVIRONMENT | {source: base_url}

    target = endpoint(ApiKey("k"), option, environment, allow_insecure_http=True)

    assert target.url == f"{base_url}/rerank"
    with pytest.raises(ConfigurationError, match="allow_insecure_http=True"):
        endpoint(ApiKey("k"), option, environment)


@pytest.mark.parametrize(
    "base_url",
    [
        *("http://openrouter.ai/api/v1", "http://eu.openrouter.ai/v1", "ftp://gateway/v1"),
        *("http://openrouter.ai./api/v1", "http://OPENROUTER.AI/api/v1"),
    ],
)
def test_openrouter_is_never_called_over_http(base_url):
    """`allow_insecure_http` is for gateways. OpenRouter has https, and no other scheme is HTTP."""
    with pytest.raises(ConfigurationError, match="must begin with https://") as caught:
        endpoint(ApiKey("k"), base_url, ENVIRONMENT, allow_insecure_http=True)

    assert "allow_insecure_http" not in str(caught.value)


def test_the_environment_key_is_sent_over_http_only_to_the_environments_url():
    """`allow_insecure_http` does not change which hosts get the environment's key."""
    named = ENVIRONMENT | {"OPENROUTER_API_BASE": "http://gateway:4000"}

    for base_url in (None, "http://gateway:4000"):
        target = endpoint(None, base_url, named, allow_insecure_http=True)
        assert target.api_key.authorization() == "Bearer sk-ambient"
    with pytest.raises(ConfigurationError, match="is not sent to gateway"):
        endpoint(None, "http://gateway:4000", ENVIRONMENT, allow_insecure_http=True)
