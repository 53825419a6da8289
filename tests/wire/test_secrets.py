"""What hides the API key and the headers: masked texts, and objects that show nothing."""

import copy
import pickle
import sys
import traceback

import pytest
from openrouter_rerank._wire.endpoint import (
    ApiKey,
    EncodedHeaders,
    Secrets,
    checked_key,
    endpoint,
    key_of,
)
from openrouter_rerank.errors import ConfigurationError
from pydantic import SecretStr

KEY = ApiKey("sk-123")
GOOD_KEY = "sk-or-v1-0123456789abcdef"


@pytest.mark.parametrize(
    ("values", "key", "text", "masked"),
    [
        pytest.param(["abcdef"], None, "an abcdef", "an ***", id="shortest value"),
        pytest.param(["abcde"], None, "an abcde", "an abcde", id="too short to be masked"),
        pytest.param(["abcde", "abcdefg"], None, "abcde abcdefg", "abcde ***", id="one is short"),
        pytest.param(["abcdef"], None, "abcdef", "***", id="text as long as the value"),
        pytest.param(["abcdef", "a" * 30], None, "an abcdef", "an ***", id="text between both"),
        pytest.param(["uvwxyz", "a-uvwxyz"], None, "a-uvwxyz", "***", id="longest first"),
        pytest.param([], KEY, "sk-123", "***", id="key alone"),
        pytest.param(["a" * 30], KEY, "the sk-123", "the ***", id="key and a longer value"),
        pytest.param(["abcdef"], KEY, "sk-123 abcdef", "*** ***", id="key and value"),
        pytest.param([], None, "anything at all", "anything at all", id="no secrets"),
        pytest.param([], ApiKey("none"), "none found", "none found", id="short key"),
    ],
)
def test_values_of_six_characters_are_masked(values, key, text, masked):
    """The key and values of at least six characters are masked; shorter ones are often words."""
    assert Secrets(values).masked(text, key) == masked


def test_the_forms_of_a_value_are_made_once():
    """The forms of a value are not made again for each text: an error response has many texts."""
    secrets = Secrets(["abc/def", "uvwxyz"])
    made = []
    sys.setprofile(
        lambda frame, event, _: event == "call" and made.append(frame.f_code.co_qualname)
    )
    try:
        masked = [secrets.masked(f"{number} abc%2Fdef", None) for number in range(20)]
    finally:
        sys.setprofile(None)

    assert masked == [f"{number} ***" for number in range(20)]
    assert made.count("quote") == 2


def test_the_repr_of_secrets_has_no_values():
    """The `repr` of each object that holds secrets is constant, or has only names and the URL."""
    target = endpoint(KEY, "https://host", {})

    assert repr(Secrets(["abcdef"])) == "Secrets(...)"
    assert repr(target) == "Endpoint(url='https://host/rerank')"
    assert repr(EncodedHeaders([(b"X-A", b"abcdef")])) == "EncodedHeaders([b'X-A'])"
    # A debugger asks for it while the object is made.
    assert repr(EncodedHeaders.__new__(EncodedHeaders)) == "EncodedHeaders([])"


@pytest.mark.parametrize(
    ("value", "kind"), [(5, "int"), (b"", "bytes"), (["sk-123"], "list")], ids=repr
)
def test_a_key_of_another_type_is_refused(value, kind):
    """A key of another type than a string is refused, an empty one too."""
    assert str(checked_key(value)) == f"api_key is of type {kind}: pass a string"


def test_a_key_may_be_a_secret_string():
    """A `SecretStr` of Pydantic is read like a string."""
    assert checked_key(SecretStr("sk-123")).reveal() == "sk-123"
    assert checked_key(SecretStr(" ")) is None


def test_a_blank_key_of_the_options_is_none():
    """A blank option means that there is no key, like `None`; another one has the key."""
    assert key_of(None) is key_of(SecretStr(" ")) is None
    assert key_of(SecretStr("sk-123")).reveal() == "sk-123"


def test_the_error_of_a_wrong_key_names_where_it_is_from():
    """The error of a key that cannot be sent names the variable of the environment."""
    with pytest.raises(ConfigurationError, match=r"^the API key in OPENROUTER_API_KEY has charac"):
        endpoint(None, None, {"OPENROUTER_API_KEY": "sk 123"})


@pytest.mark.parametrize("base_url", ["ftp://host", "https://host"])
def test_no_traceback_holds_the_key_of_the_environment(base_url):
    """No local variable of an error's traceback holds the key of the environment."""
    with pytest.raises(ConfigurationError) as caught:
        endpoint(None, base_url, {"OPENROUTER_API_KEY": "sk-123"})

    frames = [frame for frame, _ in traceback.walk_tb(caught.tb)][1:]
    assert frames
    assert "sk-123" not in repr([frame.f_locals for frame in frames])


class Unread(dict):
    """An environment that must not be read."""

    def get(self, name, default=None):
        """Fail."""
        raise AssertionError(name)


def test_the_environment_is_not_read_without_need():
    """If the options have the URL and the key, the environment is not read."""
    assert endpoint(KEY, "https://host", Unread()).url == "https://host/rerank"
    assert endpoint(None, "https://host", Unread(), key_in_headers=True).api_key is None


def test_a_key_is_not_shown():
    """No text form of a key, or of an object that contains it, shows the key."""
    target = endpoint(ApiKey(GOOD_KEY), None, {})
    key = target.api_key

    forms = [repr(key), str(key), f"{key}", repr(target), repr([key])]

    assert [form for form in forms if GOOD_KEY in form] == []
    assert repr(key) == "ApiKey(...)"


def test_a_key_cannot_be_pickled_or_duplicated():
    """A key cannot be pickled, and copying it returns the original object."""
    key = ApiKey(GOOD_KEY)

    with pytest.raises(ConfigurationError, match="set OPENROUTER_API_KEY"):
        pickle.dumps(key)
    assert copy.copy(key) is key
    assert copy.deepcopy(key) is key


@pytest.mark.parametrize("secret", [ApiKey("sk-secret"), EncodedHeaders([(b"X-A", b"sk-secret")])])
def test_a_secret_of_a_client_is_not_pickled(secret):
    """Pickling a client ends in an error that says what to do."""
    with pytest.raises(ConfigurationError, match="create it where it is used") as caught:
        pickle.dumps(secret)

    assert "sk-secret" not in str(caught.value) + repr(Secrets(["sk-secret"]))
