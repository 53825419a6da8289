"""The headers of a request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank._version import __version__
from openrouter_rerank._wire.headers import HeaderFields, request_headers, session_header
from openrouter_rerank.errors import ConfigurationError, InvalidRequestError

FIXED = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Content-Type": "application/json",
    "User-Agent": f"openrouter-rerank/{__version__}",
}


def headers(*, app_url=None, app_title=None, app_categories=(), default_headers=None):
    """Return the headers of a client with these options."""
    return request_headers(
        app_url=app_url,
        app_title=app_title,
        app_categories=app_categories,
        default_headers=default_headers or {},
    )


@pytest.mark.parametrize(
    ("options", "added"),
    [
        pytest.param({}, {}, id="none"),
        pytest.param({"app_url": "https://me"}, {"HTTP-Referer": "https://me"}, id="url"),
        pytest.param({"app_title": "My App"}, {"X-OpenRouter-Title": "My App"}, id="title"),
        pytest.param({"app_categories": ["a"]}, {"X-OpenRouter-Categories": "a"}, id="category"),
        pytest.param(
            {"app_categories": ("a", "b")}, {"X-OpenRouter-Categories": "a,b"}, id="categories"
        ),
        pytest.param({"default_headers": {"X-Mine": "1"}}, {"X-Mine": "1"}, id="further"),
        pytest.param({"app_title": "x" * 512}, {"X-OpenRouter-Title": "x" * 512}, id="longest"),
    ],
)
def test_attribution(options, added):
    """Each option sets the header that OpenRouter documents for it, next to the fixed ones."""
    assert headers(**options) == FIXED | added


@pytest.mark.parametrize(
    ("name", "replaced"),
    [
        ("user-agent", "User-Agent"),
        ("USER-AGENT", "User-Agent"),
        ("accept", "Accept"),
        ("http-referer", "HTTP-Referer"),
        ("x-openrouter-title", "X-OpenRouter-Title"),
        ("X-OPENROUTER-CATEGORIES", "X-OpenRouter-Categories"),
    ],
)
def test_headers_of_the_user_override(name, replaced):
    """A header of the user replaces the client's, in any case of its name."""
    found = headers(
        app_url="https://me", app_title="t", app_categories=["c"], default_headers={name: "mine"}
    )

    assert found[name] == "mine"
    assert [each for each in found if each.lower() == replaced.lower()] == [name]


def test_of_two_spellings_of_a_name_one_is_sent():
    """A name that the user passes in two spellings is sent once."""
    assert headers(default_headers={"X-A": "1", "x-a": "2"}) == FIXED | {"x-a": "2"}


def test_the_legacy_title_is_not_sent_beside_the_new_one():
    """Only one of `X-Title` and `X-OpenRouter-Title` is sent: the user's header."""
    found = headers(app_title="ours", default_headers={"X-Title": "mine"})

    assert [value for name, value in found.items() if "title" in name.lower()] == ["mine"]


@pytest.mark.parametrize(
    "name",
    ["Content-Length", "content-type", "Transfer-Encoding", "accept-encoding", "HOST"],
)
def test_headers_that_only_the_client_sets(name):
    """Headers about length, encoding, type and host are refused, and the error names them."""
    with pytest.raises(ConfigurationError, match=f"must not hold '{name}'"):
        headers(default_headers={name: "secret"})


@pytest.mark.parametrize("name", ["", " ", "a b", "a:", "a\n", "é", "a/b", "²"])
def test_names_that_cannot_be_sent(name):
    """A header name consists of letters, digits, hyphens and underscores."""
    with pytest.raises(ConfigurationError, match="default_headers has the name"):
        headers(default_headers={name: "value"})


UNSENDABLE = ["", " ", " a", "a ", "a\nb", "a\r\nX: b", "é", "x" * 513, "\x00", 5, None, b"a"]


@pytest.mark.parametrize("value", UNSENDABLE, ids=lambda value: repr(value)[:12])
def test_values_that_cannot_be_sent(value):
    """A value must be printable ASCII. The error names the option and does not show the value."""
    with pytest.raises(ConfigurationError, match=r"default_headers\['X-A'\] must be 1 to 512"):
        headers(default_headers={"X-A": value})
    if value is not None:
        with pytest.raises(ConfigurationError, match="app_url must be 1 to 512"):
            headers(app_url=value)
        with pytest.raises(ConfigurationError, match="app_title must be 1 to 512"):
            headers(app_title=value)


@pytest.mark.parametrize("categories", ["name", "ab", "a", ["a", "b", "c"]])
def test_categories(categories):
    """Categories are a list of at most two names, and not a string."""
    with pytest.raises(ConfigurationError, match="app_categories must be a list of at most 2"):
        headers(app_categories=categories)


@pytest.mark.parametrize("categories", [["a\n"], [" "]])
def test_categories_that_cannot_be_sent(categories):
    """A category that is not valid in a header is refused."""
    with pytest.raises(ConfigurationError, match="app_categories must be 1 to 512"):
        headers(app_categories=categories)


@given(st.text(), st.text(), st.text(), st.dictionaries(st.text(), st.text()))
def test_no_text_breaks_out_of_its_header(url, title, category, default):
    """Any options are refused, or all headers are single lines of printable ASCII."""
    try:
        found = headers(
            app_url=url, app_title=title, app_categories=[category], default_headers=default
        )
    except ConfigurationError:
        return

    for text in (*found, *found.values()):
        assert text.isascii()
        assert text.isprintable()


@pytest.mark.parametrize("session_id", ["a", "x" * 256, "a b"])
def test_session(session_id):
    """A session is sent as the header `x-session-id`."""
    assert session_header(session_id) == {"x-session-id": session_id}


@pytest.mark.parametrize(
    "session_id", ["", " ", "x" * 257, "a\n", "é", 5], ids=lambda v: repr(v)[:9]
)
def test_session_that_cannot_be_sent(session_id):
    """A session id must have 1 to 256 printable ASCII characters."""
    with pytest.raises(InvalidRequestError, match="session_id must be 1 to 256"):
        session_header(session_id)


@pytest.mark.parametrize("name", ["x-session-id", "X-Session-Id"])
def test_a_session_replaces_that_of_the_client(name):
    """A call's session id replaces the client's, in any spelling of the header."""
    before = headers(default_headers={name: "of the client", "X-Team": "search"})

    after = before.with_session("of the call")

    assert after == {**headers(default_headers={"X-Team": "search"}), "x-session-id": "of the call"}
    assert before[name] == "of the client"
    assert isinstance(after, HeaderFields)


def test_values_of_headers_are_not_shown():
    """In a traceback with local variables, headers show their names only."""
    headers = HeaderFields({"X-Secret": "s3cret"})

    assert repr(headers) == "HeaderFields(['X-Secret'])"


def test_no_form_of_the_headers_shows_their_values():
    """The `repr` of headers, and of headers in bytes, shows the names only."""
    fields = headers(default_headers={"X-Secret": "hunter2"})

    assert "X-Secret" in repr(fields)
    assert "X-Secret" in repr(fields.encoded())
    assert "hunter2" not in repr(fields) + repr(fields.encoded())
    assert (b"X-Secret", b"hunter2") in fields.encoded()
