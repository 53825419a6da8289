"""The headers of a request."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank._version import __version__
from openrouter_rerank._wire.endpoint import EncodedHeaders
from openrouter_rerank._wire.headers import HeaderFields, call_headers, request_headers
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
        pytest.param({"default_headers": {"X_a-1": "1"}}, {"X_a-1": "1"}, id="all characters"),
        pytest.param({"default_headers": {"X-Mine": "1"}}, {"X-Mine": "1"}, id="default header"),
        pytest.param({"app_title": "x" * 512}, {"X-OpenRouter-Title": "x" * 512}, id="longest"),
    ],
)
def test_options_set_their_headers(options, added):
    """Each option sets the header that OpenRouter documents, in addition to the fixed headers."""
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
def test_default_headers_replace_our_headers(name, replaced):
    """A header of the user replaces the client's header of that name, in upper or lower case."""
    sent = headers(
        app_url="https://me", app_title="t", app_categories=["c"], default_headers={name: "mine"}
    )

    assert sent[name] == "mine"
    assert [sent_name for sent_name in sent if sent_name.lower() == replaced.lower()] == [name]


def test_a_name_in_two_spellings_is_sent_once():
    """A name that the user passes in two spellings is sent once."""
    assert headers(default_headers={"X-A": "1", "x-a": "2"}) == FIXED | {"x-a": "2"}


def headers_in(environment, **options):
    """Return the headers of a client with these options in this environment."""
    fixed = {"app_url": None, "app_title": None, "app_categories": (), "default_headers": {}}
    return request_headers(**fixed | options, environment=environment)


VARIABLES = {"OPENROUTER_APP_URL": "https://me", "OPENROUTER_APP_TITLE": "My App"}


@pytest.mark.parametrize(
    ("environment", "options", "added"),
    [
        (VARIABLES, {}, {"HTTP-Referer": "https://me", "X-OpenRouter-Title": "My App"}),
        (
            VARIABLES,
            {"app_url": "https://you"},
            {"HTTP-Referer": "https://you", "X-OpenRouter-Title": "My App"},
        ),
        (dict.fromkeys(VARIABLES, ""), {}, {}),
        (None, {}, {}),
    ],
)
def test_the_app_is_read_from_the_environment(environment, options, added):
    """Variables name the app if the options do not; an empty variable counts as not set."""
    assert headers_in(environment, **options) == FIXED | added


def test_the_error_of_a_variable_names_it():
    """The error of a value that cannot be sent names the variable that it is from."""
    with pytest.raises(ConfigurationError, match=r"^OPENROUTER_APP_TITLE must be 1 to 512"):
        headers_in({"OPENROUTER_APP_TITLE": "a\n"})


def test_only_one_title_header_is_sent():
    """If the user sets the older `X-Title`, the client's `X-OpenRouter-Title` is not sent."""
    sent = headers(app_title="ours", default_headers={"X-Title": "mine"})

    assert [value for name, value in sent.items() if "title" in name.lower()] == ["mine"]


@pytest.mark.parametrize(
    "name",
    ["Content-Length", "content-type", "Transfer-Encoding", "accept-encoding", "HOST"],
)
def test_headers_that_only_the_client_sets_are_refused(name):
    """Headers for length, encoding, type and host are refused, and the error names them."""
    with pytest.raises(ConfigurationError, match=f"must not contain '{name}'"):
        headers(default_headers={name: "secret"})


@pytest.mark.parametrize("name", ["", " ", "a b", "a:", "a\n", "é", "a/b", "²", "-", "_"])
def test_invalid_header_names_are_refused(name):
    """A header name must consist of ASCII letters, digits, hyphens and underscores."""
    with pytest.raises(ConfigurationError, match="default_headers has the name"):
        headers(default_headers={name: "value"})


INVALID_VALUES = ["", " ", " a", "a ", "a\nb", "a\r\nX: b", "é", "x" * 513, "\x00", 5, None, b"a"]


