"""Certificates of a private authority, and clients that trust this authority."""

import ssl
from contextlib import contextmanager

import pytest
import trustme
from openrouter_rerank._transport import connect


def identified():
    """Make an authority, and the TLS context of a loopback server with a certificate from it."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    return authority, server


@contextmanager
def trusting(authority):
    """Set `SSL_CERT_FILE` to the authority; the value is a TLS context for injected clients."""
    with authority.cert_pem.tempfile() as file, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", file)
        # A process reads its certificates once.
        connect._certificates = connect._Certificates()  # noqa: SLF001 - a separate process would be slow
        yield ssl.create_default_context(cafile=file)
    connect._certificates = connect._Certificates()  # noqa: SLF001
