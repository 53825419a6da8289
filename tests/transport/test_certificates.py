"""Which certificates are trusted, and when they are read again."""

import certifi
import httpx
import pytest
from openrouter_rerank import APIConnectionError, ConfigurationError
from openrouter_rerank._transport.connect import is_prepared, prepare
from openrouter_rerank.local.stage import Stage

from tests.certificates import authority_and_server_context
from tests.clients import OWN_CONNECTIONS

QUERY, DOCUMENTS = "q", ["a", "b"]


@pytest.fixture
def authorities(tmp_path):
    """Two files with the certificate of another authority each, and the second's TLS context."""
    wrong, _ = authority_and_server_context()
    right, context = authority_and_server_context()
    files = tmp_path / "wrong.pem", tmp_path / "right.pem"
    for authority, file in zip((wrong, right), files, strict=True):
        authority.cert_pem.write_to_path(str(file))
    return *files, context


@OWN_CONNECTIONS
def test_the_error_for_an_untrusted_certificate_says_what_to_set(
    client_kind, authorities, monkeypatch
):
    """The error names the host, the reason and `SSL_CERT_FILE`, and has the reason as its cause."""
    wrong, _, context = authorities
    monkeypatch.setenv("SSL_CERT_FILE", str(wrong))

    with Stage(tls=context) as stage:
        host = stage.base_url.split("/")[2]
        with pytest.raises(APIConnectionError) as caught:
            client_kind.client(base_url=stage.base_url, api_key="k").rerank(QUERY, DOCUMENTS)

    assert caught.value.message == (
        f"the certificate of {host} is not trusted: unable to get local issuer certificate. Set "
        "SSL_CERT_FILE to a file with the certificate of its authority (REQUESTS_CA_BUNDLE is not "
        "read)."
    )
    assert caught.value.__cause__.verify_message == "unable to get local issuer certificate"
    assert caught.value.__cause__.__traceback__ is None


@OWN_CONNECTIONS
@pytest.mark.parametrize("change", ["other file", "same file"])
def test_corrected_certificates_are_used_without_a_restart(
    client_kind, authorities, monkeypatch, change
):
    """If `SSL_CERT_FILE` is corrected, or its file is replaced, the next call succeeds."""
    wrong, right, context = authorities
    monkeypatch.setenv("SSL_CERT_FILE", str(wrong))

    with Stage(tls=context) as stage:
        client = client_kind.client(base_url=stage.base_url, api_key="k")
        with pytest.raises(APIConnectionError, match="not trusted"):
            client.rerank(QUERY, DOCUMENTS)
        if change == "other file":
            monkeypatch.setenv("SSL_CERT_FILE", str(right))
        else:
            right.replace(wrong)

        assert len(client.rerank(QUERY, DOCUMENTS).results) == len(DOCUMENTS)


@OWN_CONNECTIONS
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(
            None,
            "No such file or directory",
            id="missing",
            marks=pytest.mark.skipif(
                httpx.__version__.startswith("0.27."),
                reason="httpx 0.27 uses its own certificates if the file is missing",
            ),
        ),
        pytest.param("no certificate", "", id="no certificate"),
    ],
)
def test_certificates_that_cannot_be_read_are_an_error(
    client_kind, tmp_path, monkeypatch, content, reason
):
    """The error names `SSL_CERT_FILE`, its value and the reason."""
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))

    with pytest.raises(ConfigurationError, match="Name a file or a folder") as caught:
        client_kind.client(base_url="https://127.0.0.1:9/v1", api_key="k").rerank(QUERY, DOCUMENTS)

    assert caught.value.message.startswith(
        f"the certificates in SSL_CERT_FILE={str(file)!r} cannot be read: {reason}"
    )


@pytest.mark.skipif(
    httpx.__version__.startswith("0.27."), reason="httpx 0.27 looks the file up when it is imported"
)
@OWN_CONNECTIONS
def test_default_certificates_that_are_missing_are_an_error(client_kind, tmp_path, monkeypatch):
    """If no variable names certificates and those of certifi are missing, the error is typed."""
    monkeypatch.setattr(certifi, "where", lambda: str(tmp_path / "cacert.pem"))
    # Empty, and not deleted: this process may have read the default certificates already.
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(name, "")

    with pytest.raises(ConfigurationError, match=r"cannot be used .*: FileNotFoundError"):
        client_kind.client(base_url="https://127.0.0.1:9/v1", api_key="k").rerank(QUERY, DOCUMENTS)


@pytest.mark.parametrize(
    ("url", "proxy", "are_needed"),
    [
        ("https://gateway.example/v1", "", True),
        ("http://gateway.example/v1", "https://127.0.0.1:1", True),
        ("http://gateway.example/v1", "http://127.0.0.1:1", False),
        ("http://127.0.0.1/v1", "https://127.0.0.1:1", False),
    ],
)
def test_certificates_are_read_before_a_connection_needs_them(
    authorities, use_proxy, monkeypatch, *, url, proxy, are_needed
):
    """The certificates for a host or its proxy are read in `prepare`, outside the event loop."""
    use_proxy("")
    monkeypatch.setenv("http_proxy", proxy)
    prepare("http://127.0.0.1/v1")
    # Certificates that this process has not read yet.
    monkeypatch.setenv("SSL_CERT_FILE", str(authorities[0]))

    assert is_prepared(url) is not are_needed
    prepare(url)
    assert is_prepared(url)