@pytest.mark.parametrize("value", INVALID_VALUES, ids=lambda value: repr(value)[:12])
def test_invalid_header_values_are_refused(value):
    """A value must be printable ASCII; the error names the option and does not show the value."""
    with pytest.raises(ConfigurationError, match=r"default_headers\['X-A'\] must be 1 to 512"):
        headers(default_headers={"X-A": value})
    if value is not None:
        for option in ("app_url", "app_title"):
            problem = "1 to 512" if isinstance(value, str) else f"a string, or None, got {value!r}"
            with pytest.raises(ConfigurationError, match=f"{option} must be {problem}"):
                headers(**{option: value})
            with pytest.raises(ConfigurationError, match=f"{option} must be {problem}"):
                call_headers(**{option: value})
    with pytest.raises(ConfigurationError, match=r"extra_headers\['X-A'\] must be 1 to 512"):
        call_headers(extra_headers=HeaderFields({"X-A": value}))


@pytest.mark.parametrize("categories", ["name", "ab", "a", b"ab", {"a"}, 5, ["a", "b", "c"]])
def test_categories_are_a_list_of_at_most_two(categories):
    """`app_categories` must be a list of at most two names, and not a string."""
    with pytest.raises(ConfigurationError, match="app_categories must be a list of at most 2"):
        headers(app_categories=categories)


@pytest.mark.parametrize("categories", [["a\n"], [" "]])
def test_invalid_categories_are_refused(categories):
    """A category must be valid in a header."""
    for headers_of in (headers, call_headers):
        with pytest.raises(ConfigurationError, match="app_categories must be 1 to 512"):
            headers_of(app_categories=categories)


def test_a_category_is_a_string():
    """The error of a category of another type names its position."""
    with pytest.raises(ConfigurationError, match=r"app_categories\[1\] must be a string, got 2"):
        call_headers(app_categories=["a", 2])


@given(st.text(), st.text(), st.text(), st.dictionaries(st.text(), st.text()))
def test_no_text_can_inject_a_header(url, title, category, default):
    """Any options are refused, or make headers that are single lines of printable ASCII."""
    try:
        sent = headers(
            app_url=url, app_title=title, app_categories=[category], default_headers=default
        )
    except ConfigurationError:
        return

    for text in (*sent, *sent.values()):
        assert text.isascii()
        assert text.isprintable()


@pytest.mark.parametrize("session_id", ["a", "x" * 256, "a b"])
def test_a_session_id_is_sent_as_a_header(session_id):
    """A session id is sent as the header `x-session-id`."""
    assert call_headers(session_id=session_id) == {"x-session-id": session_id}


@pytest.mark.parametrize(
    "session_id", ["", " ", "x" * 257, "a\n", "é", 5], ids=lambda v: repr(v)[:9]
)
def test_an_invalid_session_id_is_refused(session_id):
    """A session id must have 1 to 256 printable ASCII characters."""
    with pytest.raises(InvalidRequestError, match="session_id must be 1 to 256"):
        call_headers(session_id=session_id)


