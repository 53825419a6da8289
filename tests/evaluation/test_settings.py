"""The options of an evaluation: which values are accepted, and what the errors say."""

import pytest
from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.evaluation.settings import Settings, settings_of


def test_the_defaults():
    """Without options, the default model is evaluated at four depths."""
    assert settings_of({}) == Settings()
    assert Settings().models == ("cohere/rerank-v3.5",)
    assert Settings().depths == (10, 20, 50, 100)


def test_lists_become_tuples():
    """Lists are accepted; depths are sorted, and one string is one model."""
    assert settings_of({"models": ["a/b", "c/d"], "depths": [20, 10, 20]}) == Settings(
        models=("a/b", "c/d"), depths=(10, 20)
    )
    assert settings_of({"models": "a/b"}).models == ("a/b",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": []}, "models is empty: name at least one model"),
        ({"models": 3}, "models must be a list, got 3"),
        ({"models": ["a/b", " "]}, "models must have slugs of models, got ' '"),
        ({"models": ["a/b", None]}, "models must have slugs of models, got None"),
        ({"models": ["a/b", "a/b"]}, "models has 'a/b' twice: name it once"),
        ({"depths": []}, "depths is empty: name at least one number of candidates"),
        ({"depths": 10}, "depths must be a list, got 10"),
        ({"depths": [10, 0]}, "depths must be a whole number, 1 or more, got 0"),
        ({"depths": ["10"]}, "depths must be a whole number, 1 or more, got '10'"),
        ({"concurrency": 0}, "concurrency must be a whole number, 1 or more, got 0"),
        ({"concurrency": True}, "concurrency must be a whole number, 1 or more, got True"),
        ({"probes": -1}, "probes must be a whole number, 0 or more, got -1"),
        ({"metric": None}, "metric must be a name, such as 'nDCG@10', got None"),
        ({"two_step": "no"}, "two_step must be True or False, got 'no'"),
        ({"seed": 0.5}, "seed must be a whole number, 0 or more, got 0.5"),
        ({"questions": 0}, "questions must be a whole number, 1 or more, got 0"),
        ({"worth": -0.1}, "worth must be a number from 0 to 1, got -0.1"),
        ({"worth": float("nan")}, "worth must be a number from 0 to 1, got nan"),
        (
            {"budget": "free"},
            "budget must be a number of US dollars, 0 or more, or None, got 'free'",
        ),
        ({"budget": -1}, "budget must be a number of US dollars, 0 or more, or None, got -1"),
        ({"keep": 90}, "keep must be a number from 0 to 1, got 90"),
        ({"keep": "0.9"}, "keep must be a number from 0 to 1, got '0.9'"),
    ],
)
def test_a_wrong_value_is_refused(options, message):
    """The error names the option, says what it accepts, and shows the value."""
    with pytest.raises(ConfigurationError) as refused:
        settings_of(options)

    assert refused.value.message == message


def test_an_unknown_option_is_refused():
    """A misspelt option is a `TypeError`, as for any function, and names the one that is meant."""
    with pytest.raises(TypeError) as refused:
        settings_of({"model": "a/b"})

    assert str(refused.value) == "evaluate has no option 'model'. Did you mean 'models'?"
