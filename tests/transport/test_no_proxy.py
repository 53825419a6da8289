"""Which hosts `NO_PROXY` names."""

import pytest
from openrouter_rerank._transport.no_proxy import is_excluded


@pytest.mark.parametrize(
    ("no_proxy", "host", "port"),
    [
        ("*", "host.example", 443),
        ("*", "192.0.2.1", 443),
        ("host.example", "host.example", 443),
        ("HOST.example", "host.example", 443),
        ("host.example.", "host.example", 443),
        ("host.example", "host.example.", 443),
        ("example", "host.example", 443),
        (".example", "host.example", 443),
        (".host.example", "host.example", 443),
        ("*.example", "a.host.example", 443),
        ("*.host.example", "host.example", 443),
        ("a.example,host.example", "host.example", 443),
        (" a.example ,\thost.example\n", "host.example", 443),
        ("a.example host.example", "host.example", 443),
        ("host.example:443", "host.example", 443),
        (".example:8443", "host.example", 8443),
        ("*:443", "host.example", 443),
        ("192.0.2.1", "192.0.2.1", 443),
        ("192.0.2.1:443", "192.0.2.1", 443),
        ("192.0.2.0/24", "192.0.2.9", 443),
        ("192.0.2.7/24", "192.0.2.9", 443),
        ("192.0.2.0/24:443", "192.0.2.9", 443),
        ("2001:db8::1", "2001:db8::1", 443),
        ("2001:db8:0::1", "2001:db8::1", 443),
        ("[2001:db8::1]", "2001:db8::1", 443),
        ("[2001:db8::1]:443", "2001:db8::1", 443),
        ("2001:db8::/32", "2001:db8::1", 443),
        ("[2001:db8::]/32", "2001:db8::1", 443),
    ],
)
def test_a_host_that_is_named_needs_no_proxy(no_proxy, host, port):
    """Names, domains, addresses, networks and ports are understood, in each usual form."""
    assert is_excluded(host, port, no_proxy)


@pytest.mark.parametrize(
    ("no_proxy", "host", "port"),
    [
        ("", "host.example", 443),
        (" , ", "host.example", 443),
        (".", "host.example", 443),
        ("*.", "host.example", 443),
        ("ost.example", "host.example", 443),
        ("*ost.example", "host.example", 443),
        ("a.host.example", "host.example", 443),
        ("host.example:80", "host.example", 443),
        ("host.example:https", "host.example", 443),
        ("*:80", "host.example", 443),
        ("192.0.2.1:80", "192.0.2.1", 443),
        ("192.0.2.0/24", "192.0.3.9", 443),
        ("192.0.2.0/99", "192.0.2.9", 443),
        ("2.1", "192.0.2.1", 443),
        ("0.0.0.0/0", "2001:db8::1", 443),
        ("0.0.0.0/0", "host.example", 443),
        ("[2001:db8::1]:80", "2001:db8::1", 443),
        ("2001:db8::1:443", "2001:db8::1", 443),
        ("[", "host.example", 443),
        (":443", "host.example", 443),
    ],
)
def test_another_host_needs_the_proxy(no_proxy, host, port):
    """Part of a name, another port, another network and an invalid entry name no host."""
    assert not is_excluded(host, port, no_proxy)