@pytest.mark.parametrize(
    ("of_client", "of_call", "sent"),
    [
        ({"x-session-id": "1"}, {"session_id": "2"}, {"x-session-id": "2"}),
        ({"X-Session-Id": "1"}, {"session_id": "2"}, {"x-session-id": "2"}),
        ({"X-OpenRouter-Title": "a"}, {"app_title": "b"}, {"X-OpenRouter-Title": "b"}),
        ({"X-Title": "a"}, {"app_title": "b"}, {"X-OpenRouter-Title": "b"}),
        ({"HTTP-Referer": "a"}, {"app_url": "b"}, {"HTTP-Referer": "b"}),
        (
            {"X-OpenRouter-Categories": "a"},
            {"app_categories": ["b", "c"]},
            {"X-OpenRouter-Categories": "b,c"},
        ),
        ({"X-A": "1", "X-B": "2"}, {"extra_headers": {"x-a": "3"}}, {"X-B": "2", "x-a": "3"}),
        ({}, {"app_title": "a", "extra_headers": {"x-title": "b"}}, {"x-title": "b"}),
        ({}, {"session_id": "a", "extra_headers": {"X-Session-ID": "b"}}, {"X-Session-ID": "b"}),
    ],
)
def test_headers_of_a_call_replace_those_of_its_client(of_client, of_call, sent):
    """A header of a call replaces that of the client, and `extra_headers` replace all others."""
    before = headers(default_headers=of_client)
    if own := of_call.get("extra_headers"):
        of_call = of_call | {"extra_headers": HeaderFields(own)}

    after = before.with_changes(call_headers(**of_call))

    assert after == FIXED | sent
    assert before == FIXED | of_client
    assert isinstance(after, HeaderFields)


def test_a_call_can_send_no_categories():
    """An empty list of categories takes the place of the client's categories, and is not sent."""
    after = headers(app_categories=["a"]).with_changes(call_headers(app_categories=[]))

    assert b"X-OpenRouter-Categories" not in dict(after.encoded())
    assert call_headers() == {}


@pytest.mark.parametrize("name", ["Host", "a b"])
def test_headers_of_a_call_are_checked_like_those_of_a_client(name):
    """A name that a client refuses in `default_headers` is refused in `extra_headers` too."""
    with pytest.raises(ConfigurationError, match="extra_headers"):
        call_headers(extra_headers=HeaderFields({name: "value"}))


def test_the_repr_of_header_fields_shows_only_names():
    """The `repr` of `HeaderFields`, which tracebacks with locals contain, shows only the names."""
    headers = HeaderFields({"X-Secret": "s3cret"})

    assert repr(headers) == "HeaderFields(['X-Secret'])"
    # A debugger asks for it while the object is made.
    assert repr(HeaderFields.__new__(HeaderFields)) == "HeaderFields([])"


def test_the_repr_of_encoded_headers_shows_only_names():
    """The `repr` of headers, and of their encoded form, shows only the names."""
    fields = headers(default_headers={"X-Secret": "hunter2"})

    assert "X-Secret" in repr(fields)
    encoded = EncodedHeaders(fields.encoded())
    assert "X-Secret" in repr(encoded)
    assert "hunter2" not in repr(fields) + repr(encoded)
    assert (b"X-Secret", b"hunter2") in [*encoded]


def test_only_headers_of_the_user_are_secret():
    """The values of the user's own headers are secret, and their parts; the client's are not."""
    fields = headers(
        app_url="https://me",
        app_title="My App",
        app_categories=["a"],
        default_headers={"User-Agent": "mine", "Cookie": "a=b; c", "X-A": "Basic d,e"},
    ).with_changes(call_headers(session_id="s"))

    assert fields.own() == {"Cookie": "a=b; c", "X-A": "Basic d,e"}
    assert fields.secret_values() == ["a=b; c", "Basic d,e", "a", "b", "c", "Basic", "d", "e"]


def test_header_fields_have_the_methods_of_a_mapping():
    """Header fields are read and compared like a mapping; a copy does not change the original."""
    fields = HeaderFields({"X-A": "a", "X-B": "b"})
    copies = copy.copy(fields), copy.deepcopy(fields)

    copies[0]["X-A"] = "changed"

    assert (dict(fields), len(fields), [*fields.values()]) == (
        {"X-A": "a", "X-B": "b"},
        2,
        ["a", "b"],
    )
    assert (fields.get("X-A"), fields.get("X-C", "c"), "X-B" in fields) == ("a", "c", True)
    assert [fields == other for other in (*copies, dict(fields), None)] == [
        False,
        True,
        True,
        False,
    ]
    assert pickle.loads(pickle.dumps(fields)) is None  # noqa: S301 - pickled here
