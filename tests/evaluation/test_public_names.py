"""The public names of the evaluation, which are imported when they are used."""

import subprocess
import sys
from pkgutil import iter_modules

import pytest
from openrouter_rerank import evaluation

pytest.importorskip("ir_measures", reason="the evaluation needs ir-measures")


@pytest.mark.parametrize("name", evaluation.__all__)
def test_every_name_can_be_imported(name):
    """Each name is a class or a function, and says what it is."""
    found = getattr(evaluation, name)

    assert callable(found)
    assert found.__doc__
    assert name in dir(evaluation)


def test_no_module_has_a_public_name():
    """A module would hide the function of the same name when it is imported."""
    modules = {module.name for module in iter_modules(evaluation.__path__)}

    assert modules.isdisjoint(evaluation.__all__)


def test_an_unknown_name_is_an_attribute_error():
    """A misspelt name is named."""
    with pytest.raises(AttributeError, match="has no attribute 'evaluat'"):
        _ = evaluation.evaluat


@pytest.mark.parametrize(
    ("imported", "absent"),
    [
        ("openrouter_rerank.evaluation", "numpy ir_measures rich click pandas"),
        (
            "openrouter_rerank.evaluation.collection.collection",
            "numpy ir_measures rich click pandas",
        ),
        ("openrouter_rerank.evaluation.evaluating", "rich click pandas"),
        ("openrouter_rerank.evaluation.command", "numpy ir_measures rich pandas"),
    ],
)
def test_only_what_is_needed_is_imported(imported, absent):
    """Importing a module does not import the libraries of the others, and never pandas."""
    code = (
        f"import sys, {imported}\nprint([name for name in {absent.split()} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100
    )

    assert done.stdout == "[]\n"
