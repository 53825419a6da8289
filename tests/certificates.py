"""Certificates from a private authority, and clients that trust this authority."""

import ssl
from contextlib import contextmanager

import pytest
import trustme


def authority_and_server_context():
    """Return a new authority, and the TLS context of a loopback server that it has certified."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return authority, context


@contextmanager
def trusted(authority):
    """Set `SSL_CERT_FILE` to the authority, and yield a TLS context for injected clients."""
    with authority.cert_pem.tempfile() as file, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", file)
        yield ssl.create_default_context(cafile=file)
